import Disk
import Timekeeping

/// What History may use.
public struct HistoryOptions: Hashable, Sendable {
    /// Ages and bytes at which a tier's oldest files go.
    public struct Limit: Hashable, Sendable {
        /// Files whose newest value is older than this go, ms of log time; `.max` keeps them for ever.
        public var retention: Int64
        /// Bytes of the tier's files together; beyond it the oldest goes.
        public var budget: Int64

        public init(retention: Int64, budget: Int64) {
            self.retention = max(Span.minute, retention)
            self.budget = max(1 << 16, budget)
        }
    }

    public var raw: Limit
    public var minute: Limit
    public var quarter: Limit
    /// The head becomes a file when log time passes a multiple of this, ms.
    public var sealAfter: Int64
    /// Bytes of values in memory for each series, 256 KiB in all at least, at which the head becomes a file earlier. As
    /// long as that fails it grows on.
    public var headShare: Int
    /// Bytes of values in memory at which nothing more is taken until the head has become a file.
    public var headCeiling: Int
    /// As many neighbouring files are merged into one.
    public var mergeCount: Int

    /// `retention` and `budget` are those of the raw values. Buckets of a minute are kept for a year, those of a
    /// quarter of an hour for ever, each within a budget.
    public init(
        retention: Int64 = 30 * Span.day, budget: Int64 = 512 << 20, sealAfter: Int64 = 2 * Span.hour,
        headShare: Int = 576, headCeiling: Int = 16 << 20,
        minute: Limit = Limit(retention: 366 * Span.day, budget: 1 << 30),
        quarter: Limit = Limit(retention: .max, budget: 1 << 30), mergeCount: Int = 12
    ) {
        raw = Limit(retention: retention, budget: budget)
        self.minute = minute
        self.quarter = quarter
        self.sealAfter = max(Span.second, sealAfter)
        self.headShare = max(1, headShare)
        self.headCeiling = max(1 << 12, headCeiling)
        self.mergeCount = max(2, mergeCount)
    }

    static let leastHeadShare = 256 << 10

    public func limit(of tier: HistoryTier) -> Limit {
        switch tier {
        case .raw: raw
        case .minute: minute
        case .quarter: quarter
        }
    }
}

/// Counts since History was opened, and what opening found.
public struct HistoryStatistics: Hashable, Sendable {
    /// What lies on disk of one tier.
    public struct Tier: Hashable, Sendable {
        public var files = 0
        public var bytes: Int64 = 0
        /// The span of the values' times; nil without files.
        public var first: Timestamp?
        public var last: Timestamp?
    }

    /// Of all tiers together.
    public var files = 0
    public var bytes: Int64 = 0
    public var tiers: [HistoryTier: Tier] = [:]
    public var series = 0
    /// Values in memory, not sealed yet, and the bytes that they take.
    public var headPoints = 0
    public var headBytes = 0
    public var sealedFiles = 0
    /// Files made of several, and how many those were.
    public var mergedFiles = 0
    public var mergedAway = 0
    public var removedFiles = 0
    /// Bytes of all files written since opening.
    public var writtenBytes: Int64 = 0
    /// Files whose footer is damaged, under the name they were set aside with.
    public var setAside: [String] = []
    /// Blocks that a query or a merge left out because they are damaged.
    public var damagedBlocks = 0
    /// Files of a later version; left alone and not read.
    public var newerFiles = 0
    /// Gaps met in the log.
    public var gaps = 0
    /// Times that the log lacked what History has: a disk that lied, a restored or exchanged card.
    public var rewinds = 0
    /// Frames that are intact but cannot be decoded.
    public var skippedFrames = 0
    /// Readings of a series that the log cannot name, or with a time outside 1970 … 9999.
    public var skippedReadings = 0
    /// What the file system refused while opening.
    public var diskErrors: [DiskError] = []
}

/// A block file or block that is not what it should be.
public struct BlockError: Error, Hashable, CustomStringConvertible {
    public let path: String
    /// Byte position in the file.
    public let position: Int
    public let reason: String

    public var description: String { "\(path) at byte \(position): \(reason)" }
}
