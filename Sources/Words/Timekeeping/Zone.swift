/// What the clocks of a zone show at an instant.
public struct LocalTime: Hashable, Sendable {
    public let date: CivilDate
    /// 0...23.
    public let hour: Int
    /// 0...59.
    public let minute: Int
    /// 0...59.
    public let second: Int
    /// 0...999.
    public let millisecond: Int
    /// Seconds east of UTC.
    public let offset: Int
}

/// A time zone: what a home's clocks show, and when its hours, days and months begin.
///
/// Immutable; any thread. Built from the bytes of a TZif file; `ZoneDirectory` finds the file.
public final class Zone: Sendable, CustomStringConvertible {
    /// The name it was asked for by, such as `Europe/Berlin`.
    public let name: String
    let periods: ZonePeriods

    public static let utc = Zone(
        name: "UTC",
        periods: ZonePeriods(always: LocalTimeType(offset: 0, isDaylight: false, abbreviation: "UTC")))

    init(name: String, periods: ZonePeriods) {
        self.name = name
        self.periods = periods
    }

    /// Reads a TZif file (RFC 9636, versions 1 to 4). Any bytes are safe to give.
    public convenience init(name: String, bytes: [UInt8]) throws(ZoneError) {
        self.init(name: name, periods: ZonePeriods(try TZifFile(name: name, bytes: bytes)))
    }

    public var description: String { name }

    /// Seconds east of UTC.
    public func offset(at time: Timestamp) -> Int { type(at: time).offset }

    public func isDaylight(at time: Timestamp) -> Bool { type(at: time).isDaylight }

    /// Such as `CET`; not unique, for people only.
    public func abbreviation(at time: Timestamp) -> String { type(at: time).abbreviation }

    private func type(at time: Timestamp) -> LocalTimeType { periods.period(at: time.secondsFloor).type }

    public func local(at time: Timestamp) -> LocalTime {
        let offset = offset(at: time)
        let local = time.secondsFloor + Int64(offset)
        let second = Int(floorModulo(local, 86_400))
        return LocalTime(
            date: CivilDate(daysSinceEpoch: floorDivide(local, 86_400)), hour: second / 3600,
            minute: second / 60 % 60, second: second % 60,
            millisecond: Int(floorModulo(time.milliseconds, 1000)), offset: offset)
    }

    /// The time as RFC 3339 text with the offset that goes here then.
    public func rfc3339(_ time: Timestamp, milliseconds: Timestamp.MillisecondStyle = .whenNonZero) -> String {
        time.rfc3339(offsetSeconds: offset(at: time), milliseconds: milliseconds)
    }
}

// MARK: Days and months

extension Zone {
    /// The first instant whose local date is `day` or, where the zone skipped that whole day, a later one.
    ///
    /// Midnight may not exist; then the day begins after the gap. Where clocks go back over midnight, the minutes that
    /// carry the earlier date once more stay with the day that has begun: days follow each other without gap or
    /// overlap.
    public func start(of day: LocalDay) -> Timestamp {
        let midnight = day.daysSinceEpoch * 86_400
        let limit = Int64(LocalTimeType.offsetRange.upperBound)
        var period = periods.period(at: midnight - limit)
        while true {
            let candidate = max(period.start, midnight - Int64(period.type.offset))
            // Ends at the latest in the last period, whose end is the end of time.
            if candidate < period.end || period.end == .max { return Timestamp(clampingSeconds: candidate) }
            period = periods.period(at: period.end)
        }
    }

    /// The first instant after the day.
    public func end(of day: LocalDay) -> Timestamp { start(of: day.next) }

    /// The day with `start(of:) <= time < end(of:)`.
    public func day(containing time: Timestamp) -> LocalDay {
        var day = local(at: time).date
        // One step at most where clocks went back over midnight; the bound guards the end of all time.
        for _ in 0..<3 {
            guard end(of: day) <= time else { break }
            day = day.next
        }
        return day
    }

    public func start(of month: LocalMonth) -> Timestamp { start(of: month.firstDay) }

    /// The first instant after the month.
    public func end(of month: LocalMonth) -> Timestamp { start(of: month.next) }

    public func month(containing time: Timestamp) -> LocalMonth { LocalMonth(containing: day(containing: time)) }
}

// MARK: Hours

extension Zone {
    /// Where the local clock hour that holds `time` begins.
    ///
    /// An hour is the longest run of instants with one local date, hour and offset: a change of the offset ends it.
    /// So hours follow each other without gap or overlap, and an hour that is lived twice is two.
    public func hourStart(containing time: Timestamp) -> Timestamp {
        var period = periods.period(at: time.secondsFloor)
        let start = hour(of: time, period)
        while period.start > start {
            let previous = periods.period(at: period.start - 1)
            if previous.type.offset != period.type.offset { return Timestamp(clampingSeconds: period.start) }
            period = previous
        }
        return Timestamp(clampingSeconds: start)
    }

    /// Where the hour after the one that holds `time` begins.
    public func nextHourStart(after time: Timestamp) -> Timestamp {
        var period = periods.period(at: time.secondsFloor)
        let end = hour(of: time, period) + 3600
        while period.end < end {
            let next = periods.period(at: period.end)
            if next.type.offset != period.type.offset { return Timestamp(clampingSeconds: period.end) }
            period = next
        }
        return Timestamp(clampingSeconds: end)
    }

    /// UTC seconds at which the hour of `time` begins by the clock alone.
    private func hour(of time: Timestamp, _ period: ZonePeriods.Period) -> Int64 {
        let offset = Int64(period.type.offset)
        return floorDivide(time.secondsFloor + offset, 3600) * 3600 - offset
    }
}

// MARK: From local time

extension Zone {
    /// The instants that a local date and time may mean.
    public enum Resolution: Hashable, Sendable {
        case unique(Timestamp)
        /// The clocks went back: it was shown twice.
        case ambiguous(earlier: Timestamp, later: Timestamp)
        /// The clocks went forward over it: the last millisecond before and the first instant after the jump.
        case missing(before: Timestamp, after: Timestamp)

        /// The first instant at which the clocks show that time or, where it is skipped, a later one.
        public var first: Timestamp {
            switch self {
            case .unique(let time), .ambiguous(let time, _), .missing(_, let time): time
            }
        }
    }

    /// Nil when there is no such time of day.
    public func resolve(
        _ date: CivilDate, hour: Int = 0, minute: Int = 0, second: Int = 0, millisecond: Int = 0
    ) -> Resolution? {
        guard (0...23).contains(hour), (0...59).contains(minute), (0...59).contains(second),
            (0...999).contains(millisecond)
        else { return nil }
        let local = date.daysSinceEpoch * 86_400 + Int64(hour * 3600 + minute * 60 + second)
        let limit = Int64(LocalTimeType.offsetRange.upperBound)
        var found: [Int64] = []
        var jump: Int64?
        var period = periods.period(at: local - limit)
        while true {
            let candidate = local - Int64(period.type.offset)
            if candidate >= period.start, candidate < period.end { found.append(candidate) }
            // Before the start already too late: the clocks jumped over it there.
            if candidate < period.start, jump == nil { jump = period.start }
            guard period.end <= local + limit else { break }
            period = periods.period(at: period.end)
        }
        func instant(_ seconds: Int64) -> Timestamp { Timestamp(clampingSeconds: seconds) + Int64(millisecond) }
        if let first = found.first, let last = found.last {
            return first == last ? .unique(instant(first)) : .ambiguous(earlier: instant(first), later: instant(last))
        }
        let after = Timestamp(clampingSeconds: jump ?? local)
        return .missing(before: after - 1, after: after)
    }
}
