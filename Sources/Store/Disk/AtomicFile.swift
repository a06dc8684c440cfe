import Glibc

/// Small files that are either the old or the new one after a power cut, never half.
public enum AtomicFile {
    /// What a file in flight ends with; one that is found was never finished.
    public static let temporarySuffix = ".tmp"

    /// Writes `bytes` beside `path`, syncs them, renames the file to `path` and syncs the directory.
    /// After an error the old file is still there.
    public static func write(_ bytes: [UInt8], to path: String, in fileSystem: any FileSystem) throws(DiskError) {
        let temporary = path + temporarySuffix
        do throws(DiskError) {
            let file = try fileSystem.open(temporary, .create)
            defer { file.close() }
            try file.write(bytes, at: 0)
            try file.sync()
        } catch {
            // Its space is what a full disk lacks; that it cannot be removed either changes nothing.
            try? fileSystem.remove(temporary)
            throw error
        }
        try fileSystem.rename(temporary, to: path)
        try fileSystem.syncDirectory(directory(of: path))
    }

    /// The whole file, nil where there is none; one longer than `limit` bytes is refused as `EFBIG`.
    public static func read(
        _ path: String, limit: Int, in fileSystem: any FileSystem
    ) throws(DiskError) -> [UInt8]? {
        let file: any File
        do throws(DiskError) {
            file = try fileSystem.open(path, .read)
        } catch {
            if error.isMissing { return nil }
            throw error
        }
        defer { file.close() }
        let size = try file.size()
        guard size <= Int64(limit) else { throw DiskError(path: path, operation: .read, errno: EFBIG) }
        return try file.read(at: 0, count: Int(size))
    }

    /// Where `path` lies; `.` for a bare name.
    static func directory(of path: String) -> String {
        guard let slash = path.lastIndex(of: "/") else { return "." }
        return slash == path.startIndex ? "/" : String(path[..<slash])
    }
}
