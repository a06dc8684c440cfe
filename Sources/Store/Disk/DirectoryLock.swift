import Glibc

/// Keeps two processes from writing one data directory: an advisory lock on the file `lock` in it, held until
/// `release()` or the end of the process. The file holds the owner's process id for the other's error message.
public final class DirectoryLock: @unchecked Sendable {  // the one writer of `descriptor` is its owner's release()
    public let path: String
    private let directory: String
    private var descriptor: CInt

    /// The directory must exist.
    public init(directory: String) throws(DirectoryLockError) {
        self.directory = directory
        path = directory + "/lock"
        descriptor = -1
        descriptor = try DirectoryLock.acquire(path, directory)
    }

    /// Locks the file that lies there now: after the disk was away the lock held so far is of a file that nobody sees.
    /// After an error the old one is kept. The same thread as `release`.
    public func reacquire() throws(DirectoryLockError) {
        var held = stat()
        var there = stat()
        if fstat(descriptor, &held) == 0, stat(path, &there) == 0, held.st_dev == there.st_dev,
            held.st_ino == there.st_ino
        {
            return
        }
        let fresh = try DirectoryLock.acquire(path, directory)
        release()
        descriptor = fresh
    }

    private static func acquire(_ path: String, _ directory: String) throws(DirectoryLockError) -> CInt {
        var descriptor = Glibc.open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o640)
        // A disk that is mounted read-only can be locked as well, and is waited for.
        if descriptor < 0, errno == EROFS {
            descriptor = Glibc.open(path, O_RDONLY | O_CLOEXEC)
            // That it is not there either is not the trouble.
            if errno == ENOENT { errno = EROFS }
        }
        guard descriptor >= 0 else {
            throw .disk(DiskError(path: path, operation: .lock, errno: errno))
        }
        guard flock(descriptor, LOCK_EX | LOCK_NB) == 0 else {
            let reason = errno
            let owner = DirectoryLock.owner(descriptor)
            Glibc.close(descriptor)
            if reason == EWOULDBLOCK { throw .held(directory: directory, owner: owner) }
            throw .disk(DiskError(path: path, operation: .lock, errno: reason))
        }
        // The number is for people only; that it cannot be written does not weaken the lock.
        let text = Array("\(getpid())\n".utf8)
        _ = ftruncate(descriptor, 0)
        _ = pwrite(descriptor, text, text.count, 0)
        return descriptor
    }

    deinit { release() }

    public func release() {
        if descriptor >= 0 {
            // A child that another thread has just made still has the file open until it becomes another program.
            flock(descriptor, LOCK_UN)
            Glibc.close(descriptor)
        }
        descriptor = -1
    }

    private static func owner(_ descriptor: CInt) -> Int32? {
        var text = [UInt8](repeating: 0, count: 16)
        let count = pread(descriptor, &text, text.count, 0)
        guard count > 0 else { return nil }
        return Int32(String(decoding: text[..<count].prefix { $0 != UInt8(ascii: "\n") }, as: UTF8.self))
    }
}

public enum DirectoryLockError: Error, Hashable, CustomStringConvertible {
    /// Another process has it; `owner` is its id where it could be read.
    case held(directory: String, owner: Int32?)
    case disk(DiskError)

    public var description: String {
        switch self {
        case .held(let directory, let owner):
            let who = owner.map { "process \($0)" } ?? "another process"
            return "\(directory) is in use by \(who); stop that one or give this one its own --data-dir"
        case .disk(let error): return error.description
        }
    }
}
