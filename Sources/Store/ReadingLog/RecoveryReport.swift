import Disk
import Records

/// What opening a log found and did. Nothing in it is a reason not to start; all of it is a reason to tell.
public struct RecoveryReport: Hashable, Sendable {
    /// Segments that can be read.
    public var segments = 0
    /// The offset that the next record gets.
    public var nextOffset: UInt64 = 0
    public var epoch: UInt64 = 0
    /// A new epoch began: the log is new, or something was cut or lost.
    public var startedEpoch = false
    /// Bytes of a write that never became durable.
    public var tornBytes = 0
    /// The copy of those bytes.
    public var tornCopy: String?
    /// Frames in the last segment that are there but damaged.
    public var damagedFrames = 0
    /// Offsets that the last segment lacks between frames that it has.
    public var missingOffsets: UInt64 = 0
    /// Series whose declaration is lost; their readings are in the log, but nobody knows of what.
    public var lostSeries = 0
    /// Files whose header is damaged, under the name they were set aside with.
    public var setAside: [String] = []
    /// The newest format found, where this version cannot write it: the log is open for reading only.
    public var newerFormat: UInt16?
    /// What the file system refused meanwhile.
    public var diskErrors: [DiskError] = []

    /// True when there is something to tell.
    public var isEventful: Bool {
        tornBytes > 0 || damagedFrames > 0 || missingOffsets > 0 || lostSeries > 0 || !setAside.isEmpty
            || newerFormat != nil || !diskErrors.isEmpty
    }
}
