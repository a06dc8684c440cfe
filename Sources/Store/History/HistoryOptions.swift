import Disk
import Timekeeping

/// What History may use.
package struct HistoryOptions: Hashable, Sendable {
    /// Files whose newest value is older than this go, ms of log time.
    package var retention: Int64
    /// Bytes of all block files together; beyond it the oldest goes.
    package var budget: Int64
    /// Log time after which the head becomes a file, ms.
    package var sealAfter: Int64
    /// Bytes of values in memory at which the head becomes a file earlier.
    package var headCeiling: Int

    package init(
        retention: Int64 = 30 * Span.day, budget: Int64 = 512 << 20, sealAfter: Int64 = 2 * Span.hour,
        headCeiling: Int = 16 << 20
    ) {
        self.retention = max(Span.minute, retention)
        self.budget = max(1 << 16, budget)
        self.sealAfter = max(Span.second, sealAfter)
        self.headCeiling = max(1 << 12, headCeiling)
    }
}

/// Counts since History was opened, and what opening found.
package struct HistoryStatistics: Hashable, Sendable {
    package var files = 0
    package var bytes: Int64 = 0
    /// Values in memory, not sealed yet.
    package var headPoints = 0
    package var sealedFiles = 0
    package var removedFiles = 0
    /// Files whose footer is damaged, under the name they were set aside with.
    package var setAside: [String] = []
    /// Blocks that a query left out because they are damaged.
    package var damagedBlocks = 0
    /// Files of a later version; left alone and not read.
    package var newerFiles = 0
    /// Gaps met in the log.
    package var gaps = 0
    /// Times that the log lacked what History has: a disk that lied, a restored or exchanged card.
    package var rewinds = 0
    /// Frames that are intact but cannot be decoded.
    package var skippedFrames = 0
    /// Readings of a series that the log cannot name, or with a time outside 1970 … 9999.
    package var skippedReadings = 0
    /// What the file system refused while opening.
    package var diskErrors: [DiskError] = []
}

/// A block file or block that is not what it should be.
package struct BlockError: Error, Hashable, CustomStringConvertible {
    package let path: String
    /// Byte position in the file.
    package let position: Int
    package let reason: String

    package var description: String { "\(path) at byte \(position): \(reason)" }
}
