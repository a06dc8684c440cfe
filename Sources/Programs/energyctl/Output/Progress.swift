import Glibc

/// How far a long piece of work is, on one line of stderr; silent where that is no terminal.
struct Progress {
    private let what: String
    private let total: Int64?
    private let isShown: Bool
    private var done: Int64 = 0
    private var shown: Int64 = -1

    /// `total` in bytes; nil where it is not known.
    init(_ what: String, total: Int64?) {
        self.what = what
        self.total = total
        isShown = isatty(STDERR_FILENO) == 1
    }

    mutating func add(_ bytes: Int64) {
        done += bytes
        guard isShown else { return }
        if let total, total > 0 {
            let percent = min(100, done * 100 / total)
            guard percent != shown else { return }
            shown = percent
            show(line: "\(what): \(percent) %")
        } else if done >> 20 != shown {
            shown = done >> 20
            show(line: "\(what): \(shown) MiB")
        }
    }

    /// Says where it is, for work that is not counted in bytes.
    mutating func show(_ place: String) {
        guard isShown else { return }
        shown += 1
        show(line: "\(what): \(place)")
    }

    /// Takes the line away.
    func end() {
        guard isShown, shown >= 0 else { return }
        show(line: "")
    }

    private func show(line text: String) {
        let line = Array("\r\u{1B}[K\(text)".utf8)
        _ = line.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }
}
