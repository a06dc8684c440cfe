import Glibc
import Logging
import Synchronization

/// Log lines on stderr, as journald reads them: `<priority>` when systemd collects them, a readable level when a person
/// does. No line is longer than 1 KiB, and no more than 50 lines a second are written: what is left out is counted.
public struct JournalLogHandler: LogHandler {
    public var metadata: Logger.Metadata = [:]
    public var logLevel: Logger.Level
    private let label: String
    private let limiter: LineLimiter
    private let isJournal: Bool

    public static let maximumLine = 1024

    public init(label: String, level: Logger.Level, limiter: LineLimiter) {
        self.label = label
        self.logLevel = level
        self.limiter = limiter
        self.isJournal = getenv("JOURNAL_STREAM") != nil
    }

    public subscript(metadataKey key: String) -> Logger.Metadata.Value? {
        get { metadata[key] }
        set { metadata[key] = newValue }
    }

    public func log(event: LogEvent) {
        let dropped: Int
        switch limiter.admit(second: Int(time(nil))) {
        case .dropped: return
        case .admitted(let before): dropped = before
        }
        var line = isJournal ? "<\(JournalLogHandler.priority(event.level))>" : "\(event.level): "
        line += event.message.description
        let all = metadata.merging(event.metadata ?? [:]) { $1 }
        for (key, value) in all.sorted(by: { $0.key < $1.key }) { line += " \(key)=\(value)" }
        if dropped > 0 { line += " (\(dropped) lines before this one were left out)" }
        JournalLogHandler.write(line)
    }

    /// One line, whatever it holds: control characters become spaces.
    private static func write(_ line: String) {
        var bytes = Array(line.utf8.prefix(maximumLine))
        for i in bytes.indices where bytes[i] < 0x20 || bytes[i] == 0x7F { bytes[i] = 0x20 }
        bytes.append(0x0A)
        _ = bytes.withUnsafeBytes { Glibc.write(STDERR_FILENO, $0.baseAddress, $0.count) }
    }

    private static func priority(_ level: Logger.Level) -> Int {
        switch level {
        case .trace, .debug: 7
        case .info: 6
        case .notice: 5
        case .warning: 4
        case .error: 3
        case .critical: 2
        }
    }
}

/// Counts log lines of the current second. Any thread.
public final class LineLimiter: Sendable {
    public enum Verdict: Equatable {
        /// With the number of lines that were left out before it.
        case admitted(dropped: Int)
        case dropped
    }

    private struct State {
        var second = 0
        var lines = 0
        var dropped = 0
    }

    private let state = Mutex(State())
    private let perSecond: Int

    public init(perSecond: Int = 50) {
        self.perSecond = perSecond
    }

    public func admit(second: Int) -> Verdict {
        state.withLock { state in
            if state.second != second {
                state.second = second
                state.lines = 0
            }
            guard state.lines < perSecond else {
                state.dropped += 1
                return .dropped
            }
            state.lines += 1
            defer { state.dropped = 0 }
            return .admitted(dropped: state.dropped)
        }
    }
}
