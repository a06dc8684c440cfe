import Glibc

/// What the file system refused: where, what was tried, and the kernel's reason.
package struct DiskError: Error, Hashable, CustomStringConvertible {
    /// What was tried, as the verb of the sentence.
    package enum Operation: String, Hashable, Sendable {
        case open, create, read, write, preallocate, sync, close, rename, remove, list, measure, lock
    }

    package let path: String
    package let operation: Operation
    /// The kernel's number; `EIO` for a file that is shorter than it should be.
    package let errno: CInt

    package init(path: String, operation: Operation, errno: CInt) {
        self.path = path
        self.operation = operation
        self.errno = errno
    }

    /// No space or quota is left.
    package var isFull: Bool { errno == ENOSPC || errno == EDQUOT }
    /// The file system is mounted read-only, as the kernel does with ext4 after an error.
    package var isReadOnly: Bool { errno == EROFS }
    /// No such file.
    package var isMissing: Bool { errno == ENOENT }

    package var description: String {
        let reason = strerror(errno).map { String(cString: $0) } ?? "error \(errno)"
        return "cannot \(operation.rawValue) \(path): \(reason)"
    }
}
