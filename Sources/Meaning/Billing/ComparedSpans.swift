import Timekeeping

/// A running period up to an instant, and as much of another one: a month so far beside the same days of another.
public struct ComparedSpans: Hashable, Sendable {
    public var this: Period
    public var other: Period

    /// How far back the other period lies.
    public enum Shift: Hashable, Sendable {
        /// The period before.
        case previous
        case weeks(Int)
        case months(Int)
    }

    /// Nil when a period cannot be so far from itself: a month and a week ago overlap.
    ///
    /// The other span begins with its period and ends on the same day of it, at the same time of the clock, as the
    /// first does; at the latest with its period. A week a year ago is 52 weeks ago, so that it has the same days of
    /// the week.
    public init?(_ grouping: Grouping, _ shift: Shift, now: Timestamp, zone: Zone, billingDay: BillingDay) {
        let today = zone.day(containing: now)
        let (from, _) = grouping.days(containing: today, billingDay: billingDay)
        guard
            let before = ComparedSpans.start(grouping, shift, from, billingDay),
            // A day, not the start itself: of an empty day, such as one that a zone skipped, there is no period.
            before < from
        else { return nil }
        let (otherFrom, otherTo) = grouping.days(containing: before, billingDay: billingDay)
        let end = Slot(containing: now + (Slot.length - 1)).start
        this = Period(from: zone.start(of: from), to: end)
        let day = otherFrom.adding(days: today.daysSinceEpoch - from.daysSinceEpoch)
        let time = zone.local(at: end - 1)
        let limit = zone.start(of: otherTo)
        var last = limit
        if day < otherTo, let same = zone.resolve(day, hour: time.hour, minute: time.minute) {
            last = Slot(containing: same.first).end
        }
        other = Period(from: zone.start(of: otherFrom), to: min(last, limit))
    }

    private static func start(
        _ grouping: Grouping, _ shift: Shift, _ from: LocalDay, _ billingDay: BillingDay
    ) -> LocalDay? {
        switch (grouping, shift) {
        case (.day, .previous), (.week, .previous), (.month, .previous), (.bill, .previous), (.year, .previous):
            return from.previous
        case (.day, .weeks(let count)), (.week, .weeks(let count)): return from.adding(days: Int64(-7 * count))
        case (.day, .months(let count)), (.month, .months(let count)): return from.adding(months: -count)
        case (.week, .months(let count)): return from.adding(days: count >= 12 ? -364 : Int64(-28 * count))
        case (.bill, .months(let count)):
            return billingDay.start(
                in: LocalMonth(containing: LocalMonth(containing: from).firstDay.adding(months: -count)))
        case (.year, .months(let count)): return count >= 12 ? from.adding(months: -count) : nil
        case (.slot, _), (.hour, _), (.month, .weeks), (.bill, .weeks), (.year, .weeks): return nil
        }
    }
}
