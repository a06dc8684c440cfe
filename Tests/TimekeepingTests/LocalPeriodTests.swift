import Simulation
import Testing

@testable import Timekeeping

/// Weeks, billing periods and years, and homes that move.
struct LocalPeriodTests {
    private static let anchors = [1, 15, 28, 31].map { BillingDay($0)! }

    @Test(arguments: fixtureZones)
    func `weeks, billing periods and years follow each other and are whole days`(name: String) throws {
        let zone = try Fixture.zone(name)
        let (first, end) = (day("2024-01-01"), day("2028-01-01"))
        for anchor in LocalPeriodTests.anchors {
            var date = first
            while date < end {
                let (from, to) = anchor.period(containing: date)
                #expect(from <= date && date < to)
                #expect(anchor.period(containing: from) == (from, to))
                #expect(anchor.period(containing: to.previous) == (from, to))
                #expect(anchor.period(containing: to).from == to, "\(anchor) \(date)")
                #expect((28...31).contains(to.daysSinceEpoch - from.daysSinceEpoch), "\(anchor) \(date)")
                #expect(anchor == .last ? from.next.day == 1 : from.day == anchor.day)
                date = date.next
            }
        }
        var week = first.startOfWeek
        var total: Int64 = 0
        while week < end {
            #expect(week.weekday == 1 && week.adding(days: 6).startOfWeek == week)
            #expect(week.isoWeek == week.adding(days: 6).isoWeek)
            total += zone.start(of: week.adding(days: 7)) - zone.start(of: week)
            week = week.adding(days: 7)
        }
        #expect(total == zone.start(of: week) - zone.start(of: first.startOfWeek))
        #expect(day("2024-12-31").startOfNextYear == day("2025-01-01"))
        #expect(day("2024-02-29").startOfYear == day("2024-01-01"))
    }

    @Test func `no day that a month may lack can be a billing day`() {
        #expect(BillingDay(0) == nil && BillingDay(29) == nil && BillingDay(30) == nil && BillingDay(32) == nil)
        #expect(BillingDay.last.description == "last" && BillingDay(15)?.description == "15")
        let february = BillingDay.last.period(containing: day("2028-02-29"))
        #expect(february.from == day("2028-02-29") && february.to == day("2028-03-31"))
        let march = BillingDay(28)!.period(containing: day("2026-03-01"))
        #expect(march.from == day("2026-02-28") && march.to == day("2026-03-28"))
    }

    @Test func `the same day months later is the last one where the month is shorter`() {
        #expect(day("2028-02-29").adding(months: -12) == day("2027-02-28"))
        #expect(day("2026-01-31").adding(months: 1) == day("2026-02-28"))
        #expect(day("2026-01-31").adding(months: -1) == day("2025-12-31"))
        #expect(day("2026-11-15").adding(months: 14) == day("2028-01-15"))
    }

    @Test func `a home that moves west has a longer day, one that moves east a shorter one`() throws {
        let (berlin, newYork) = (try Fixture.zone("Europe/Berlin"), try Fixture.zone("America/New_York"))
        let at = time("2026-05-10T10:00:00Z")
        let west = Zone.joined(berlin, changes: [(at, newYork)])
        #expect(west.name == "America/New_York")
        #expect(west.start(of: day("2026-05-10")) == time("2026-05-10T00:00:00+02:00"))
        #expect(west.end(of: day("2026-05-10")) - west.start(of: day("2026-05-10")) == 30 * Span.hour)
        #expect(west.offset(at: at - 1) == 7200 && west.offset(at: at) == -4 * 3600)
        let east = Zone.joined(newYork, changes: [(at, berlin)])
        #expect(east.end(of: day("2026-05-10")) - east.start(of: day("2026-05-10")) == 18 * Span.hour)
        // Far beyond the table of either, the last zone's rule goes on.
        let far = time("3026-07-01T12:00:00Z")
        #expect(west.offset(at: far) == newYork.offset(at: far) && east.offset(at: far) == berlin.offset(at: far))
    }

