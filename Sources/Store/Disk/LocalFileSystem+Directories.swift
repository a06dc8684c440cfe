import Glibc

extension LocalFileSystem {
    /// Removes `directory` with all that is in it. What is not there is no error.
    public func removeTree(_ directory: String) throws(DiskError) {
        let names: [String]
        do throws(DiskError) {
            names = try list(directory)
        } catch {
            if error.isMissing { return }
            throw error
        }
        for name in names {
            let path = "\(directory)/\(name)"
            if unlink(path) == 0 { continue }
            guard errno == EISDIR || errno == EPERM else {
                throw DiskError(path: path, operation: .remove, errno: errno)
            }
            try removeTree(path)
        }
        guard rmdir(directory) == 0 else { throw DiskError(path: directory, operation: .remove, errno: errno) }
    }
}
