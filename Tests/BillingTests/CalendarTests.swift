import Metering
import Testing
import Timekeeping
import Usage

@testable import Billing

/// Every zone whose bytes the tests of Timekeeping keep, across each change of its clocks from 2024 to 2027.
struct CalendarTests {
    static let zones = [
        "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "America/St_Johns", "Pacific/Apia",
        "Africa/Casablanca", "UTC", "Europe/London", "Europe/Dublin", "Asia/Kathmandu", "America/Sao_Paulo",
        "Pacific/Chatham", "Africa/Cairo", "Asia/Tehran", "Antarctica/Troll",
    ]

    /// The first instants after each change of the offset; of a zone without, four new years.
    private static func changes(of zone: Zone) throws -> [Timestamp] {
        var found: [Timestamp] = []
        var at = try time("2024-01-01T00:00:00Z")
        let end = try time("2028-01-01T00:00:00Z")
        while at < end {
            if zone.offset(at: at) != zone.offset(at: at - Span.hour) { found.append(at) }
            at = at + Span.hour
        }
        return try found.isEmpty ? (2024...2027).map { try time("\($0)-01-01T00:00:00Z") } : found
    }

    @Test(arguments: zones)
    func `hours, days, weeks, months and bills sum to the same across each change of the clocks`(name: String) throws {
        let place = try zone(name)
        var tariff = try tariff("t", "0.31", from: "1970-01-01T00:00:00Z")
        tariff.windows = [
            TariffWindow(
                label: "night", times: TariffTimes(quarters: TariffTimes.quarters(from: 0, to: 300)!),
                importPrice: decimal("0.19"))
        ]
        let settings = [
            HomeSettings(
                name: "home", zone: name, tariffs: [tariff], validFrom: Timestamp(seconds: 0), billingDay: .last)
        ]
        let pricing = Pricing(settings: settings, zone: place)
        for change in try CalendarTests.changes(of: place) {
            // Five days around the change: all that any of the groupings can get wrong lies there.
            let day = place.day(containing: change)
            let span = Period(
                from: place.start(of: day.adding(days: -2)), to: place.start(of: day.adding(days: 3)))
            let first = Slot(containing: span.from)
            #expect(first.start == span.from && span.length % Slot.length == 0)
            let all = (0..<span.length / Slot.length).map {
                usage(meter, Slot(index: first.index + $0), imported: $0 * 7 + 1)
            }
            let energy = all.reduce(0) { $0 + ($1.imported ?? 0) }
            var costs: [Decimal] = []
            for grouping in [Grouping.slot, .hour, .day, .week, .month, .bill, .year] {
                var table = UsageTable(devices: devices, pricing: pricing, by: grouping, span: span)
                for slot in all { table.add(slot) }
                let rows = table.finish().filter { $0.name == "home" }
                #expect(rows.reduce(0) { $0 + ($1.imported ?? 0) } == energy, "\(name) \(grouping)")
                for (a, b) in zip(rows, rows.dropFirst()) { #expect(a.to == b.from, "\(name) \(grouping)") }
                if grouping == .hour || grouping == .day {
                    #expect(rows.first?.from == span.from && rows.last?.to == span.to)
                    #expect(rows.allSatisfy { $0.quality == .measured })
                }
                costs.append(rows.reduce(Decimal.zero) { $0 + ($1.cost ?? .zero) })
            }
            #expect(Set(costs).count == 1, "\(name) \(change.rfc3339())")
            var bills = Bills(devices: devices, pricing: pricing, span: span)
            for slot in all { bills.add(slot) }
            let lines = bills.finish().flatMap(\.lines)
            #expect(
                lines.reduce(.zero) { $0 + $1.quantity } == Decimal(1).times(milliwattHours: energy), "\(name)")
        }
    }

