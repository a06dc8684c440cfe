import Glibc

/// Lines of a file or of stdin, read in pieces; a line that is too long is handed out cut, not kept whole.
struct LineReader {
    private let path: String
    private let descriptor: Int32
    /// The line that `next` gave last ends with the file, without a line feed: something may have cut it.
    private(set) var isCut = false
    private var buffer: [UInt8] = []
    private var position = 0
    private var isAtEnd = false
    private let maximum: Int

    /// `-` is stdin.
    init(path: String, maximum: Int) throws {
        self.path = path
        self.maximum = maximum
        if path == "-" {
            descriptor = STDIN_FILENO
            return
        }
        descriptor = open(path, O_RDONLY | O_CLOEXEC)
        if descriptor < 0 {
            let status: ExitStatus = errno == ENOENT ? .notFound : errno == EACCES ? .permission : .failed
            throw Failure(status, "\(path) cannot be read: \(String(cString: strerror(errno)))")
        }
    }

    /// The next line without its end; nil after the last. A line of more than `maximum` bytes comes with one byte more
    /// than that, so that it can be told.
    mutating func next() throws -> [UInt8]? {
        var line: [UInt8] = []
        while true {
            if let end = buffer[position...].firstIndex(of: 0x0A) {
                line.append(contentsOf: buffer[position..<end].prefix(maximum + 1 - min(line.count, maximum + 1)))
                position = end + 1
                if line.last == 0x0D { line.removeLast() }
                return line
            }
            line.append(contentsOf: buffer[position...].prefix(maximum + 1 - min(line.count, maximum + 1)))
            position = 0
            buffer.removeAll(keepingCapacity: true)
            if isAtEnd {
                isCut = !line.isEmpty
                return line.isEmpty ? nil : line
            }
            try fill()
        }
    }

    private mutating func fill() throws {
        let count = 1 << 16
        var failed: Int32 = 0
        buffer = [UInt8](unsafeUninitializedCapacity: count) { pointer, filled in
            while true {
                let got = read(descriptor, pointer.baseAddress, count)
                if got < 0, errno == EINTR { continue }
                if got < 0 { failed = errno }
                filled = max(0, got)
                return
            }
        }
        if failed != 0 {
            let name = path == "-" ? "stdin" : path
            throw Failure(.failed, "\(name) cannot be read: \(String(cString: strerror(failed)))")
        }
        if buffer.isEmpty { isAtEnd = true }
    }
}
