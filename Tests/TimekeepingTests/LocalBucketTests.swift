import Simulation
import Testing

@testable import Timekeeping

struct LocalBucketTests {
    private static let from = time("2024-01-01T00:00:00Z")
    private static let to = time("2028-01-01T00:00:00Z")

    @Test(arguments: fixtureZones)
    func `hours follow each other, each a whole run of one local hour`(name: String) throws {
        let zone = try Fixture.zone(name)
        var start = zone.hourStart(containing: LocalBucketTests.from)
        var total: Int64 = 0
        while start < LocalBucketTests.to {
            let end = zone.nextHourStart(after: start)
            let length = end - start
            guard length > 0, length <= Span.hour else {
                Issue.record("\(name): the hour at \(start.rfc3339()) is \(length) ms long")
                return
            }
            let first = zone.local(at: start)
            let last = zone.local(at: end - 1)
            let next = zone.local(at: end)
            let isOneRun = first.date == last.date && first.hour == last.hour && first.offset == last.offset
            let isMaximal = next.date != first.date || next.hour != first.hour || next.offset != first.offset
            let middle = start + length / 2
            let isFound =
                zone.hourStart(containing: start) == start && zone.hourStart(containing: middle) == start
                && zone.hourStart(containing: end - 1) == start && zone.nextHourStart(after: middle) == end
                && zone.nextHourStart(after: end - 1) == end
            guard isOneRun, isMaximal, isFound else {
                Issue.record("\(name): the hour at \(start.rfc3339()) is not one whole local hour")
                return
            }
            total += length
            start = end
        }
        #expect(total == start - zone.hourStart(containing: LocalBucketTests.from))
    }

