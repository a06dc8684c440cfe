import Glibc

/// A buffered, append-only output: stdout or a file. A file is written beside its final name and renamed by `finish`,
/// so that a reader never sees half of it.
struct OutputFile: ~Copyable {
    private let descriptor: Int32
    private let name: String
    /// Temporary and final path; nil for stdout.
    private let paths: (temporary: String, final: String)?
    private var buffer: [UInt8] = []

    private static let bufferLength = 64 * 1024

    /// `path` nil or `-` is stdout.
    init(path: String?) throws {
        guard let path, path != "-" else {
            (descriptor, name, paths) = (STDOUT_FILENO, "standard output", nil)
            return
        }
        let temporary = path + ".part"
        descriptor = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
        guard descriptor >= 0 else { throw Failure("\(temporary): \(String(cString: strerror(errno)))") }
        (name, paths) = (temporary, (temporary, path))
    }

    deinit {
        if paths != nil { Glibc.close(descriptor) }
    }

    mutating func append(_ text: String) throws {
        buffer += text.utf8
        if buffer.count >= OutputFile.bufferLength { try flush() }
    }

    mutating func flush() throws {
        var done = 0
        while done < buffer.count {
            let count = buffer.withUnsafeBytes { bytes in
                write(descriptor, bytes.baseAddress.map { $0 + done }, bytes.count - done)
            }
            if count < 0 && errno == EINTR { continue }
            guard count > 0 else { throw Failure("\(name): \(String(cString: strerror(errno)))") }
            done += count
        }
        buffer.removeAll(keepingCapacity: true)
    }

    /// Writes the rest and gives a file its final name.
    mutating func finish() throws {
        try flush()
        if let paths, rename(paths.temporary, paths.final) != 0 {
            throw Failure("\(paths.final): \(String(cString: strerror(errno)))")
        }
    }
}
