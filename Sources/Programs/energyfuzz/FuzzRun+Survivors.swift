import Disk
import History
import Metering
import ReadingLog
import Records
import Simulation
import Timekeeping

/// What History must answer after a disk has rotted or lied: what was appended, and nothing else; each instant once;
/// and as long as no file of History's own was hit, all that the log still has and all that had been put into files.
///
/// Values rise with each reading, so of two for one instant the higher came later.
struct Survivors {
    /// All values that were ever appended, by series and time.
    private(set) var appended: [[Int64: Set<Int64>]]
    /// What the log has, by series and time.
    private(set) var logged: [[Int64: Int64]]
    /// What files had answered for when the head was empty.
    private(set) var sealed: [[Int64: Int64]]
    /// Files of raw values before the last crash.
    private var names: [String] = []
    /// A file of History's was lost, or holds something else than what was written into it.
    private(set) var isHistoryHit = false

    init(series: Int) {
        appended = Array(repeating: [:], count: series)
        logged = appended.map { _ in [:] }
        sealed = logged
    }

    mutating func append(_ records: [Record], _ series: (SeriesNumber) -> Int?) {
        forEachReading(records) { reading in
            guard let i = series(reading.series) else { return }
            appended[i][reading.time.milliseconds, default: []].insert(reading.value)
        }
    }

    /// What the log was found to have; a series that it does not know any more has nothing in it.
    mutating func settle(_ records: [Record], _ series: (SeriesNumber) -> Int?) {
        logged = appended.map { _ in [:] }
        forEachReading(records) { reading in
            if let i = series(reading.series) { logged[i][reading.time.milliseconds] = reading.value }
        }
    }

    /// Where a value belongs: series and time.
    func places(of value: Int64) -> [String] {
        appended.indices.flatMap { i in
            appended[i].filter { $0.value.contains(value) }.map { "series \(i) \($0.key)" }
        }
    }

    mutating func seal(_ i: Int, _ time: Int64, _ value: Int64) { sealed[i][time] = value }

    mutating func noteHit() { isHistoryHit = true }

    mutating func noteFiles(_ names: [String]) { self.names = names }

    /// After a crash: every file from before is there, or one that was made of it.
    mutating func noteOpening(_ found: [String], isDamaged: Bool) {
        let ranges = found.compactMap(Survivors.sequences)
        let isMissing = names.compactMap(Survivors.sequences).contains { before in
            !ranges.contains { $0.lowerBound <= before.lowerBound && $0.upperBound >= before.upperBound }
        }
        if isMissing || isDamaged { isHistoryHit = true }
    }

    /// `…-first.last.blk`
    private static func sequences(_ name: String) -> ClosedRange<UInt64>? {
        guard name.hasSuffix(".blk"), let dash = name.lastIndex(of: "-") else { return nil }
        let numbers = name[name.index(after: dash)...].split(separator: ".").dropLast().compactMap { UInt64($0) }
        guard numbers.count == 2, numbers[0] <= numbers[1] else { return nil }
        return numbers[0]...numbers[1]
    }

    private func forEachReading(_ records: [Record], _ body: (Reading) -> Void) {
        for record in records {
            if case .readings(let readings) = record { readings.forEach(body) }
        }
    }
}

extension FuzzRun {
    private static let raw = "/data/history/raw"

    private func index(_ log: ReadingLog, _ number: SeriesNumber) -> Int? {
        log.key(for: number).map { Int($0.device.low) }
    }

    func noteAppended(_ records: [Record], _ log: ReadingLog) {
        if mood.spoils { survivors.append(records, { index(log, $0) }) }
    }

    /// Before a crash: now and then all that came is put into files, and what they answer is kept.
    func noteSurvivors(_ session: Session) {
        guard mood.spoils else { return }
        disk.fail(nil)
        disk.misbehave(nil)
        if random.chance(200) {
            flush(session)
            do {
                try session.history.follow()
                try session.history.seal()
                for i in 0..<FuzzRun.seriesCount where session.history.statistics.headPoints == 0 {
                    try answers(session, i) { survivors.seal(i, $0.time.milliseconds, $0.value) }
                }
                note("history put all into files")
            } catch {
                note("history put not all into files: \(error)")
            }
        }
        survivors.noteFiles((try? disk.list(FuzzRun.raw)) ?? [])
    }

