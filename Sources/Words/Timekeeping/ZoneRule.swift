/// What a zone's clock shows during a period.
struct LocalTimeType: Hashable, Sendable {
    /// Seconds east of UTC.
    let offset: Int
    let isDaylight: Bool
    let abbreviation: String

    /// No zone is or was further from UTC; files that say otherwise are refused.
    static let offsetRange = -26 * 3600...26 * 3600
}

/// The rule for the years after a zone's table: the POSIX `TZ` text in the footer of its file,
/// such as `CET-1CEST,M3.5.0,M10.5.0/3`, with hours up to ±167 in the times of change.
struct ZoneRule: Hashable, Sendable {
    /// The day of a change, in the three forms that POSIX has.
    enum Day: Hashable, Sendable {
        /// `Mm.w.d`: the w-th (5: last) weekday d (0: Sunday) of the month.
        case weekday(month: Int, week: Int, weekday: Int)
        /// `Jn`: 1...365, 29 February never counted.
        case julian(Int)
        /// `n`: 0...365, 29 February counted.
        case ordinal(Int)
    }

    struct Change: Hashable, Sendable {
        let day: Day
        /// Seconds after local midnight.
        let time: Int

        /// Local seconds since 1970, on the clock that goes until the change.
        func localSeconds(year: Int) -> Int64 {
            let newYear = CivilDate(year: year, month: 1, day: 1)?.daysSinceEpoch ?? 0
            let days: Int64
            switch day {
            case .ordinal(let n): days = newYear + Int64(n)
            case .julian(let n): days = newYear + Int64(n - 1) + (CivilDate.isLeap(year: year) && n >= 60 ? 1 : 0)
            case .weekday(let month, let week, let weekday):
                guard let first = CivilDate(year: year, month: month, day: 1) else { return newYear * 86_400 }
                // `CivilDate` numbers Sunday 7, POSIX 0.
                let firstMatch = 1 + (weekday - first.weekday % 7 + 7) % 7
                let length = CivilDate.daysInMonth(year: year, month: month)
                var dayOfMonth = firstMatch + 7 * (week - 1)
                if dayOfMonth > length { dayOfMonth -= 7 }
                days = first.daysSinceEpoch + Int64(dayOfMonth - 1)
            }
            return days * 86_400 + Int64(time)
        }
    }

    struct Daylight: Hashable, Sendable {
        let type: LocalTimeType
        let start: Change
        let end: Change
    }

    let standard: LocalTimeType
    let daylight: Daylight?

    /// The changes of `year`, in UTC seconds; not sorted. Daylight time that fills the year has a start only.
    func changes(year: Int) -> [(at: Int64, to: LocalTimeType)] {
        guard let daylight else { return [] }
        let start = daylight.start.localSeconds(year: year) - Int64(standard.offset)
        let end = daylight.end.localSeconds(year: year) - Int64(daylight.type.offset)
        let yearLength: Int64 = CivilDate.isLeap(year: year) ? 366 * 86_400 : 365 * 86_400
        if end - start >= yearLength { return [(start, daylight.type)] }
        return [(start, daylight.type), (end, standard)]
    }
}

/// Why a rule cannot be read: what was expected, and at which byte of the text.
struct ZoneRuleError: Error, Equatable {
    let position: Int
    let expected: String
}

extension ZoneRule {
    init(_ text: some Collection<UInt8>) throws(ZoneRuleError) {
        var parser = Parser(bytes: Array(text))
        self = try parser.rule()
    }

    private struct Parser {
        let bytes: [UInt8]
        var position = 0

        mutating func rule() throws(ZoneRuleError) -> ZoneRule {
            let name = try abbreviation()
            // POSIX counts hours west of Greenwich.
            let offset = -(try time(maximumHours: 24))
            let standard = LocalTimeType(offset: offset, isDaylight: false, abbreviation: name)
            guard position < bytes.count else { return ZoneRule(standard: standard, daylight: nil) }
            let daylightName = try abbreviation()
            var daylightOffset = offset + 3600
            if position < bytes.count, bytes[position] != UInt8(ascii: ",") {
                daylightOffset = -(try time(maximumHours: 24))
            }
            let type = LocalTimeType(offset: daylightOffset, isDaylight: true, abbreviation: daylightName)
            let start = try change()
            let end = try change()
            guard position == bytes.count else { throw expected("the end") }
            return ZoneRule(standard: standard, daylight: Daylight(type: type, start: start, end: end))
        }

        private mutating func abbreviation() throws(ZoneRuleError) -> String {
            let quoted = take("<")
            let begin = position
            while position < bytes.count, isNamed(bytes[position], quoted: quoted) { position += 1 }
            let name = bytes[begin..<position]
            guard (3...16).contains(name.count) else { throw expected("a name of 3 to 16 letters") }
            if quoted, !take(">") { throw expected(">") }
            return String(decoding: name, as: UTF8.self)
        }

        private func isNamed(_ byte: UInt8, quoted: Bool) -> Bool {
            let lower = byte | 0x20
            if lower >= UInt8(ascii: "a"), lower <= UInt8(ascii: "z") { return true }
            return quoted && (isDigit(byte) || byte == UInt8(ascii: "+") || byte == UInt8(ascii: "-"))
        }

        private mutating func change() throws(ZoneRuleError) -> Change {
            guard take(",") else { throw expected("a comma and the day of the change") }
            let day: Day
            if take("M") {
                let month = try number(1...12)
                guard take(".") else { throw expected("a point") }
                let week = try number(1...5)
                guard take(".") else { throw expected("a point") }
                day = .weekday(month: month, week: week, weekday: try number(0...6))
            } else if take("J") {
                day = .julian(try number(1...365))
            } else {
                day = .ordinal(try number(0...365))
            }
            return Change(day: day, time: take("/") ? try time(maximumHours: 167) : 2 * 3600)
        }

        /// `[+-]h[h[h]][:mm[:ss]]` in seconds.
        private mutating func time(maximumHours: Int) throws(ZoneRuleError) -> Int {
            let negative = take("-")
            if !negative { _ = take("+") }
            var seconds = try number(0...maximumHours) * 3600
            if take(":") {
                seconds += try number(0...59) * 60
                if take(":") { seconds += try number(0...59) }
            }
            return negative ? -seconds : seconds
        }

        private mutating func number(_ range: ClosedRange<Int>) throws(ZoneRuleError) -> Int {
            let digits = bytes[position...].prefix(4).prefix(while: isDigit)
            guard let value = decimal(digits), range.contains(value) else {
                throw expected("a number from \(range.lowerBound) to \(range.upperBound)")
            }
            position += digits.count
            return value
        }

        private mutating func take(_ scalar: Unicode.Scalar) -> Bool {
            guard position < bytes.count, bytes[position] == UInt8(ascii: scalar) else { return false }
            position += 1
            return true
        }

        private func isDigit(_ byte: UInt8) -> Bool { byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9") }

        private func expected(_ what: String) -> ZoneRuleError { ZoneRuleError(position: position, expected: what) }
    }
}
