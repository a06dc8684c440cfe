import Metering
import Records
import Timekeeping

/// What the log keeps in memory, under its `state` lock.
struct LogState: Sendable {
    let options: LogOptions
    let isReadOnly: UInt16?
    var segments: [SegmentInfo]
    var pending: PendingFrames
    var dictionary: SeriesDictionary
    private var dictionaryBytes = 0
    /// The active segment's durable frames and where the last of them ends.
    private(set) var index: [FramePlace]
    private(set) var durablePosition: Int
    private(set) var durable: Cursor
    /// The oldest cursor that each named consumer still needs.
    var holds: [String: Cursor] = [:]
    var listeners: [UInt64: @Sendable () -> Void] = [:]
    var nextListener: UInt64 = 0
    var statistics = LogStatistics()
    /// Why the last flush failed; while set, `append` does not flush by itself.
    private(set) var failure: LogError?
    private let newEpoch: UInt64
    /// Nothing was appended since the log was opened.
    private var isUntouched = true
    /// The epoch was exchanged after opening, so the active segment must be left.
    private var mustLeaveSegment = false

    init(options: LogOptions, log: RecoveredLog) {
        self.options = options
        isReadOnly = log.report.newerFormat
        segments = log.segments
        pending = PendingFrames(
            options: options, epoch: log.epoch, nextOffset: log.nextOffset, lastWall: log.lastWall)
        newEpoch = log.newEpoch
        dictionary = log.dictionary
        dictionaryBytes = log.dictionary.count * FrameLimits.declarationCost
        index = log.index
        durablePosition = log.position ?? log.segments.last?.size ?? 0
        durable = Cursor(epoch: log.epoch, offset: log.nextOffset)
    }

    var end: Cursor { Cursor(epoch: pending.epoch, offset: pending.nextOffset) }

    var oldest: Cursor {
        segments.first.map { Cursor(epoch: $0.epoch, offset: $0.firstOffset) } ?? durable
    }

    mutating func number(for key: SeriesKey) throws(LogError) -> SeriesNumber {
        if let known = dictionary[key] { return known }
        try checkWritable()
        let limit = min(SeriesDictionary.maximumCount, pending.limits.dictionary / FrameLimits.declarationCost)
        guard dictionary.count < limit, let number = dictionary.number(for: key) else {
            throw LogError(options.topic, .tooManySeries(limit: limit))
        }
        pending.declare(number, key)
        return number
    }

    /// Nil when the memory ceiling would be exceeded: a flush may help, or giving up what is oldest.
    mutating func append(_ records: [Record], now: () -> ClockReading) throws(LogError) -> Cursor? {
        try checkWritable()
        var costs: [Int] = []
        costs.reserveCapacity(records.count)
        var memory = 0
        for record in records {
            let cost = try self.cost(record)
            costs.append(cost)
            memory += PendingFrames.memory(of: record, cost: cost)
        }
        if pending.memory + memory > options.memoryCeiling, !pending.isEmpty { return nil }
        isUntouched = false
        let first = end
        for (record, cost) in zip(records, costs) {
            if case .readings(let readings) = record, readings.count > pending.limits.readings {
                appendPieces(readings, now: now)
            } else {
                pending.append(record, cost: cost, now: now)
            }
        }
        statistics.appendedRecords += Int(pending.nextOffset - first.offset)
        return first
    }

    private mutating func appendPieces(_ readings: [Reading], now: () -> ClockReading) {
        var i = 0
        while i < readings.count {
            let piece = Array(readings[i..<min(readings.count, i + pending.limits.readings)])
            pending.append(.readings(piece), cost: piece.count * FrameLimits.readingCost, now: now)
            i += piece.count
        }
    }

    /// Estimated bytes of `record` in a frame, exact for all but readings.
    private func cost(_ record: Record) throws(LogError) -> Int {
        if case .readings(let readings) = record {
            // As an integer: a comparison of series numbers goes through a witness here.
            let known = dictionary.nextNumber.value
            for reading in readings where reading.series.value >= known {
                throw LogError(options.topic, .unknownSeries(reading.series.value))
            }
            return FrameLimits.readingCost * max(1, readings.count)
        }
        var writer = ByteWriter()
        writer.record(record, wall: Timestamp(milliseconds: 0))
        guard writer.bytes.count <= pending.limits.record else {
            throw LogError(
                options.topic, .recordTooLarge(bytes: writer.bytes.count, limit: pending.limits.record))
        }
        return writer.bytes.count
    }

    private func checkWritable() throws(LogError) {
        if let isReadOnly { throw LogError(options.topic, .newerFormat(version: isReadOnly)) }
    }

