import Metering
import ReadingLog
import Records
import Timekeeping

/// What History keeps in memory, under its `state` lock.
struct HistoryState: ~Copyable, Sendable {
    /// What files have of one series.
    struct Series: Sendable {
        /// Of the newest value that a file has or had; `.min` without one.
        private var sealedTime = Int64.min
        private var sealedValue: Int64 = 0
        /// The newest time that a file has, ms.
        private(set) var sealedThrough = Int64.min
        private var packed = PackedBuckets()

        /// The newest value that a file has or had.
        var sealed: HistoryPoint? {
            get {
                sealedTime == .min
                    ? nil : HistoryPoint(time: Timestamp(milliseconds: sealedTime), value: sealedValue)
            }
            set { (sealedTime, sealedValue) = newValue.map { ($0.time.milliseconds, $0.value) } ?? (.min, 0) }
        }

        /// The newest value in files, at its time as files have it.
        var sealedNewest: HistoryPoint? {
            sealed.map { HistoryPoint(time: max($0.time, Timestamp(milliseconds: sealedThrough)), value: $0.value) }
        }

        /// The buckets that `sealedThrough` lies in, as far as they are in files; nil when they have to be read.
        var open: OpenBuckets? { packed.buckets(at: sealedThrough) }

        /// Files have values up to `time`, and of its buckets `open`.
        mutating func noteSealed(through time: Int64, open: OpenBuckets? = nil) {
            sealedThrough = max(sealedThrough, time)
            packed = PackedBuckets(open, at: sealedThrough)
        }
    }

    private(set) var keys = SeriesTable()
    /// By slot, which is the series' number in `keys`.
    private(set) var series: [Series] = []
    /// By slot, too.
    private(set) var heads = Heads()
    /// Slots by series number, -1 where not known yet: no hashing for each reading.
    private var slotsByNumber: [Int32] = []
    /// By tier, in the order of their sequence numbers.
    private(set) var files: [[BlockFile]] = HistoryTier.allCases.map { _ in [] }
    /// Files of raw values that a tier lacks: of version 1, or because the tier's own file was damaged.
    var lacking: [HistoryTier: [BlockFile]] = [:]
    /// Log time of the first frame since the head was sealed.
    private(set) var headSince: Timestamp?
    /// Log time.
    private(set) var wall = Timestamp(milliseconds: 0)
    var nextSequence: UInt64 = 1
    /// Of the first seal that failed since the last that did not: it and later ones may have left files.
    var unfinished: UInt64?
    var statistics = HistoryStatistics()
    /// The last places that queries found damaged.
    private(set) var damage: [BlockError] = []

    mutating func slot(_ key: SeriesKey) -> Int {
        if let known = keys.number(of: key) { return known }
        if series.count == series.capacity {
            // A quarter more: doubling would leave a third of this memory unused.
            series.reserveCapacity(series.count + max(16, series.count / 4))
        }
        series.append(Series())
        heads.addSeries()
        return keys.append(key)
    }

    /// The earliest value of a series that no file has yet.
    func headFirst(of key: SeriesKey) -> Timestamp? {
        keys.number(of: key).flatMap { heads.first($0) }.map { Timestamp(milliseconds: $0) }
    }

    /// The values of a series that no file has yet, if there are any before `end`; nil where there is no such series.
    func headPoints(of key: SeriesKey, before end: Timestamp) -> HeadPoints? {
        guard let slot = keys.number(of: key) else { return nil }
        guard let first = heads.first(slot), first < end.milliseconds else { return HeadPoints() }
        return heads.points(slot)
    }

    /// The newest value of a series by its time.
    func latest(_ slot: Int) -> HistoryPoint? {
        guard let newest = heads.latest(slot) else { return series[slot].sealed }
        if let sealed = series[slot].sealed, sealed.time.milliseconds > newest.time { return sealed }
        return HistoryPoint(time: Timestamp(milliseconds: newest.time), value: newest.value)
    }

    /// Every series that has a value, with the newest.
    func newestOfAll() -> [(key: SeriesKey, point: HistoryPoint)] {
        series.indices.compactMap { slot in
            guard let key = keys[slot], let point = latest(slot) else { return nil }
            return (key, point)
        }
    }

    func latest(_ key: SeriesKey) -> HistoryPoint? { keys.number(of: key).flatMap { latest($0) } }

    /// A newest value that a file has.
    mutating func take(_ entry: BlockEntry) {
        let slot = slot(entry.key)
        series[slot].noteSealed(through: entry.last.milliseconds)
        if let known = series[slot].sealed, known.time > entry.last { return }
        series[slot].sealed = HistoryPoint(time: entry.last, value: entry.lastValue)
    }

