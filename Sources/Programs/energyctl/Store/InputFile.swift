import Glibc

/// A file, or stdin (`-`), that is read in the pieces that are asked for.
final class InputFile {
    private let path: String
    private let descriptor: Int32

    init(_ path: String) throws {
        self.path = path
        descriptor = path == "-" ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)
        if descriptor < 0 {
            let status: ExitStatus = errno == ENOENT ? .notFound : errno == EACCES ? .permission : .failed
            throw Failure(status, "\(path) cannot be read: \(String(cString: strerror(errno)))")
        }
    }

    deinit { if descriptor != STDIN_FILENO { close(descriptor) } }

    /// Nil where that is not known before the end.
    var size: Int64? {
        var status = stat()
        guard fstat(descriptor, &status) == 0, status.st_mode & S_IFMT == S_IFREG else { return nil }
        return Int64(status.st_size)
    }

    /// So many bytes, fewer only at the end.
    func read(_ count: Int) throws -> [UInt8] {
        var failed: Int32 = 0
        let bytes = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
            filled = 0
            while filled < count {
                let got = Glibc.read(descriptor, buffer.baseAddress.map { $0 + filled }, count - filled)
                if got < 0, errno == EINTR { continue }
                if got < 0 { failed = errno }
                if got <= 0 { return }
                filled += got
            }
        }
        if failed != 0 { throw Failure(.failed, "\(path) cannot be read: \(String(cString: strerror(failed)))") }
        return bytes
    }
}
