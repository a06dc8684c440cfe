// Weeks, years and billing periods of a zone. Each is a run of whole local days.

/// On which day of a month the billing periods of a home begin.
public struct BillingDay: Hashable, Sendable, CustomStringConvertible {
    /// 1...28, or 31 for the last day of each month.
    public let day: Int

    /// The calendar month.
    public static let first = BillingDay(day: 1)
    /// The last day of each month.
    public static let last = BillingDay(day: 31)

    private init(day: Int) {
        self.day = day
    }

    /// Nil for a day that not every month has: 29, 30, or none at all. 31 is the last day.
    public init?(_ day: Int) {
        guard (1...28).contains(day) || day == 31 else { return nil }
        self.day = day
    }

    /// `1` to `28`, or `last`.
    public var description: String { day == 31 ? "last" : String(day) }

    /// The day in `month` on which a period begins.
    public func start(in month: LocalMonth) -> LocalDay {
        day == 31 ? month.lastDay : month.firstDay.adding(days: Int64(day - 1))
    }

    /// The first and, not included, the last day of the billing period that holds `date`.
    public func period(containing date: LocalDay) -> (from: LocalDay, to: LocalDay) {
        let month = LocalMonth(containing: date)
        let begin = start(in: month)
        return begin <= date ? (begin, start(in: month.next)) : (start(in: month.previous), begin)
    }
}

extension CivilDate {
    /// The Monday of its ISO 8601 week.
    public var startOfWeek: CivilDate { adding(days: Int64(1 - weekday)) }

    /// The first of January of its year.
    public var startOfYear: CivilDate { adding(days: Int64(1 - dayOfYear)) }

    /// The first of January of the next year.
    public var startOfNextYear: CivilDate { startOfYear.adding(days: CivilDate.isLeap(year: year) ? 366 : 365) }

    /// The same day `months` later, earlier when negative; the last day of a month that is shorter.
    public func adding(months: Int) -> CivilDate {
        let count = year * 12 + (month - 1) + months
        let (year, month) = (Int(floorDivide(Int64(count), 12)), Int(floorModulo(Int64(count), 12)) + 1)
        let length = CivilDate.daysInMonth(year: year, month: month)
        return CivilDate(year: year, month: month, day: min(day, length)) ?? self
    }
}
