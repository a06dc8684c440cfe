import Glibc

/// Whose a state directory is, and whether somebody uses it now.
public enum DirectoryOwner {
    /// The process that holds the lock of `directory`; nil: nobody does. Touches nothing. A lock that cannot be
    /// looked at counts as free.
    public static func holder(of directory: String) -> Holder? {
        let descriptor = open("\(directory)/lock", O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        if flock(descriptor, LOCK_SH | LOCK_NB) == 0 { return nil }
        guard errno == EWOULDBLOCK else { return nil }
        var text = [UInt8](repeating: 0, count: 16)
        let count = pread(descriptor, &text, text.count, 0)
        let digits = text[..<max(0, count)].prefix { $0 != UInt8(ascii: "\n") }
        return Holder(process: Int32(String(decoding: digits, as: UTF8.self)))
    }

    public struct Holder: Hashable, Sendable {
        /// Nil where the lock does not say.
        public var process: Int32?
    }

    /// Root goes on as the owner of `directory`, so that no file in it becomes one that its owner cannot write.
    /// Others stay who they are. Once, at the start of a program.
    public static func become(_ directory: String) throws(DiskError) {
        guard geteuid() == 0 else { return }
        var status = stat()
        guard stat(directory, &status) == 0 else {
            throw DiskError(path: directory, operation: .open, errno: errno)
        }
        guard status.st_uid != 0 else { return }
        guard setegid(status.st_gid) == 0, seteuid(status.st_uid) == 0 else {
            throw DiskError(path: directory, operation: .open, errno: errno)
        }
    }
}