    /// The settings say when a home changed its zone; usage and bills follow.
    @Test func `a home that moves from Berlin to New York loses no slot and counts none twice`() throws {
        let moved = try time("2026-05-10T12:07:00Z")
        let place = Zone.joined(
            try zone("Europe/Berlin"), changes: [(moved, try zone("America/New_York"))])
        let settings = home([try tariff("t", "1", from: "1970-01-01T00:00:00Z")])
        let first = Slot(containing: place.start(of: LocalDay("2026-05-01")!))
        let end = Slot(containing: place.start(of: LocalDay("2026-06-01")!))
        let all = (first.index..<end.index).map { usage(meter, Slot(index: $0), imported: 1_000_000) }
        // 31 days and six hours.
        #expect(all.count == 31 * 96 + 24)
        func rows(_ grouping: Grouping) -> [UsageRow] {
            UsageTable.rows(
                slots: all, devices: devices, settings: settings, zone: place, by: grouping, from: first.start,
                to: end.start
            ).filter { $0.name == "home" }
        }
        let days = rows(.day)
        #expect(days.count == 31)
        #expect(days[9].imported == 120_000_000 && days[9].span == 30 * Span.hour)
        #expect(days[9].fromOffset == 7200 && days[9].toOffset == -4 * 3600)
        #expect(rows(.hour).reduce(0) { $0 + ($1.imported ?? 0) } == Int64(all.count) * 1_000_000)
        #expect(rows(.month).map(\.imported) == [Int64(all.count) * 1_000_000])
        let bill = Bills.bills(
            slots: all, devices: devices, settings: settings, zone: place, from: first.start, to: end.start)
        #expect(bill.map(\.totalText) == ["\(all.count).00"])
    }
}

struct ComparedSpanTests {
    private func spans(
        _ grouping: Grouping, _ shift: ComparedSpans.Shift, _ now: String, day: BillingDay = .first
    ) throws -> [String]? {
        let berlin = try zone("Europe/Berlin")
        guard let spans = ComparedSpans(grouping, shift, now: try time(now), zone: berlin, billingDay: day) else {
            return nil
        }
        return [spans.this.from, spans.this.to, spans.other.from, spans.other.to].map {
            String(berlin.rfc3339($0).prefix(16))
        }
    }

    @Test func `a month so far is compared to the same days of another month`() throws {
        #expect(
            try spans(.month, .months(12), "2026-04-10T09:07:00+02:00") == [
                "2026-04-01T00:00", "2026-04-10T09:15", "2025-04-01T00:00", "2025-04-10T09:15",
            ])
        #expect(
            try spans(.month, .previous, "2026-03-31T12:00:00+02:00") == [
                "2026-03-01T00:00", "2026-03-31T12:00", "2026-02-01T00:00", "2026-03-01T00:00",
            ])
        #expect(
            try spans(.day, .previous, "2026-03-30T02:40:00+02:00") == [
                "2026-03-30T00:00", "2026-03-30T02:45", "2026-03-29T00:00", "2026-03-29T03:15",
            ])
    }

    @Test func `a week a year ago has the same days of the week`() throws {
        #expect(
            try spans(.week, .months(12), "2026-04-08T10:00:00+02:00") == [
                "2026-04-06T00:00", "2026-04-08T10:00", "2025-04-07T00:00", "2025-04-09T10:00",
            ])
    }

    @Test func `a billing period is compared to one, also from last day to last day`() throws {
        #expect(
            try spans(.bill, .months(1), "2026-03-01T10:00:00+01:00", day: .last) == [
                "2026-02-28T00:00", "2026-03-01T10:00", "2026-01-31T00:00", "2026-02-01T10:00",
            ])
        #expect(
            try spans(.bill, .months(12), "2026-03-01T10:00:00+01:00", day: BillingDay(15)!) == [
                "2026-02-15T00:00", "2026-03-01T10:00", "2025-02-15T00:00", "2025-03-01T10:00",
            ])
    }

    @Test func `a month and a week ago overlap, so they are not compared`() throws {
        #expect(try spans(.month, .weeks(1), "2026-04-10T09:00:00+02:00") == nil)
        #expect(try spans(.year, .months(1), "2026-04-10T09:00:00+02:00") == nil)
    }
}
