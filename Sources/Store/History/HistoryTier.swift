import Timekeeping

/// What History keeps of every series, each tier in a directory and a ring of its own.
public enum HistoryTier: Int, Hashable, Sendable, CaseIterable {
    /// Every value.
    case raw
    /// What each series did in each minute.
    case minute
    /// What each series did in each quarter of an hour.
    case quarter

    /// The directory's name.
    public var name: String {
        switch self {
        case .raw: "raw"
        case .minute: "minute"
        case .quarter: "quarter"
        }
    }

    /// Bucket length in ms; nil for raw values.
    public var step: Int64? {
        switch self {
        case .raw: nil
        case .minute: Span.minute
        case .quarter: 15 * Span.minute
        }
    }

    /// Log time that one file may span after merging: what it holds goes at once, and so much is written again.
    var longestFile: Int64 {
        switch self {
        case .raw: 36 * Span.hour
        case .minute: 18 * Span.day
        case .quarter: 216 * Span.day
        }
    }

    static let rollUps: [HistoryTier] = [.minute, .quarter]
}
