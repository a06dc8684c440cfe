import Metering
import Records
import Timekeeping

/// What one partition of one topic is and may use.
public struct LogOptions: Hashable, Sendable {
    public var gateway: GatewayID
    /// This boot's identity, so that monotonic times in frames can be compared.
    public var boot: BootID
    public var topic: Topic
    public var partition: UInt32
    /// Bytes of one segment file: a multiple of 4 KiB from 64 KiB to 256 MiB.
    public var segmentSize: Int
    /// Bytes of all segment files together: at least three segments.
    public var budget: Int64
    /// Bytes of memory for records that are not durable yet; beyond it `append` flushes by itself.
    public var memoryCeiling: Int

    public init(
        gateway: GatewayID, boot: BootID, topic: Topic = .facts, partition: UInt32 = 0, segmentSize: Int = 4 << 20,
        budget: Int64 = 1 << 30, memoryCeiling: Int = 4 << 20
    ) {
        self.gateway = gateway
        self.boot = boot
        self.topic = topic
        self.partition = partition
        self.segmentSize = segmentSize
        self.budget = budget
        self.memoryCeiling = memoryCeiling
    }

    /// Segment files that the budget allows.
    var maximumSegments: Int { Int(clamping: budget / Int64(segmentSize)) }

    /// Whether a segment may have so many bytes.
    static func isSegmentSize(_ bytes: Int) -> Bool {
        bytes % SegmentHeader.pageSize == 0 && (64 << 10)...(256 << 20) ~= bytes
    }

    func check() throws(LogError) {
        guard LogOptions.isSegmentSize(segmentSize) else {
            throw LogError(
                topic, .badOption("a segment of \(segmentSize) bytes is not 64 KiB to 256 MiB in 4 KiB steps"))
        }
        guard budget >= 3 * Int64(segmentSize) else {
            throw LogError(
                topic, .badOption("a budget of \(budget) bytes is less than three segments of \(segmentSize)"))
        }
        guard memoryCeiling >= 64 << 10 else {
            throw LogError(topic, .badOption("a memory ceiling of \(memoryCeiling) bytes is less than 64 KiB"))
        }
    }
}

/// How large the parts of a frame may be, so that every frame and every segment's dictionary fit in a segment.
struct FrameLimits: Hashable, Sendable {
    /// A frame is closed before its estimated content exceeds this.
    let target: Int
    /// Readings that one record may hold; longer runs become several records.
    let readings: Int
    /// Bytes of one encoded record of another kind.
    let record: Int
    /// Series that one frame declares.
    let declarations: Int
    /// Bytes of all declarations together: they are repeated at the start of every segment.
    let dictionary: Int

    /// Bytes that one reading usually takes; four times as many are possible and still fit.
    static let readingCost = 16
    /// Bytes of the longest declaration: number, device, quantity, channel.
    static let declarationCost = 5 + 16 + 3 + 1 + Channel.maximumLength

    init(segmentSize: Int) {
        target = min(64 << 10, segmentSize / 8)
        readings = target / FrameLimits.readingCost
        record = min(256 << 10, segmentSize / 8)
        declarations = target / FrameLimits.declarationCost
        // With its last page filled up it takes a quarter of a segment.
        dictionary = segmentSize / 4 - SegmentHeader.pageSize
    }
}
