import Disk
import Records

/// Why the log refused something, and where.
public struct LogError: Error, Hashable, CustomStringConvertible {
    public enum Reason: Hashable, Sendable {
        /// The file system refused. What was appended stays in memory and is tried again at the next flush.
        case disk(DiskError)
        /// The ring is full and `consumer` still needs its oldest segment.
        case ringHeld(consumer: String)
        /// The directory is not the one that was opened: its disk is away, and perhaps another is in its place.
        case displaced(directory: String)
        /// A later version wrote here; this one only reads.
        case newerFormat(version: UInt16)
        /// One record is larger than a frame may be.
        case recordTooLarge(bytes: Int, limit: Int)
        /// No further series gets a number.
        case tooManySeries(limit: Int)
        /// A reading names a number that the log never gave.
        case unknownSeries(UInt32)
        /// Memory for records that are not on disk yet is used up, because flushing fails.
        case memoryFull(bytes: Int)
        /// An option outside its range.
        case badOption(String)
    }

    public let topic: Topic
    public let reason: Reason

    public init(_ topic: Topic, _ reason: Reason) {
        self.topic = topic
        self.reason = reason
    }

    public var description: String {
        let what: String
        switch reason {
        case .disk(let error): what = "\(error)"
        case .ringHeld(let consumer):
            what = "the ring is full and \(consumer) has not read its oldest segment yet"
        case .displaced(let directory):
            what =
                "\(directory) is not what was opened there; is its disk away, or another one in its place? "
                + "Bring it back, or restart energyd to begin anew on what is there now"
        case .newerFormat(let version):
            what = "it was written in format \(version) by a newer energyd; this one only reads it"
        case .recordTooLarge(let bytes, let limit): what = "a record of \(bytes) bytes exceeds the limit of \(limit)"
        case .tooManySeries(let limit): what = "it holds \(limit) series and takes no further one"
        case .unknownSeries(let number): what = "a reading names series \(number), which the log does not know"
        case .memoryFull(let bytes): what = "\(bytes) bytes wait for the disk and no more fit in memory"
        case .badOption(let text): what = text
        }
        return "log of topic \(topic.name): \(what)"
    }
}
