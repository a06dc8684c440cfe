import Metering
import Records
import Timekeeping

/// A frame that waits for its place on disk.
struct ClosedFrame: Sendable {
    var header: FrameHeader
    var dictionary: [UInt8]
    var records: [UInt8]
    /// The frame stands for records that were given up: up to here.
    var gapEnd: UInt64?
    /// Nothing in it may be given up: a gap, or records other than readings.
    var isKept = false

    /// The first offset after what the frame holds or stands for.
    var endOffset: UInt64 { gapEnd ?? header.endOffset }
    /// Bytes of memory, with what a frame costs besides its bytes.
    var memory: Int { length + 192 }
    var length: Int { FrameHeader.size + dictionary.count + records.count }
}

/// Records that are not on disk yet: the open frame as records, the frames before it encoded.
///
/// The open frame is encoded when it is closed because its readings store times relative to the closing instant.
struct PendingFrames: Sendable {
    let options: LogOptions
    let limits: FrameLimits
    var epoch: UInt64
    /// The offset that the next record gets.
    private(set) var nextOffset: UInt64
    /// Wall time of the last frame; log time never falls below it.
    private(set) var lastWall: Timestamp
    var closed: [ClosedFrame] = []
    private(set) var open: [Record] = []
    private var openFirst: UInt64
    private var openCost = 0
    private var openMemory = 0
    var closedMemory = 0
    /// Series that no frame declares yet.
    private var undeclared: [(SeriesNumber, SeriesKey)] = []

    init(options: LogOptions, epoch: UInt64, nextOffset: UInt64, lastWall: Timestamp) {
        self.options = options
        self.limits = FrameLimits(segmentSize: options.segmentSize)
        self.epoch = epoch
        self.nextOffset = nextOffset
        self.openFirst = nextOffset
        self.lastWall = lastWall
    }

    /// Bytes of memory taken.
    var memory: Int { openMemory + closedMemory }
    var isEmpty: Bool { open.isEmpty && closed.isEmpty && undeclared.isEmpty }

    mutating func declare(_ number: SeriesNumber, _ key: SeriesKey) {
        undeclared.append((number, key))
    }

    /// Goes on in another epoch at an offset that is not lower; only while nothing is pending.
    mutating func startEpoch(_ epoch: UInt64, at offset: UInt64) {
        precondition(open.isEmpty && closed.isEmpty && offset >= nextOffset)
        self.epoch = epoch
        nextOffset = offset
        openFirst = offset
    }

    /// Adds a record that the limits allow, whose cost the caller knows.
    mutating func append(_ record: Record, cost: Int, now: () -> ClockReading) {
        if openCost + cost > limits.target, !open.isEmpty { close(now()) }
        open.append(record)
        openCost += cost
        openMemory += PendingFrames.memory(of: record, cost: cost)
        nextOffset += 1
    }

    /// Bytes that a record takes before its frame is closed.
    static func memory(of record: Record, cost: Int) -> Int {
        if case .readings(let readings) = record { return readings.count * MemoryLayout<Reading>.stride + 64 }
        return cost + 256
    }

    /// Closes the open frame if it holds anything; with `heartbeat` also an empty one.
    mutating func close(_ now: ClockReading, heartbeat: Bool = false) {
        while undeclared.count > limits.declarations { closeFrame(now, withRecords: false) }
        if !open.isEmpty || !undeclared.isEmpty || heartbeat { closeFrame(now, withRecords: true) }
    }

    private mutating func closeFrame(_ now: ClockReading, withRecords: Bool) {
        let wall = max(now.wall, lastWall)
        lastWall = wall
        var dictionary = ByteWriter()
        let declared = min(undeclared.count, limits.declarations)
        for (number, key) in undeclared[..<declared] { dictionary.seriesEntry(number, key) }
        // Most are declared once, at the first start, and their memory is not needed again.
        undeclared = Array(undeclared.dropFirst(declared))
        var records = ByteWriter(capacity: withRecords ? openCost : 0)
        var count: UInt32 = 0
        let first = openFirst
        if withRecords {
            for record in open { records.record(record, wall: wall) }
            count = UInt32(open.count)
            open = []
            openFirst = nextOffset
            openCost = 0
            openMemory = 0
        }
        let header = FrameHeader(
            topic: options.topic, count: count, epoch: epoch, firstOffset: first, gateway: options.gateway,
            boot: options.boot, wall: wall, monotonic: now.monotonic, partition: options.partition)
        let frame = ClosedFrame(header: header, dictionary: dictionary.bytes, records: records.bytes)
        closedMemory += frame.memory
        closed.append(frame)
    }

    /// Forgets the first `count` closed frames: they are durable.
    mutating func removeFirst(_ count: Int) {
        for frame in closed[..<count] { closedMemory -= frame.memory }
        closed.removeFirst(count)
    }
}
