import Glibc

/// The two streams of the program, and whether somebody looks at them.
enum Terminal {
    /// Colours only where a person sees them and has not refused them.
    static let hasColour = isatty(STDOUT_FILENO) == 1 && !isRefused

    /// Columns of the terminal; 80 where nobody says how wide it is.
    static var width: Int {
        var size = winsize()
        if ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 { return Int(size.ws_col) }
        return getenv("COLUMNS").flatMap { Int(String(cString: $0)) }.flatMap { $0 > 0 ? $0 : nil } ?? 80
    }

    /// Whether the locale's characters are UTF-8: block characters are no mess then.
    static var isUTF8: Bool {
        for name in ["LC_ALL", "LC_CTYPE", "LANG"] {
            guard let value = getenv(name).map({ String(cString: $0).lowercased() }), !value.isEmpty else { continue }
            return value.contains("utf-8") || value.contains("utf8")
        }
        return false
    }

    /// A bar of a chart.
    static func bar(_ text: String) -> String {
        hasColour ? "\u{1B}[36m\(text)\u{1B}[0m" : text
    }

    /// `NO_COLOR`, set and not empty: no-color.org.
    private static var isRefused: Bool { getenv("NO_COLOR").map { $0.pointee != 0 } ?? false }

    /// Without characters that would move the cursor or hide what follows: names and reasons come from devices.
    static func visible(_ text: String) -> String {
        guard text.unicodeScalars.contains(where: isInvisible) else { return text }
        var result = String.UnicodeScalarView()
        for scalar in text.unicodeScalars { result.append(isInvisible(scalar) ? "?" : scalar) }
        return String(result)
    }

    private static func isInvisible(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: true
        default: false
        }
    }

    static func bold(_ text: String) -> String {
        hasColour ? "\u{1B}[1m\(text)\u{1B}[0m" : text
    }

    /// For what asks to be looked at.
    static func warning(_ text: String) -> String {
        hasColour ? "\u{1B}[33m\(text)\u{1B}[0m" : text
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
