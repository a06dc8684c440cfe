/// All periods of a zone, from the beginning of time to its end: a table, and a rule that repeats every 400 years.
struct ZonePeriods: Sendable {
    /// A run of instants with one local time type: `start` to before `end`, in UTC seconds.
    struct Period {
        /// `Int64.min` for the first.
        let start: Int64
        /// `Int64.max` for the last.
        let end: Int64
        let type: LocalTimeType
    }

    /// The Gregorian calendar repeats, weekdays included, after this many seconds.
    private static let cycle: Int64 = 146_097 * 86_400

    private let initial: LocalTimeType
    private var starts: [Int64] = []
    private var types: [LocalTimeType] = []
    /// From here on the table holds one whole cycle of the rule; nil when the last period lasts for ever.
    private var cycleStart: Int64?
    /// Of a home that moved, what holds from when on; empty for a zone of the tz database. Two pieces may meet in one
    /// local time type, so that periods there are not maximal.
    private var pieces: [Piece] = []

    private struct Piece {
        let start: Int64
        let periods: ZonePeriods
    }

    init(always type: LocalTimeType) {
        initial = type
    }

    init(_ file: TZifFile) {
        initial = file.transitions.isEmpty ? file.rule?.standard ?? file.types[0] : file.types[0]
        for (time, type) in zip(file.transitions, file.typeOfTransition) { append(time, file.types[type]) }
        guard let rule = file.rule, rule.daylight != nil else { return }

        // With no table the rule is good for all years.
        let firstYear =
            file.transitions.last.map { CivilDate(daysSinceEpoch: floorDivide($0, 86_400)).year } ?? 1
        let tableEnd = file.transitions.last ?? .min
        let changes = (firstYear - 1...firstYear + 402).flatMap { rule.changes(year: $0) }
            .enumerated().filter { $0.element.at > tableEnd }
            .sorted { ($0.element.at, $0.offset) < ($1.element.at, $1.offset) }
        let fromRule = starts.count
        for (_, change) in changes { append(change.at, change.to) }
        if starts.count > fromRule + 1 { cycleStart = starts[fromRule] }
    }

    /// `first` until the first instant of `changes`, which rise, then what each of them names from its instant on.
    init(_ first: ZonePeriods, changes: [(at: Int64, to: ZonePeriods)]) {
        self = first
        pieces = [Piece(start: .min, periods: first)]
        for change in changes { pieces.append(Piece(start: change.at, periods: change.to)) }
    }

    /// Keeps periods maximal: a transition that changes nothing is left out, of two at one instant the later wins.
    private mutating func append(_ start: Int64, _ type: LocalTimeType) {
        if starts.last == start {
            starts.removeLast()
            types.removeLast()
        }
        guard types.last ?? initial != type else { return }
        starts.append(start)
        types.append(type)
    }

    /// The period that holds the instant `seconds`.
    func period(at seconds: Int64) -> Period {
        if let i = pieces.lastIndex(where: { $0.start <= seconds }) {
            let period = pieces[i].periods.period(at: seconds)
            let end = i + 1 < pieces.count ? pieces[i + 1].start : .max
            return Period(
                start: max(period.start, pieces[i].start), end: min(period.end, end), type: period.type)
        }
        guard let cycleStart, seconds >= cycleStart + ZonePeriods.cycle else { return tabled(seconds) }
        let shift = (seconds - cycleStart) / ZonePeriods.cycle * ZonePeriods.cycle
        let period = tabled(seconds - shift)
        let (end, overflow) = period.end.addingReportingOverflow(shift)
        return Period(start: period.start + shift, end: overflow ? .max : end, type: period.type)
    }

    private func tabled(_ seconds: Int64) -> Period {
        var low = 0
        var high = starts.count
        while low < high {
            let middle = (low + high) / 2
            if starts[middle] <= seconds { low = middle + 1 } else { high = middle }
        }
        // `low` periods begin at or before the instant.
        return Period(
            start: low == 0 ? .min : starts[low - 1], end: low == starts.count ? .max : starts[low],
            type: low == 0 ? initial : types[low - 1])
    }
}
