import Glibc

/// What the kernel says about this process.
enum ProcessFigures {
    /// `read_bytes` or `write_bytes` of /proc/self/io: what went to the disk, not to the page cache.
    static func io(_ name: String) -> Int64? { number(in: "/proc/self/io", after: name + ": ") }

    /// Private memory in bytes, what the allocator keeps for later included. Not `Private_Dirty`: of a program that was
    /// just linked the pages that nobody wrote to count there until they are on the disk.
    static func privateBytes() -> Int64? {
        number(in: "/proc/self/smaps_rollup", after: "Anonymous:").map { $0 * 1024 }
    }

    private static func number(in path: String, after name: String) -> Int64? {
        let descriptor = open(path, O_RDONLY)
        guard descriptor >= 0 else { return nil }
        defer { close(descriptor) }
        var bytes = [UInt8](repeating: 0, count: 4096)
        let count = read(descriptor, &bytes, bytes.count)
        guard count > 0 else { return nil }
        for line in String(decoding: bytes[..<count], as: UTF8.self).split(separator: "\n") where line.hasPrefix(name) {
            return Int64(line.dropFirst(name.count).drop { $0 == " " }.prefix { $0.isNumber })
        }
        return nil
    }

    /// Puts what was written on the disk and out of memory, so that the next reader finds it cold.
    static func coolDown(_ paths: [String]) {
        sync()
        for path in paths {
            let descriptor = open(path, O_RDONLY)
            guard descriptor >= 0 else { continue }
            posix_fadvise(descriptor, 0, 0, CInt(POSIX_FADV_DONTNEED))
            close(descriptor)
        }
    }
}
