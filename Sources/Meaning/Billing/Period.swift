import Timekeeping

/// How slots are grouped: local hours, days, weeks from Monday, months and years of a zone, the billing periods of a
/// home, or not at all.
public enum Grouping: String, Hashable, Sendable, CaseIterable {
    case slot, hour, day, week, month, bill, year

    /// The period that holds `time`. Each begins where the one before it ends, and all but slot and hour are runs of
    /// whole local days. `billingDay` matters to `bill` only.
    public func period(containing time: Timestamp, zone: Zone, billingDay: BillingDay = .first) -> Period {
        switch self {
        case .slot:
            let slot = Slot(containing: time)
            return Period(from: slot.start, to: slot.end)
        case .hour:
            return Period(from: zone.hourStart(containing: time), to: zone.nextHourStart(after: time))
        case .day, .week, .month, .bill, .year:
            let (from, to) = days(containing: zone.day(containing: time), billingDay: billingDay)
            return Period(from: zone.start(of: from), to: zone.start(of: to))
        }
    }

    /// The first day and the one after the last of the period that holds `day`; the day alone for what is shorter.
    public func days(containing day: LocalDay, billingDay: BillingDay = .first) -> (from: LocalDay, to: LocalDay) {
        switch self {
        case .slot, .hour, .day: (day, day.next)
        case .week: (day.startOfWeek, day.startOfWeek.adding(days: 7))
        case .month: BillingDay.first.period(containing: day)
        case .bill: billingDay.period(containing: day)
        case .year: (day.startOfYear, day.startOfNextYear)
        }
    }
}

/// A span of time with its first instant and the first one after it.
public struct Period: Hashable, Sendable {
    public var from: Timestamp
    public var to: Timestamp

    public init(from: Timestamp, to: Timestamp) {
        self.from = from
        self.to = to
    }

    public func contains(_ time: Timestamp) -> Bool { from <= time && time < to }
    /// ms.
    public var length: Int64 { to - from }
}
