import Glibc

/// A small file, or stdin, read to its end.
enum WholeFile {
    /// `-` is stdin. Of a longer file the first `maximum` bytes, so that the reader sees that it is too long.
    static func read(_ path: String, maximum: Int) throws -> [UInt8] {
        let descriptor = path == "-" ? STDIN_FILENO : open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            let status: ExitStatus = errno == ENOENT ? .notFound : errno == EACCES ? .permission : .failed
            throw Failure(status, "\(path) cannot be read: \(String(cString: strerror(errno)))")
        }
        defer { if path != "-" { close(descriptor) } }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 1 << 16)
        while bytes.count < maximum {
            let got = Glibc.read(descriptor, &buffer, buffer.count)
            if got < 0, errno == EINTR { continue }
            guard got >= 0 else {
                throw Failure(.failed, "\(path) cannot be read: \(String(cString: strerror(errno)))")
            }
            if got == 0 { break }
            bytes += buffer[..<got].prefix(maximum - bytes.count)
        }
        return bytes
    }
}
