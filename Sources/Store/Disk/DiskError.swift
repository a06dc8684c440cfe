import Glibc

/// What the file system refused: where, what was tried, and the kernel's reason.
public struct DiskError: Error, Hashable, CustomStringConvertible {
    /// What was tried, as the verb of the sentence.
    public enum Operation: String, Hashable, Sendable {
        case open, create, read, write, preallocate, sync, close, rename, remove, list, measure, lock
    }

    public let path: String
    public let operation: Operation
    /// The kernel's number; `EIO` for a file that is shorter than it should be.
    public let errno: CInt

    public init(path: String, operation: Operation, errno: CInt) {
        self.path = path
        self.operation = operation
        self.errno = errno
    }

    /// No space or quota is left.
    public var isFull: Bool { errno == ENOSPC || errno == EDQUOT }
    /// The file system is mounted read-only, as the kernel does with ext4 after an error.
    public var isReadOnly: Bool { errno == EROFS }
    /// No such file.
    public var isMissing: Bool { errno == ENOENT }

    public var description: String {
        let reason = strerror(errno).map { String(cString: $0) } ?? "error \(errno)"
        return "cannot \(operation.rawValue) \(path): \(reason)"
    }
}
