import Glibc

/// The kernel's file system.
public struct LocalFileSystem: FileSystem {
    public init() {}

    public func open(_ path: String, _ mode: OpenMode) throws(DiskError) -> any File {
        let flags =
            switch mode {
            case .read: O_RDONLY
            case .update: O_RDWR
            case .create: O_RDWR | O_CREAT | O_TRUNC
            }
        let descriptor = retrying { Glibc.open(path, flags | O_CLOEXEC, 0o640) }
        guard descriptor >= 0 else {
            throw DiskError(path: path, operation: mode == .create ? .create : .open, errno: errno)
        }
        return LocalFile(path: path, descriptor: descriptor)
    }

    public func createDirectory(_ path: String) throws(DiskError) {
        let parent = AtomicFile.directory(of: path)
        // A directory is as durable as its name in the one above it, and so is all that it will hold.
        if mkdir(path, 0o750) == 0 { return try syncDirectory(parent) }
        if errno == ENOENT, parent != path, parent != "." {
            try createDirectory(parent)
            if mkdir(path, 0o750) == 0 { return try syncDirectory(parent) }
        }
        if errno == EEXIST {
            var status = stat()
            if stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR { return }
            throw DiskError(path: path, operation: .create, errno: ENOTDIR)
        }
        throw DiskError(path: path, operation: .create, errno: errno)
    }

    public func list(_ directory: String) throws(DiskError) -> [String] {
        guard let stream = opendir(directory) else {
            throw DiskError(path: directory, operation: .list, errno: errno)
        }
        defer { closedir(stream) }
        var names: [String] = []
        while true {
            errno = 0
            guard let entry = readdir(stream) else { break }
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name != ".", name != ".." { names.append(name) }
        }
        guard errno == 0 else { throw DiskError(path: directory, operation: .list, errno: errno) }
        return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
    }

    public func rename(_ old: String, to new: String) throws(DiskError) {
        guard Glibc.rename(old, new) == 0 else { throw DiskError(path: old, operation: .rename, errno: errno) }
    }

    public func remove(_ path: String) throws(DiskError) {
        guard unlink(path) == 0 else { throw DiskError(path: path, operation: .remove, errno: errno) }
    }

    public func syncDirectory(_ directory: String) throws(DiskError) {
        let descriptor = retrying { Glibc.open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC) }
        guard descriptor >= 0 else { throw DiskError(path: directory, operation: .open, errno: errno) }
        defer { Glibc.close(descriptor) }
        guard retrying({ fsync(descriptor) }) == 0 else {
            throw DiskError(path: directory, operation: .sync, errno: errno)
        }
    }

    public func space(_ path: String) throws(DiskError) -> DiskSpace {
        var status = statvfs()
        guard statvfs(path, &status) == 0 else { throw DiskError(path: path, operation: .measure, errno: errno) }
        let unit = Int64(clamping: status.f_frsize)
        let (total, tooLarge) = unit.multipliedReportingOverflow(by: Int64(clamping: status.f_blocks))
        let (free, freeTooLarge) = unit.multipliedReportingOverflow(by: Int64(clamping: status.f_bavail))
        return DiskSpace(total: tooLarge ? .max : total, free: freeTooLarge ? .max : free)
    }
}

/// Repeats a system call that a signal interrupted.
private func retrying<Result: SignedInteger>(_ call: () -> Result) -> Result {
    while true {
        let result = call()
        if result >= 0 || errno != EINTR { return result }
    }
}

/// A file descriptor. `descriptor` is written once more, by `close()`, which the owner calls after its last use.
private final class LocalFile: File, @unchecked Sendable {  // the one writer of `descriptor` is its owner's close()
    let path: String
    private var descriptor: CInt

    init(path: String, descriptor: CInt) {
        self.path = path
        self.descriptor = descriptor
    }

    deinit { close() }

    func close() {
        if descriptor >= 0 { Glibc.close(descriptor) }
        descriptor = -1
    }

    func read(at position: Int64, into buffer: UnsafeMutableRawBufferPointer) throws(DiskError) -> Int {
        var filled = 0
        while filled < buffer.count, let base = buffer.baseAddress {
            let count = retrying {
                pread(descriptor, base + filled, buffer.count - filled, off_t(position) + off_t(filled))
            }
            guard count >= 0 else { throw DiskError(path: path, operation: .read, errno: errno) }
            if count == 0 { break }
            filled += count
        }
        return filled
    }

    func write(_ bytes: UnsafeRawBufferPointer, at position: Int64) throws(DiskError) {
        var written = 0
        while written < bytes.count, let base = bytes.baseAddress {
            let count = retrying {
                pwrite(descriptor, base + written, bytes.count - written, off_t(position) + off_t(written))
            }
            guard count > 0 else {
                throw DiskError(path: path, operation: .write, errno: count == 0 ? ENOSPC : errno)
            }
            written += count
        }
    }

    func preallocate(_ size: Int64) throws(DiskError) {
        var result: CInt
        repeat { result = posix_fallocate(descriptor, 0, off_t(size)) } while result == EINTR
        guard result == 0 else { throw DiskError(path: path, operation: .preallocate, errno: result) }
    }

    func sync() throws(DiskError) {
        guard retrying({ fdatasync(descriptor) }) == 0 else {
            throw DiskError(path: path, operation: .sync, errno: errno)
        }
    }

    func expectScatteredReads() {
        _ = posix_fadvise(descriptor, 0, 0, POSIX_FADV_RANDOM)
    }

    func size() throws(DiskError) -> Int64 {
        var status = stat()
        guard fstat(descriptor, &status) == 0 else {
            throw DiskError(path: path, operation: .measure, errno: errno)
        }
        return Int64(status.st_size)
    }
}
