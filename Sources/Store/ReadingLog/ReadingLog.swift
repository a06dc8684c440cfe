import Disk
import Metering
import Records
import Synchronization
import Timekeeping

/// A log in files: a ring of segments in one directory. Format: `SegmentFormat.md`.
///
/// Two locks, always taken in this order: `writer` (held while a flush is on its way to the disk) and `state` (held
/// for memory only). So `append`, `durable` and lookups never wait for the disk, except where `append` must flush.
public final class ReadingLog: Log {
    /// What opening found.
    public let report: RecoveryReport
    public let options: LogOptions
    let directory: String
    let fileSystem: any FileSystem
    private let clock: any Clock
    private let writer: Mutex<SegmentWriter>
    private let state: Mutex<LogState>

    /// Opens or begins the log in `directory/<topic>/<partition>`. Fails only where not even reading is possible:
    /// damage and a full disk are no reasons, they are in `report`. `generator` is asked for a new epoch's id.
    public init(
        directory: String, fileSystem: any FileSystem, clock: any Clock, options: LogOptions,
        using generator: inout some RandomNumberGenerator
    ) throws(LogError) {
        try options.check()
        let place = "\(directory)/\(options.topic.name)/\(options.partition)"
        let wall = UInt64(clamping: clock.now().wall.milliseconds)
        let newEpoch = (wall & 0xFFFF_FFFF_FFFF) << 16 | UInt64(truncatingIfNeeded: generator.next() & 0xFFFF as UInt64)
        var recovery = Recovery(directory: place, fileSystem: fileSystem, options: options)
        var log: RecoveredLog
        do throws(DiskError) {
            log = try recovery.run(newEpoch: newEpoch)
        } catch {
            throw LogError(options.topic, .disk(error))
        }
        var writer = SegmentWriter(
            directory: place, fileSystem: fileSystem, options: options, nextNumber: log.nextNumber,
            hasPrepared: log.hasPrepared)
        if let last = log.segments.last, let position = log.position, log.report.newerFormat == nil {
            do throws(DiskError) {
                let file = try fileSystem.open(place + "/" + SegmentFile.name(last.number), .update)
                writer.resume(last, file: file, at: position, isBegun: log.isBegun)
            } catch {
                log.report.diskErrors.append(error)
            }
        }
        self.options = options
        self.directory = place
        self.fileSystem = fileSystem
        self.clock = clock
        report = log.report
        self.writer = Mutex(writer)
        state = Mutex(LogState(options: options, log: log))
    }

    public var durable: Cursor { state.withLock { $0.durable } }
    public var end: Cursor { state.withLock { $0.end } }
    /// Counters since the log was opened.
    public var statistics: LogStatistics {
        state.withLock { state in
            var statistics = state.statistics
            statistics.waitingBytes = state.pending.memory
            return statistics
        }
    }
    public var trouble: LogError? { state.withLock { $0.failure } }
    /// The first record that the ring still has.
    public var oldest: Cursor { state.withLock { $0.oldest } }
    /// Every series that has a number.
    public var dictionary: SeriesDictionary { state.withLock { $0.dictionary } }

    public func number(for key: SeriesKey) throws(LogError) -> SeriesNumber {
        try state.withLock { (state) throws(LogError) in try state.number(for: key) }
    }

    public func key(for number: SeriesNumber) -> SeriesKey? {
        state.withLock { $0.dictionary[number] }
    }

    @discardableResult
    public func append(_ records: [Record]) throws(LogError) -> Cursor {
        do throws(LogError) {
            if let first = try tryAppend(records) { return first }
            if trouble == nil {
                try? flush()  // what fails is in `trouble`, and the next flush tries again
                if let first = try tryAppend(records) { return first }
            }
            // No flush is on its way while frames are given up.
            try writer.withLock { (_) throws(LogError) in
                try state.withLock { (state) throws(LogError) in try state.dropOldest(for: records, now: clock.now) }
            }
            if let first = try tryAppend(records) { return first }
            throw LogError(options.topic, .memoryFull(bytes: state.withLock { $0.pending.memory }))
        } catch {
            state.withLock { $0.statistics.refusedRecords += records.count }
            throw error
        }
    }

    /// Nil when there is no room before a flush.
    private func tryAppend(_ records: [Record]) throws(LogError) -> Cursor? {
        try state.withLock { (state) throws(LogError) in
            try state.append(records, now: clock.now)
        }
    }

    /// Writes what is pending in whole pages and syncs them; `heartbeat`: an empty frame if nothing is.
    public func flush(heartbeat: Bool = false) throws(LogError) {
        var written = false
        defer { if written { notifyListeners() } }
        try writer.withLock { (writer) throws(LogError) in
            let now = clock.now()
            state.withLock { $0.close(now, heartbeat: heartbeat) }
            do throws(LogError) {
                while try writeOnce(&writer, now) { written = true }
            } catch {
                state.withLock { $0.noteFailure(error) }
                throw error
            }
        }
    }

