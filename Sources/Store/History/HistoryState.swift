import Metering
import ReadingLog
import Records
import Timekeeping

/// What History keeps in memory, under its `state` lock.
struct HistoryState: Sendable {
    /// One series but for its head.
    struct Series: Sendable {
        let key: SeriesKey
        /// The newest value that a file has or had.
        var sealed: HistoryPoint?
        /// The newest time that a file has, ms.
        var sealedThrough = Int64.min
        /// The buckets that `sealedThrough` lies in, as far as they are in files; nil when they have to be read.
        var open: OpenBuckets?

        /// The newest value in files, at its time as files have it.
        var sealedNewest: HistoryPoint? {
            sealed.map { HistoryPoint(time: max($0.time, Timestamp(milliseconds: sealedThrough)), value: $0.value) }
        }
    }

    private(set) var series: [Series] = []
    /// By slot; apart from the rest, which is not needed when a reading comes.
    private(set) var heads: [SeriesHead] = []
    private var slots: [SeriesKey: Int] = [:]
    /// Slots by series number, -1 where not known yet: no hashing for each reading.
    private var slotsByNumber: [Int32] = []
    /// By tier, in the order of their sequence numbers.
    private(set) var files: [[BlockFile]] = HistoryTier.allCases.map { _ in [] }
    /// Files of raw values that a tier lacks: of version 1, or because the tier's own file was damaged.
    var lacking: [HistoryTier: [BlockFile]] = [:]
    var headPoints = 0
    var headBytes = 0
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
        if let known = slots[key] { return known }
        let slot = series.count
        series.append(Series(key: key))
        heads.append(SeriesHead())
        slots[key] = slot
        return slot
    }

    func head(of key: SeriesKey) -> SeriesHead? { slots[key].map { heads[$0] } }

    /// The newest value of a series by its time.
    func latest(_ slot: Int) -> HistoryPoint? {
        guard let newest = heads[slot].latest else { return series[slot].sealed }
        if let sealed = series[slot].sealed, sealed.time.milliseconds > newest.time { return sealed }
        return HistoryPoint(time: Timestamp(milliseconds: newest.time), value: newest.value)
    }

    func latest(_ key: SeriesKey) -> HistoryPoint? { slots[key].flatMap(latest) }

    /// A newest value that a file has.
    mutating func take(_ entry: BlockEntry) {
        let slot = slot(entry.key)
        series[slot].sealedThrough = max(series[slot].sealedThrough, entry.last.milliseconds)
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

    @inline(__always)
    private mutating func take(_ reading: Reading, names: (SeriesNumber) -> SeriesKey?) {
        // Compared as integers: a range of timestamps compares through witnesses, which is slow.
        let time = reading.time.milliseconds
        guard time >= 0, time <= HistoryState.latestTime, let slot = slot(reading.series, names: names) else {
            statistics.skippedReadings += 1
            return
        }
        // As bits, for the same reason.
        if reading.flags.rawValue & ReadingFlags.retained.rawValue != 0 {
            // True when it was published, nobody knows when: the last known value, and no point in time.
            if latest(slot) == nil { series[slot].sealed = HistoryPoint(time: reading.time, value: reading.value) }
            return
        }
        // In place: a series that is copied out costs more than all the rest.
        headBytes += heads[slot].append(time, reading.value)
        headPoints += 1
    }

    @inline(__always)
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

    /// Log time has passed a multiple of the sealing interval since the head began.
    func isDue(_ options: HistoryOptions) -> Bool {
        guard headPoints > 0, let headSince else { return false }
        return wall.milliseconds / options.sealAfter > headSince.milliseconds / options.sealAfter
    }

    func isFull(_ options: HistoryOptions) -> Bool { headBytes >= options.headCeiling }

    mutating func noteDamage(_ errors: [BlockError]) {
        statistics.damagedBlocks += errors.count
        damage = Array((damage + errors).suffix(32))
    }
}

// Files.
extension HistoryState {
    func files(of tier: HistoryTier) -> [BlockFile] { files[tier.rawValue] }

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
            heads[one.slot].removeAll()
            series[one.slot].sealedThrough = max(series[one.slot].sealedThrough, one.through)
            series[one.slot].open = one.open
        }
        headPoints = 0
        headBytes = 0
        headSince = nil
        for file in files { add(file) }
        statistics.sealedFiles += 1
        statistics.writtenBytes += files.reduce(0) { $0 + $1.size }
    }

    /// The files that the ring of a tier gives up now, oldest values first; never the one with the cursor.
    func expired(_ tier: HistoryTier, _ options: HistoryOptions) -> [BlockFile] {
        let limit = options.limit(of: tier)
        let files = files(of: tier)
        let oldest = files.dropLast().sorted {
            ($0.footer.last, $0.footer.sequence) < ($1.footer.last, $1.footer.sequence)
        }
        var bytes = files.reduce(0) { $0 + $1.size }
        var expired: [BlockFile] = []
        for file in oldest where file.footer.last < wall - limit.retention || bytes > limit.budget {
            expired.append(file)
            bytes -= file.size
        }
        return expired
    }

    /// Neighbours that are to become one file: `mergeCount` of about one size whose span one file may have.
    func mergeable(_ tier: HistoryTier, _ options: HistoryOptions, except: Set<String>) -> [BlockFile]? {
        let files = files(of: tier)
        let count = options.mergeCount
        var start = 0
        while start + count <= files.count {
            let window = files[start..<start + count]
            start += 1
            guard let first = window.first, let last = window.last,
                last.footer.wall - first.footer.since <= tier.longestFile
            else { continue }
            let sizes = window.map { HistoryState.level($0, count) }
            if sizes.allSatisfy({ $0 == sizes[0] }), !window.contains(where: { except.contains($0.path) }) {
                return Array(window)
            }
        }
        return nil
    }

    /// How often a file has been merged, from the number of seals in it.
    private static func level(_ file: BlockFile, _ count: Int) -> Int {
        var seals = file.footer.sequence - file.footer.firstSequence + 1
        var level = 0
        while seals >= UInt64(count) {
            seals /= UInt64(count)
            level += 1
        }
        return level
    }

    /// From here on a tier has all that came: files before have been given up.
    func begin(of tier: HistoryTier) -> Timestamp {
        guard let oldest = files(of: tier).first else {
            let hasOthers = HistoryTier.allCases.contains { !files(of: $0).isEmpty }
            return Timestamp(milliseconds: hasOthers ? .max : .min)
        }
        let lowest = HistoryTier.allCases.compactMap { files(of: $0).first?.footer.firstSequence }.min()
        return oldest.footer.firstSequence == lowest ? Timestamp(milliseconds: .min) : oldest.footer.since
    }

    /// Raw values in this span are not in the roll-ups of the tier yet.
    func lacks(_ tier: HistoryTier, _ from: Timestamp, _ to: Timestamp) -> Bool {
        lacking[tier]?.contains { $0.footer.last >= from && $0.footer.first < to } ?? false
    }
}