    mutating func close(_ now: ClockReading, heartbeat: Bool) {
        // A heartbeat says nothing that a frame which waits does not say too.
        pending.close(now, heartbeat: heartbeat && pending.closed.isEmpty && isReadOnly == nil)
    }

    /// A segment was begun; what declares its series ends at `end`.
    mutating func begin(_ segment: SegmentInfo, end: Int) {
        segments.append(segment)
        index = []
        durablePosition = end
        statistics.writtenBytes += Int64(end)
    }

    mutating func noteWritten(_ written: SegmentWriter.Written, frames: [ClosedFrame]) {
        for (frame, position) in zip(frames, written.positions) {
            index.append(FramePlace(firstOffset: frame.header.firstOffset, position: position))
        }
        guard let last = frames.prefix(written.frames).last else { return }
        durable = Cursor(epoch: last.header.epoch, offset: last.endOffset)
        durablePosition = written.end
        pending.removeFirst(written.frames)
        failure = nil
        statistics.flushes += 1
        statistics.flushedFrames += written.frames
        statistics.writtenBytes += Int64(written.bytes)
    }

    mutating func noteFailure(_ error: LogError) {
        failure = error
        statistics.failedFlushes += 1
    }

    /// Makes room for `records` by giving up the oldest readings that wait for the disk.
    mutating func dropOldest(for records: [Record], now: () -> ClockReading) throws(LogError) {
        var memory = 0
        for record in records { memory += PendingFrames.memory(of: record, cost: try cost(record)) }
        let dropped = pending.dropOldest(to: max(0, options.memoryCeiling - memory), now: now)
        statistics.droppedRecords += dropped.records
        statistics.droppedReadings += dropped.readings
    }

    /// The consumer that still needs records below `offset`; the first by name where several do.
    func holder(below offset: UInt64) -> String? {
        holds.filter { $0.value.offset < offset }.keys.min()
    }

    /// A consumer knows more than the log has: what it knows from beyond the end was lost, so offsets up to there are
    /// used and what follows is another epoch. Only before the first append; later a cursor cannot be ahead.
    mutating func noteConsumer(at cursor: Cursor) {
        guard cursor.offset > pending.nextOffset, cursor.offset < 1 << 62,
            cursor.epoch <= SegmentHeader.maximumEpoch, isUntouched, pending.closed.isEmpty,
            isReadOnly == nil
        else { return }
        // Not just the next number: after a second loss it would be given again to other records.
        pending.startEpoch(max(newEpoch, max(pending.epoch, cursor.epoch) + 1), at: cursor.offset)
        durable = end
        mustLeaveSegment = true
    }

    /// True once after the epoch was exchanged.
    mutating func takeMustLeaveSegment() -> Bool {
        defer { mustLeaveSegment = false }
        return mustLeaveSegment
    }

    mutating func addListener(_ body: @escaping @Sendable () -> Void) -> NotificationID {
        nextListener += 1
        listeners[nextListener] = body
        return NotificationID(value: nextListener)
    }

    var view: LogView {
        LogView(segments: segments, durable: durable, durablePosition: durablePosition)
    }

    /// Where to begin in the active segment to find `offset`: the frame before the first one that begins beyond it,
    /// empty frames at the same offset included.
    func position(of offset: UInt64, in segment: SegmentInfo) -> Int {
        // Rotated meanwhile: the index is another segment's.
        guard segment == segments.last else { return SegmentHeader.pageSize }
        var low = 0
        var high = index.count
        while low < high {
            let middle = (low + high) / 2
            if index[middle].firstOffset < offset { low = middle + 1 } else { high = middle }
        }
        return low == 0 ? SegmentHeader.pageSize : index[low - 1].position
    }
}

/// What a reader needs of the log's state, taken at one instant.
struct LogView: Sendable {
    let segments: [SegmentInfo]
    let durable: Cursor
    /// Of the last segment.
    let durablePosition: Int
}

/// Counts since the log was opened.
public struct LogStatistics: Hashable, Sendable {
    public var appendedRecords = 0
    /// Refused by `append`; the caller was told why.
    public var refusedRecords = 0
    /// Taken over and then given up, the oldest first, because neither disk nor memory had room; gaps tell where.
    public var droppedRecords = 0
    public var droppedReadings = 0
    /// Bytes of memory that wait for the disk now.
    public var waitingBytes = 0
    public var flushes = 0
    public var failedFlushes = 0
    public var flushedFrames = 0
    /// Bytes of frames, padding included; headers of segments are not counted.
    public var writtenBytes: Int64 = 0
    /// Segments whose records the ring has overwritten.
    public var recycledSegments = 0
    /// Gaps that readers met because of damage.
    public var damagedGaps = 0
}
