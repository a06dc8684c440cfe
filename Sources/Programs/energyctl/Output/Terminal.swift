import Glibc

/// The two streams of the program, and whether somebody looks at them.
enum Terminal {
    /// Colours only where a person sees them and has not refused them.
    static let hasColour = isatty(STDOUT_FILENO) == 1 && getenv("NO_COLOR") == nil

    static func bold(_ text: String) -> String {
        hasColour ? "\u{1B}[1m\(text)\u{1B}[0m" : text
    }

    static func dim(_ text: String) -> String {
        hasColour ? "\u{1B}[2m\(text)\u{1B}[0m" : text
    }

    /// Writes all of `text` to stdout; ends the program quietly when the reader is gone.
    static func write(_ text: String) {
        write(Array(text.utf8))
    }

    static func write(_ bytes: [UInt8]) {
        var done = 0
        while done < bytes.count {
            let written = bytes[done...].withUnsafeBytes { Glibc.write(STDOUT_FILENO, $0.baseAddress, $0.count) }
            if written < 0 {
                if errno == EINTR { continue }
                if errno == EPIPE { exit(0) }
                complain("cannot write the answer: \(String(cString: strerror(errno)))")
                exit(ExitStatus.failed.rawValue)
            }
            done += written
        }
    }

    /// A message for the person, on stderr.
    static func complain(_ message: String) {
        complain(raw: "energyctl: \(message)")
    }

    static func complain(raw message: String) {
        let line = Array((message + "\n").utf8)
        _ = line.withUnsafeBytes { Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }
}
