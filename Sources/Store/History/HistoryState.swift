import Metering
import ReadingLog
import Records
import Timekeeping

/// What History keeps in memory, under its `state` lock.
struct HistoryState: Sendable {
    /// One series: its key, its values without a file, its newest value.
    struct Series: Sendable {
        let key: SeriesKey
        var head = SeriesHead()
        var latest: HistoryPoint?

        /// Takes a value in; returns by how many the head grew.
        mutating func take(_ time: Timestamp, _ value: Int64) -> Int {
            let before = head.count
            head.append(time.milliseconds, value)
            let newest = latest?.time ?? time
            if newest <= time { latest = HistoryPoint(time: time, value: value) }
            return head.count - before
        }
    }

    private(set) var series: [Series] = []
    private var slots: [SeriesKey: Int] = [:]
    /// Slots by series number, -1 where not known yet: no hashing for each reading.
    private var slotsByNumber: [Int] = []
    /// In the order of their sequence numbers.
    var files: [BlockFile] = []
    var headPoints = 0
    /// Log time of the first frame since the head was sealed.
    private(set) var headSince: Timestamp?
    /// Log time.
    private(set) var wall = Timestamp(milliseconds: 0)
    var nextSequence: UInt64 = 1
    var statistics = HistoryStatistics()
    /// The last places that queries found damaged.
    private(set) var damage: [BlockError] = []

    mutating func slot(_ key: SeriesKey) -> Int {
        if let known = slots[key] { return known }
        let slot = series.count
        series.append(Series(key: key))
        slots[key] = slot
        return slot
    }

    func series(_ key: SeriesKey) -> Series? { slots[key].map { series[$0] } }

    /// A newest value that a file has.
    mutating func take(_ entry: BlockEntry) {
        let slot = slot(entry.key)
        if let known = series[slot].latest, known.time > entry.last { return }
        series[slot].latest = HistoryPoint(time: entry.last, value: entry.lastValue)
    }

    mutating func take(_ frame: LogFrame, names: (SeriesNumber) -> SeriesKey?) throws {
        advance(to: frame.wall)
        try frame.records { _, record in
            guard case .readings(let readings) = record else { return }
            for reading in readings { take(reading, names: names) }
        }
    }

    mutating func advance(to wall: Timestamp) {
        self.wall = max(self.wall, wall)
        if headSince == nil { headSince = wall }
    }

    private mutating func take(_ reading: Reading, names: (SeriesNumber) -> SeriesKey?) {
        guard Timestamp.validRange.contains(reading.time), let slot = slot(reading.series, names: names) else {
            statistics.skippedReadings += 1
            return
        }
        if reading.flags.contains(.retained) {
            // True when it was published, nobody knows when: the last known value, and no point in time.
            if series[slot].latest == nil {
                series[slot].latest = HistoryPoint(time: reading.time, value: reading.value)
            }
            return
        }
        // In place: a series that is copied out costs more than all the rest.
        headPoints += series[slot].take(reading.time, reading.value)
    }

    private mutating func slot(_ number: SeriesNumber, names: (SeriesNumber) -> SeriesKey?) -> Int? {
        let i = Int(number.value)
        if i < slotsByNumber.count, slotsByNumber[i] >= 0 { return slotsByNumber[i] }
        guard i < 1 << 20, let key = names(number) else { return nil }
        let slot = slot(key)
        if i >= slotsByNumber.count {
            slotsByNumber.append(contentsOf: repeatElement(-1, count: i + 1 - slotsByNumber.count))
        }
        slotsByNumber[i] = slot
        return slot
    }

    func isDue(_ options: HistoryOptions) -> Bool {
        guard headPoints > 0, let headSince else { return false }
        return wall - headSince >= options.sealAfter
    }

    func isFull(_ options: HistoryOptions) -> Bool {
        headPoints * SeriesHead.pointSize >= options.headCeiling
    }

    /// The head is in `file` now.
    mutating func noteSealed(_ file: BlockFile?) {
        for i in series.indices where series[i].head.count > 0 { series[i].head.removeAll() }
        headPoints = 0
        headSince = nil
        guard let file else { return }
        files.append(file)
        nextSequence = file.footer.sequence + 1
        statistics.sealedFiles += 1
    }

    /// The files that the ring gives up now, oldest values first; never the one with the cursor.
    func expired(_ options: HistoryOptions) -> [BlockFile] {
        let oldest = files.dropLast().sorted {
            ($0.footer.last, $0.footer.sequence) < ($1.footer.last, $1.footer.sequence)
        }
        var bytes = files.reduce(0) { $0 + $1.size }
        var expired: [BlockFile] = []
        for file in oldest where file.footer.last < wall - options.retention || bytes > options.budget {
            expired.append(file)
            bytes -= file.size
        }
        return expired
    }

    mutating func noteDamage(_ errors: [BlockError]) {
        statistics.damagedBlocks += errors.count
        damage = Array((damage + errors).suffix(32))
    }
}