    mutating func take(_ frame: LogFrame, names: (SeriesNumber) -> SeriesKey?) throws {
        advance(to: frame.wall)
        try frame.readings { take($0, names: names) }
    }

    mutating func advance(to wall: Timestamp) {
        self.wall = max(self.wall, wall)
        if headSince == nil { headSince = wall }
    }

    private static let latestTime = Timestamp.validRange.upperBound.milliseconds

    private mutating func take(_ readings: UnsafeBufferPointer<Reading>, names: (SeriesNumber) -> SeriesKey?) {
        var next = takeUsual(readings, from: 0)
        while next < readings.count {
            take(readings[next], names: names)
            next = takeUsual(readings, from: next + 1)
        }
    }

    /// Takes readings over up to the first that needs a closer look, and returns where that is.
    private mutating func takeUsual(_ readings: UnsafeBufferPointer<Reading>, from start: Int) -> Int {
        let latest = HistoryState.latestTime
        let slots = slotsByNumber
        var i = start
        while i < readings.count {
            let reading = readings[i]
            let number = Int(reading.series.value)
            // Compared as integers and bits: timestamps and flags go through witnesses, which is slow.
            let time = reading.time.milliseconds
            guard number < slots.count, time >= 0, time <= latest,
                reading.flags.rawValue & ReadingFlags.retained.rawValue == 0
            else { break }
            let slot = Int(slots[number])
            if slot < 0 { break }
            heads.append(slot, time, reading.value)
            i += 1
        }
        return i
    }

    private mutating func take(_ reading: Reading, names: (SeriesNumber) -> SeriesKey?) {
        let time = reading.time.milliseconds
        guard time >= 0, time <= HistoryState.latestTime, let slot = slot(reading.series, names: names) else {
            statistics.skippedReadings += 1
            return
        }
        if reading.flags.contains(.retained) {
            // True when it was published, nobody knows when: the last known value, and no point in time.
            if latest(slot) == nil { series[slot].sealed = HistoryPoint(time: reading.time, value: reading.value) }
            return
        }
        heads.append(slot, time, reading.value)
    }

    private mutating func slot(_ number: SeriesNumber, names: (SeriesNumber) -> SeriesKey?) -> Int? {
        let i = Int(number.value)
        if i < slotsByNumber.count, slotsByNumber[i] >= 0 { return Int(slotsByNumber[i]) }
        return newSlot(number, names: names)
    }

    private mutating func newSlot(_ number: SeriesNumber, names: (SeriesNumber) -> SeriesKey?) -> Int? {
        let i = Int(number.value)
        guard i < 1 << 20, let key = names(number) else { return nil }
        let slot = slot(key)
        if i >= slotsByNumber.count {
            slotsByNumber.append(contentsOf: repeatElement(-1, count: i + 1 - slotsByNumber.count))
        }
        slotsByNumber[i] = Int32(slot)
        return slot
    }

    /// Log time has passed a multiple of the sealing interval since the head began, or it takes more than its share of
    /// memory.
    func isDue(_ options: HistoryOptions) -> Bool {
        guard heads.count > 0, let headSince else { return false }
        if heads.byteCount >= max(HistoryOptions.leastHeadShare, options.headShare * series.count) { return true }
        return wall.milliseconds / options.sealAfter > headSince.milliseconds / options.sealAfter
    }

    func isFull(_ options: HistoryOptions) -> Bool { heads.byteCount >= options.headCeiling }

    mutating func noteDamage(_ errors: [BlockError]) {
        statistics.damagedBlocks += errors.count
        damage = Array((damage + errors).suffix(32))
    }
}

// Files.
extension HistoryState {
    mutating func add(_ file: BlockFile) {
        files[file.tier.rawValue].append(file)
        files[file.tier.rawValue].sort { $0.footer.sequence < $1.footer.sequence }
        nextSequence = max(nextSequence, file.footer.sequence + 1)
    }

    mutating func remove(_ gone: [BlockFile]) {
        for file in gone { files[file.tier.rawValue].removeAll { $0 === file } }
    }

    /// The head is in `files` now; `sealed` is what changed of each series that had values.
    mutating func noteSealed(_ files: [BlockFile], _ sealed: [(slot: Int, through: Int64, open: OpenBuckets?)]) {
        for one in sealed {
            series[one.slot].sealed = latest(one.slot)
            series[one.slot].noteSealed(through: one.through, open: one.open)
        }
        heads.removeAll()
        headSince = nil
        for file in files { add(file) }
        statistics.sealedFiles += 1
        statistics.writtenBytes += files.reduce(0) { $0 + $1.size }
    }
}
