import Glibc

/// A file that an answer goes to: whole under its name, or not there at all. `-` is stdout; a reader of it that goes
/// away before the end is an error, since nobody may take the part that it has for the whole.
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
        var done = 0
        while done < bytes.count, let base = bytes.baseAddress {
            let count = Glibc.write(descriptor, base + done, bytes.count - done)
            if count < 0, errno == EINTR { continue }
            guard count > 0 else { throw refusal(errno) }
            done += count
        }
    }

    private func refusal(_ code: Int32) -> Failure {
        guard path == "-" else {
            return Failure(.failed, "\(path) cannot be written: \(String(cString: strerror(code)))")
        }
        return code == EPIPE
            ? Failure(.failed, "what reads stdout has gone before the end; what it has is not whole")
            : Failure(.failed, "cannot write to stdout: \(String(cString: strerror(code)))")
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