    /// Makes durable as many closed frames as fit in one segment; false when there is none.
    private func writeOnce(_ writer: inout SegmentWriter, _ now: ClockReading) throws(LogError) -> Bool {
        let frames = state.withLock { $0.pending.closed }
        guard let first = frames.first else { return false }
        // After a failure another file system may lie where ours was.
        if trouble != nil { try checkPlace() }
        if let version = report.newerFormat { throw LogError(options.topic, .newerFormat(version: version)) }
        if state.withLock({ $0.takeMustLeaveSegment() }) { writer.leaveSegment() }
        if writer.needsSegment(for: first.length) { try rotate(&writer, first.header.firstOffset, now) }
        do throws(DiskError) {
            let written = try writer.write(frames)
            state.withLock { $0.noteWritten(written, frames: frames) }
        } catch {
            throw LogError(options.topic, .disk(error))
        }
        return true
    }

    /// Begins the next segment: in a new file while the budget and the disk allow, else in the oldest one's.
    private func rotate(_ writer: inout SegmentWriter, _ first: UInt64, _ now: ClockReading) throws(LogError) {
        try checkPlace()
        let prepared = writer.hasPrepared ? 1 : 0
        while state.withLock({ $0.segments.count }) + prepared >= options.maximumSegments + prepared {
            try recycleOldest(&writer)
        }
        do throws(DiskError) {
            try begin(&writer, first, now)
        } catch {
            // The disk is full although the budget is not: what the log has must do.
            guard error.isFull, !writer.hasPrepared, state.withLock({ $0.segments.count }) > 1 else {
                throw LogError(options.topic, .disk(error))
            }
            try recycleOldest(&writer)
            do throws(DiskError) {
                try begin(&writer, first, now)
            } catch {
                throw LogError(options.topic, .disk(error))
            }
        }
    }

    private func begin(_ writer: inout SegmentWriter, _ first: UInt64, _ now: ClockReading) throws(DiskError) {
        let (frame, dictionary, lastWall) = state.withLock {
            ($0.pending.closed.first?.header, $0.dictionary, $0.pending.lastWall)
        }
        let segment = try writer.begin(
            epoch: frame?.epoch ?? 0, firstOffset: first, created: now, wall: frame?.wall ?? lastWall,
            dictionary: dictionary)
        state.withLock { $0.begin(segment.info, end: segment.end) }
    }

    private func recycleOldest(_ writer: inout SegmentWriter) throws(LogError) {
        let (oldest, holder) = state.withLock { state in
            let end = state.segments.count > 1 ? state.segments[1].firstOffset : state.durable.offset
            return (state.segments.first, state.holder(below: end))
        }
        guard let oldest else { return }
        if let holder { throw LogError(options.topic, .ringHeld(consumer: holder)) }
        do throws(DiskError) {
            try writer.recycle(oldest)
        } catch {
            // One that is gone already is given up already.
            guard error.isMissing else { throw LogError(options.topic, .disk(error)) }
        }
        state.withLock {
            $0.segments.removeFirst()
            $0.statistics.recycledSegments += 1
        }
    }

    public func reader(from cursor: Cursor) -> any LogReader {
        SegmentReader(log: self, from: cursor)
    }

    public func hold(_ consumer: String, at cursor: Cursor) {
        state.withLock {
            $0.noteConsumer(at: cursor)
            $0.holds[consumer] = cursor
        }
    }

    /// The ring may overwrite what `consumer` has not read.
    public func release(_ consumer: String) {
        state.withLock { _ = $0.holds.removeValue(forKey: consumer) }
    }

    /// What each named consumer still needs.
    public var holds: [String: Cursor] { state.withLock { $0.holds } }

    public func notify(_ body: @escaping @Sendable () -> Void) -> NotificationID {
        state.withLock { $0.addListener(body) }
    }

    public func stopNotifying(_ id: NotificationID) {
        state.withLock { _ = $0.listeners.removeValue(forKey: id.value) }
    }

    private func notifyListeners() {
        for listener in state.withLock({ Array($0.listeners.values) }) { listener() }
    }

    /// Frames of what is not durable.
    var waitingFrames: [ClosedFrame] {
        let now = clock.now()
        return writer.withLock { _ in
            state.withLock { state in
                state.close(now, heartbeat: false)
                return state.pending.closed
            }
        }
    }

    var view: LogView { state.withLock { $0.view } }

    func position(of offset: UInt64, in segment: SegmentInfo) -> Int {
        state.withLock { $0.position(of: offset, in: segment) }
    }

    func noteDamagedGap() { state.withLock { $0.statistics.damagedGaps += 1 } }
}