    @Test(arguments: fixtureZones)
    func `days and months follow each other without gap or overlap`(name: String) throws {
        let zone = try Fixture.zone(name)
        var lengths: [Int64: Int] = [:]
        var date = day("2024-01-01")
        while date < day("2028-01-01") {
            let start = zone.start(of: date)
            let end = zone.end(of: date)
            lengths[end - start, default: 0] += 1
            #expect(end == zone.start(of: date.next))
            #expect(zone.day(containing: start) == date && zone.day(containing: end - 1) == date, "\(name) \(date)")
            #expect(zone.local(at: start).date == date && zone.local(at: start - 1).date < date, "\(name) \(date)")
            // A day is a sum of whole hours.
            #expect(zone.hourStart(containing: start) == start, "\(name) \(date)")
            let month = LocalMonth(containing: date)
            #expect(zone.month(containing: start) == month && zone.month(containing: end - 1) == month)
            if date == month.firstDay { #expect(zone.start(of: month) == start) }
            if date == month.lastDay { #expect(zone.end(of: month) == end) }
            date = date.next
        }
        let shift: Int64? =
            switch name {
            case "Asia/Kolkata", "UTC", "Pacific/Apia", "Asia/Kathmandu", "America/Sao_Paulo", "Asia/Tehran": nil
            case "Australia/Lord_Howe": Span.hour / 2
            case "Antarctica/Troll": 2 * Span.hour
            default: Span.hour
            }
        guard let shift else {
            #expect(lengths == [Span.day: 1461])
            return
        }
        // Casablanca changes around Ramadan, on other dates, until its rule ended; the rest twice a year.
        let changes = lengths.filter { $0.key != Span.day }
        #expect(Set(changes.keys) == [Span.day - shift, Span.day + shift])
        if name != "Africa/Casablanca" { #expect(changes.values.allSatisfy { $0 == 4 }) }
    }

    @Test func `days have the lengths that people know`() throws {
        func hours(_ name: String, _ date: String) throws -> Double {
            let zone = try Fixture.zone(name)
            return Double(zone.end(of: day(date)) - zone.start(of: day(date))) / Double(Span.hour)
        }
        #expect(try hours("Europe/Berlin", "2026-03-29") == 23)
        #expect(try hours("Europe/Berlin", "2026-10-25") == 25)
        #expect(try hours("Europe/Berlin", "2026-07-01") == 24)
        #expect(try hours("Australia/Lord_Howe", "2026-04-05") == 24.5)
        #expect(try hours("Australia/Lord_Howe", "2026-10-04") == 23.5)
        #expect(try hours("Europe/Dublin", "2026-03-29") == 23)
        #expect(try hours("Antarctica/Troll", "2026-03-29") == 22)
        #expect(try hours("Africa/Cairo", "2026-04-24") == 23)
    }

    @Test func `a day whose midnight does not exist begins after the gap`() throws {
        let saoPaulo = try Fixture.zone("America/Sao_Paulo")
        #expect(saoPaulo.start(of: day("2018-11-04")) == time("2018-11-04T01:00:00-02:00"))
        #expect(saoPaulo.local(at: saoPaulo.start(of: day("2018-11-04"))).hour == 1)
        let cairo = try Fixture.zone("Africa/Cairo")
        #expect(cairo.start(of: day("2026-04-24")) == time("2026-04-24T01:00:00+03:00"))
    }

    @Test func `a day that was left out has no length`() throws {
        let apia = try Fixture.zone("Pacific/Apia")
        let skipped = day("2011-12-30")
        #expect(apia.start(of: skipped) == apia.end(of: skipped))
        #expect(apia.start(of: skipped) == time("2011-12-30T10:00:00Z"))
        #expect(apia.day(containing: apia.start(of: skipped)) == skipped.next)
        #expect(apia.day(containing: apia.start(of: skipped) - 1) == skipped.previous)
    }

    @Test func `a date shown again after midnight stays with the day that began`() throws {
        // Newfoundland put its clocks back at 00:01 until 2011.
        let stJohns = try Fixture.zone("America/St_Johns")
        let change = day("2010-11-07")
        #expect(stJohns.start(of: change) == time("2010-11-07T00:00:00-02:30"))
        #expect(stJohns.day(containing: time("2010-11-06T23:30:00-03:30")) == change)
        #expect(stJohns.day(containing: time("2010-11-06T23:30:00-02:30")) == change.previous)
        #expect(stJohns.end(of: change) - stJohns.start(of: change) == 25 * Span.hour)
    }

    @Test func `hours are cut where the offset changes`() throws {
        let lordHowe = try Fixture.zone("Australia/Lord_Howe")
        // At 02:00 +11 the clocks go back to 01:30 +10:30: half an hour that is lived twice, and 02 follows.
        let change = time("2026-04-05T02:00:00+11:00")
        #expect(lordHowe.hourStart(containing: change - 1) == time("2026-04-05T01:00:00+11:00"))
        #expect(lordHowe.hourStart(containing: change) == change)
        #expect(lordHowe.nextHourStart(after: change) == time("2026-04-05T02:00:00+10:30"))
        let kolkata = try Fixture.zone("Asia/Kolkata")
        #expect(kolkata.hourStart(containing: time("2026-01-01T00:45:00Z")) == time("2026-01-01T00:30:00Z"))
        // London's winter time became summer time without a change of the offset: no hour is cut.
        let london = try Fixture.zone("Europe/London")
        let rename = Timestamp(milliseconds: -37_242_000_000)
        #expect(london.isDaylight(at: rename - 1) && !london.isDaylight(at: rename))
        #expect(london.nextHourStart(after: rename - 1) - london.hourStart(containing: rename - 1) == Span.hour)
    }

    @Test func `a local time is unique, shown twice or skipped`() throws {
        let berlin = try Fixture.zone("Europe/Berlin")
        #expect(berlin.resolve(day("2026-07-01"), hour: 12) == .unique(time("2026-07-01T12:00:00+02:00")))
        #expect(
            berlin.resolve(day("2026-10-25"), hour: 2, minute: 30)
                == .ambiguous(
                    earlier: time("2026-10-25T02:30:00+02:00"), later: time("2026-10-25T02:30:00+01:00")))
        #expect(
            berlin.resolve(day("2026-03-29"), hour: 2, minute: 30)
                == .missing(before: time("2026-03-29T01:59:59.999+01:00"), after: time("2026-03-29T03:00:00+02:00")))
        #expect(berlin.resolve(day("2026-03-29"), hour: 24) == nil)
        let apia = try Fixture.zone("Pacific/Apia")
        #expect(
            apia.resolve(day("2011-12-30"), hour: 12)
                == .missing(before: time("2011-12-30T09:59:59.999Z"), after: time("2011-12-30T10:00:00Z")))
    }

    @Test(arguments: fixtureZones)
    func `every instant resolves back from its local time`(name: String) throws {
        let seed: UInt64 = 0x6C6F_6361
        var random = SplitMix64(seed: seed)
        let zone = try Fixture.zone(name)
        for _ in 0..<2000 {
            let at = Timestamp(milliseconds: Int64.random(in: 0..<4_102_444_800_000, using: &random))
            let local = zone.local(at: at)
            let resolved = zone.resolve(
                local.date, hour: local.hour, minute: local.minute, second: local.second,
                millisecond: local.millisecond)
            let isBack =
                switch resolved {
                case .unique(let found): found == at
                case .ambiguous(let earlier, let later): earlier == at || later == at
                case .missing, nil: false
                }
            if !isBack { Issue.record("\(name), seed \(seed): \(at.rfc3339()) gives \(String(describing: resolved))") }
        }
    }
}