    private func answers(_ session: Session, _ i: Int, _ body: (HistoryPoint) throws -> Void) throws {
        let end = clock.now().wall + Span.day
        try session.history.range(FuzzRun.key(i), from: Timestamp(milliseconds: 0), to: end) { point in
            if canary == .silent, random.chance(2) { return }
            try body(point)
        }
    }

    func settleSurvivors(_ session: Session, _ found: [FactModel.Entry]) throws {
        guard mood.spoils else { return }
        let isDamaged = disk.damage.contains { $0.key.contains("/history/") && !$0.value.isEmpty }
        survivors.noteOpening(
            try disk.list(FuzzRun.raw), isDamaged: isDamaged || !session.history.statistics.setAside.isEmpty)
        survivors.settle(found.map(\.record), { index(session.log, $0) })
    }

    /// All of one series, and what its roll-ups make of it.
    func checkSurvivors(_ session: Session, series i: Int) throws {
        let name = "history of series \(i) on a \(mood.rawValue) disk"
        var answered: [Int64: Int64] = [:]
        var last = Int64.min
        try answers(session, i) { point in
            let time = point.time.milliseconds
            try require(time > last, "\(name) has \(time) after \(last)")
            try require(
                survivors.appended[i][time]?.contains(point.value) == true,
                "\(name) has \(point), which nobody appended")
            last = time
            answered[time] = point.value
        }
        let isHit = try isHit(session, name)
        for (time, value) in survivors.logged[i] where !isHit {
            let found = answered[time]
            try require(found ?? .min >= value, "\(name) has \(String(describing: found)) at \(time), the log \(value)")
        }
        for (time, value) in survivors.sealed[i] where !isHit {
            let found = answered[time]
            try require(found ?? .min >= value, "\(name) has \(String(describing: found)) at \(time), a file \(value)")
        }
        for step in [Span.minute, 15 * Span.minute] {
            try checkRollUps(session, i, step: step, answered.sorted { $0.key < $1.key })
        }
    }

    /// Of a disk that lied only the blocks themselves tell what it has lost of them.
    private func isHit(_ session: Session, _ name: String) throws -> Bool {
        if !session.history.damage.isEmpty, mood == .lying { survivors.noteHit() }
        let isHit = survivors.isHistoryHit
        try require(
            isHit || session.history.damage.isEmpty, "\(name) takes whole blocks for damaged: \(session.history.damage)"
        )
        return isHit
    }

    private func checkRollUps(
        _ session: Session, _ i: Int, step: Int64, _ answered: [(key: Int64, value: Int64)]
    ) throws {
        let name = "history of series \(i) on a \(mood.rawValue) disk"
        var buckets: [HistoryBucket] = []
        let end = Timestamp(milliseconds: (clock.now().wall.milliseconds + Span.day) / step * step)
        let from = Timestamp(milliseconds: 0)
        try session.history.downsample(FuzzRun.key(i), from: from, to: end, step: step) { buckets.append($0) }
        let isHit = try isHit(session, name)
        var rest = answered[...]
        for bucket in buckets {
            let (start, end) = (bucket.start.milliseconds, bucket.start.milliseconds + step)
            if isHit {
                // Raw values or their roll-up may be gone, each without the other; none is made up. For minutes that
                // are gone their quarter of an hour stands in.
                let end = max(end, start + 15 * Span.minute)
                for value in [bucket.min, bucket.max, bucket.last] {
                    let isKnown = survivors.appended[i].contains { time, values in
                        time >= start && time < end && values.contains(value)
                    }
                    try require(
                        isKnown,
                        "\(name): \(bucket) has \(value), which was appended at \(survivors.places(of: value))")
                }
                continue
            }
            let values = rest.prefix { $0.key < end }.map(\.value)
            rest = rest.dropFirst(values.count)
            try require(
                bucket.count == values.count && bucket.min == values.min() && bucket.max == values.max()
                    && bucket.last == values.last && bucket.sum == values.reduce(Int128(0)) { $0 + Int128($1) },
                "\(name): a step of \(step) ms has \(bucket), not what \(values) make")
        }
        try require(isHit || rest.isEmpty, "\(name): \(rest.count) values are in no step of \(step) ms")
    }
}