    @Test func `a date that the new clocks show once more stays with the day that began`() throws {
        // At 02:00 on the 11th in Berlin it is 20:00 on the 10th in New York.
        let at = time("2026-05-11T02:00:00+02:00")
        let zone = Zone.joined(
            try Fixture.zone("Europe/Berlin"), changes: [(at, try Fixture.zone("America/New_York"))])
        #expect(zone.local(at: at).date == day("2026-05-10"))
        #expect(zone.day(containing: at) == day("2026-05-11"))
        #expect(zone.start(of: day("2026-05-11")) == time("2026-05-11T00:00:00+02:00"))
        #expect(zone.end(of: day("2026-05-11")) == time("2026-05-12T00:00:00-04:00"))
        // Over the date line a date can be missing altogether; its day has no length.
        let apia = Zone.joined(
            try Fixture.zone("America/New_York"),
            changes: [(time("2026-05-10T23:00:00-04:00"), try Fixture.zone("Pacific/Apia"))])
        #expect(apia.end(of: day("2026-05-10")) == apia.start(of: day("2026-05-11")))
        #expect(apia.day(containing: time("2026-05-11T03:00:00Z")) == day("2026-05-11"))
    }

    @Test func `a change of zone takes effect at the border of a slot`() throws {
        let zone = Zone.joined(.utc, changes: [(time("2026-05-10T10:01:00Z"), try Fixture.zone("Asia/Kathmandu"))])
        #expect(zone.offset(at: time("2026-05-10T10:14:59Z")) == 0)
        #expect(zone.offset(at: time("2026-05-10T10:15:00Z")) == 20_700)
    }

    @Test func `a change to the same zone is none, and of two at once the later one holds`() throws {
        let berlin = try Fixture.zone("Europe/Berlin")
        #expect(Zone.joined(berlin, changes: [(time("2026-05-10T10:00:00Z"), berlin)]) === berlin)
        let at = time("2026-05-10T10:00:00Z")
        let zone = Zone.joined(berlin, changes: [(at, .utc), (at, try Fixture.zone("Asia/Kolkata"))])
        #expect(zone.offset(at: at) == 19_800)
    }

    /// Moves between all fixture zones, at odd instants, some at the change of the clocks: the property that all sums
    /// of usage stand on.
    @Test(arguments: 0..<4)
    func `whoever moves, no hour and no day is lost or lived twice`(round: Int) throws {
        let seed = UInt64(0x6D6F_7665 + round)
        var random = SplitMix64(seed: seed)
        let zones = try fixtureZones.map { try Fixture.zone($0) }
        var at = time("2024-02-01T00:00:00Z")
        var changes: [(at: Timestamp, to: Zone)] = []
        for _ in 0..<12 {
            at = at + Int64.random(in: 1...(120 * Span.day), using: &random)
            changes.append((at, zones.randomElement(using: &random)!))
        }
        let zone = Zone.joined(zones.randomElement(using: &random)!, changes: changes)
        let place = Comment(rawValue: "seed \(seed)")
        var date = day("2024-01-01")
        var hour = zone.start(of: date)
        let first = hour
        while date < day("2028-01-01") {
            let (start, end) = (zone.start(of: date), zone.end(of: date))
            #expect(start <= end && hour == start, place)
            if start < end {
                #expect(zone.day(containing: start) == date && zone.day(containing: end - 1) == date, place)
            }
            while hour < end {
                let next = zone.nextHourStart(after: hour)
                guard next > hour, next - hour <= Span.hour, zone.hourStart(containing: next - 1) == hour else {
                    Issue.record("seed \(seed): the hour at \(hour.rfc3339())")
                    return
                }
                #expect((hour - first) % Slot.length == 0, place)
                hour = next
            }
            #expect(hour == end, place)
            date = date.next
        }
    }
}
