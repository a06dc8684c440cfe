/// A day of the proleptic Gregorian calendar, with no zone: what a calendar on the wall shows.
///
/// Arithmetic is exact for every day that a `Timestamp` can name, and saturates beyond.
public struct CivilDate: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// Astronomical year: 0 is 1 BC.
    public let year: Int
    /// 1...12.
    public let month: Int
    /// 1...31, and within the month.
    public let day: Int

    /// The days since 1970-01-01 that a `Timestamp` can name, so that seconds of a day never overflow.
    private static let dayRange: ClosedRange<Int64> = -106_751_991_168...106_751_991_167
    private static let yearRange: ClosedRange<Int> = -292_000_000...292_000_000

    /// Nil when there is no such day.
    public init?(year: Int, month: Int, day: Int) {
        guard CivilDate.yearRange.contains(year), (1...12).contains(month), day >= 1,
            day <= CivilDate.daysInMonth(year: year, month: month)
        else { return nil }
        self.init(known: year, month, day)
    }

    private init(known year: Int, _ month: Int, _ day: Int) {
        self.year = year
        self.month = month
        self.day = day
    }

    /// The day that is `days` after 1970-01-01 (before it, when negative).
    public init(daysSinceEpoch days: Int64) {
        // Years are counted from March, so that the leap day is the last of its year; 719 468 days lie between
        // 0000-03-01 and 1970-01-01, 146 097 days are 400 years.
        let shifted = min(max(days, CivilDate.dayRange.lowerBound), CivilDate.dayRange.upperBound) + 719_468
        let era = floorDivide(shifted, 146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let marchMonth = (5 * dayOfYear + 2) / 153
        let month = Int(marchMonth < 10 ? marchMonth + 3 : marchMonth - 9)
        self.init(
            known: Int(yearOfEra + era * 400) + (month <= 2 ? 1 : 0), month,
            Int(dayOfYear - (153 * marchMonth + 2) / 5 + 1))
    }

    /// Days since 1970-01-01.
    public var daysSinceEpoch: Int64 {
        let marchYear = Int64(year) - (month <= 2 ? 1 : 0)
        let era = floorDivide(marchYear, 400)
        let yearOfEra = marchYear - era * 400
        let dayOfYear = (153 * Int64(month > 2 ? month - 3 : month + 9) + 2) / 5 + Int64(day) - 1
        return era * 146_097 + yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear - 719_468
    }

    public func adding(days: Int64) -> CivilDate {
        let (sum, overflow) = daysSinceEpoch.addingReportingOverflow(days)
        return CivilDate(daysSinceEpoch: overflow ? (days < 0 ? .min : .max) : sum)
    }

    public var next: CivilDate { adding(days: 1) }
    public var previous: CivilDate { adding(days: -1) }

    /// 1 is Monday, 7 is Sunday, as in ISO 8601.
    public var weekday: Int { Int(floorModulo(daysSinceEpoch + 3, 7)) + 1 }

    /// The ISO 8601 week; its year differs from `year` in the days around New Year.
    public var isoWeek: (year: Int, week: Int) {
        // A week belongs to the year of its Thursday.
        let thursday = adding(days: Int64(4 - weekday))
        return (thursday.year, (thursday.dayOfYear - 1) / 7 + 1)
    }

    /// 1...366.
    public var dayOfYear: Int {
        Int(daysSinceEpoch - CivilDate(known: year, 1, 1).daysSinceEpoch) + 1
    }

    public static func isLeap(year: Int) -> Bool {
        year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
    }

    /// 28...31; 0 for a month outside 1...12.
    public static func daysInMonth(year: Int, month: Int) -> Int {
        switch month {
        case 2: isLeap(year: year) ? 29 : 28
        case 4, 6, 9, 11: 30
        case 1...12: 31
        default: 0
        }
    }

    public static func < (a: CivilDate, b: CivilDate) -> Bool {
        (a.year, a.month, a.day) < (b.year, b.month, b.day)
    }
}

extension CivilDate {
    /// Reads `2026-03-29`; nil for anything else.
    public init?(_ text: some StringProtocol) {
        let bytes = Array(text.utf8.prefix(11))
        guard bytes.count == 10, bytes[4] == UInt8(ascii: "-"), bytes[7] == UInt8(ascii: "-"),
            let year = decimal(bytes[0..<4]), let month = decimal(bytes[5..<7]), let day = decimal(bytes[8..<10])
        else { return nil }
        self.init(year: year, month: month, day: day)
    }

    /// `2026-03-29`.
    public var description: String { LocalMonth(containing: self).description + "-" + padded(day, 2) }
}

/// A day as it is lived in a home's zone; `Zone` says when it starts and ends.
public typealias LocalDay = CivilDate

/// A calendar month as it is lived in a home's zone.
public struct LocalMonth: Hashable, Comparable, Sendable, CustomStringConvertible {
    public let year: Int
    /// 1...12.
    public let month: Int

    /// Nil when there is no such month.
    public init?(year: Int, month: Int) {
        guard let first = CivilDate(year: year, month: month, day: 1) else { return nil }
        self.init(containing: first)
    }

    public init(containing day: LocalDay) {
        self.year = day.year
        self.month = day.month
    }

    /// Reads `2026-03`; nil for anything else.
    public init?(_ text: some StringProtocol) {
        let bytes = Array(text.utf8.prefix(8))
        guard bytes.count == 7, bytes[4] == UInt8(ascii: "-"),
            let year = decimal(bytes[0..<4]), let month = decimal(bytes[5..<7])
        else { return nil }
        self.init(year: year, month: month)
    }

    public var firstDay: LocalDay { CivilDate(year: year, month: month, day: 1) ?? CivilDate(daysSinceEpoch: 0) }
    public var lastDay: LocalDay { next.firstDay.previous }
    public var next: LocalMonth { LocalMonth(containing: firstDay.adding(days: 31)) }
    public var previous: LocalMonth { LocalMonth(containing: firstDay.previous) }

    public static func < (a: LocalMonth, b: LocalMonth) -> Bool { (a.year, a.month) < (b.year, b.month) }

    /// `2026-03`; a year outside 0...9999 has a sign and six digits or more, as ISO 8601 allows.
    public var description: String {
        let yearText =
            (0...9999).contains(year) ? padded(year, 4) : (year < 0 ? "-" : "+") + padded(Int(year.magnitude), 6)
        return yearText + "-" + padded(month, 2)
    }
}

/// The quotient rounded toward the past, as time before 1970 needs; `divisor` > 0.
func floorDivide(_ value: Int64, _ divisor: Int64) -> Int64 {
    let quotient = value / divisor
    return value % divisor < 0 ? quotient - 1 : quotient
}

/// The remainder that goes with `floorDivide`: 0..<divisor.
func floorModulo(_ value: Int64, _ divisor: Int64) -> Int64 {
    let remainder = value % divisor
    return remainder < 0 ? remainder + divisor : remainder
}

/// ASCII digits only, at most nine; nil for anything else.
func decimal(_ bytes: some Collection<UInt8>) -> Int? {
    guard !bytes.isEmpty, bytes.count <= 9 else { return nil }
    var value = 0
    for byte in bytes {
        guard byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") else { return nil }
        value = value * 10 + Int(byte - UInt8(ascii: "0"))
    }
    return value
}

func padded(_ value: Int, _ width: Int) -> String {
    let digits = String(value)
    return String(repeating: "0", count: max(0, width - digits.count)) + digits
}
