import Glibc

/// A file that an answer goes to: whole under its name, or not there at all. `-` is stdout.
final class ResultFile {
    private let path: String
    private let descriptor: Int32
    private var part: String { path + ".part" }
    private var isFinished = false

    /// `isReplacing`: a file of that name may go.
    init(_ path: String, isReplacing: Bool) throws {
        self.path = path
        if path == "-" {
            descriptor = STDOUT_FILENO
            return
        }
        if !isReplacing, access(path, F_OK) == 0 {
            throw Failure(.failed, "\(path) is there already; --force replaces it")
        }
        descriptor = open(path + ".part", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o640)
        if descriptor < 0 {
            throw Failure(
                errno == EACCES ? .permission : .failed,
                "\(path) cannot be written: \(String(cString: strerror(errno)))")
        }
    }

    func write(_ bytes: UnsafeRawBufferPointer) throws {
        if path == "-" { return Terminal.write(Array(bytes)) }
        var done = 0
        while done < bytes.count, let base = bytes.baseAddress {
            let count = Glibc.write(descriptor, base + done, bytes.count - done)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else {
                throw Failure(.failed, "\(path) cannot be written: \(String(cString: strerror(errno)))")
            }
            done += count
        }
    }

    func write(_ bytes: [UInt8]) throws { try bytes.withUnsafeBytes { try write($0) } }

    /// Makes it durable and gives it its name.
    func finish() throws {
        if path == "-" { return }
        guard fsync(descriptor) == 0 || errno == EINVAL, rename(part, path) == 0 else {
            throw Failure(.failed, "\(path) cannot be written: \(String(cString: strerror(errno)))")
        }
        isFinished = true
    }

    deinit {
        guard path != "-" else { return }
        close(descriptor)
        if !isFinished { unlink(path + ".part") }
    }
}
