import Metering
import Testing
import Timekeeping
import Usage

@testable import Billing

/// The rules of Billing.md, one by one.
struct RuleTests {
    private let berlin: Zone

    init() throws { berlin = try zone("Europe/Berlin") }

    private func euro(_ name: String = "t", _ price: String = "0.30", _ change: (inout Tariff) -> Void) -> Tariff {
        var tariff = Tariff(
            name: name, currency: .euro, importPrice: decimal(price), validFrom: Timestamp(seconds: 0))
        change(&tariff)
        return tariff
    }

    private func even(_ from: String, _ to: String, _ each: Int64 = 250_000, export: Int64? = nil) throws -> [SlotUsage]
    {
        try slots(from, to, in: berlin) { _, _ in (each, export) }
    }

    private func amounts(_ bill: Bill?) -> [String] {
        (bill?.lines ?? []).map { "\($0.kind.rawValue) \($0.quantity) \($0.amount.text(places: 2, minimum: 2))" }
    }

    @Test func `a window at night prices the hour that autumn repeats twice and the one that spring skips not at all`()
        throws
    {
        let tariff = euro {
            $0.windows = [
                TariffWindow(
                    label: "night", times: TariffTimes(quarters: TariffTimes.quarters(from: 120, to: 180)!),
                    importPrice: decimal("0.10"))
            ]
        }
        // One kWh an hour: the night has 1, 2 and 0 hours.
        for (day, next, hours, rest) in [
            ("2026-10-24", "2026-10-25", "1", "23"), ("2026-10-25", "2026-10-26", "2", "23"),
            ("2026-03-29", "2026-03-30", "", "23"),
        ] {
            let bill = bills(try even(day, next), [tariff], in: berlin).first
            let lines = (bill?.lines ?? []).map(\.quantity.description)
            #expect(lines == (hours.isEmpty ? [rest] : [hours, rest]), "\(day)")
        }
    }

    @Test func `the first window that holds and states a price gives it`() throws {
        let tariff = euro {
            $0.exportPrice = decimal("0.08")
            $0.windows = [
                TariffWindow(
                    label: "sun", times: TariffTimes(quarters: TariffTimes.quarters(from: 720, to: 780)!),
                    exportPrice: decimal("0.05")),
                TariffWindow(
                    label: "noon", times: TariffTimes(quarters: TariffTimes.quarters(from: 720, to: 840)!),
                    importPrice: decimal("0.20")),
                TariffWindow(label: "all", times: .always, importPrice: decimal("0.40"), exportPrice: decimal("0.09")),
            ]
        }
        let bill = bills(try even("2026-06-01", "2026-06-02", export: 250_000), [tariff], in: berlin).first
        #expect(
            bill?.printed == [
                "energy Energy, t, noon: 0.40", "energy Energy, t, all: 8.80", "export Export, t, sun: -0.05",
                "export Export, t, all: -2.07",
            ])
    }

    @Test func `two windows of one name and price are one line, and a holiday is no working day`() throws {
        let tariff = euro {
            $0.holidays = [CivilDate("2026-05-01")!]
            $0.windows = [(360, 600), (1020, 1200)].map { from, to in
                TariffWindow(
                    label: "peak",
                    times: TariffTimes(days: 0b001_1111, quarters: TariffTimes.quarters(from: from, to: to)!),
                    importPrice: decimal("0.50"))
            }
        }
        // Thursday and Friday: 7 hours of peak, and none on the holiday.
        let bill = bills(try even("2026-04-30", "2026-05-01"), [tariff], in: berlin).first
        #expect(amounts(bill) == ["energy 7 3.50", "energy 17 5.10"])
        #expect(
            amounts(bills(try even("2026-05-01", "2026-05-02"), [tariff], in: berlin).first) == ["energy 24 7.20"])
    }

    @Test func `a slot that crosses a tier is split at its border, and a new period begins at the first`() throws {
        let tariff = euro {
            $0.tiers = [
                TariffTier(upTo: 100_000, price: decimal("0.10")), TariffTier(upTo: 350_000, price: decimal("0.20")),
                TariffTier(upTo: nil, price: decimal("0.30")),
            ]
        }
        let january = bills(try even("2026-01-31", "2026-02-02", 250_000), [tariff], in: berlin)
        #expect(january.count == 2)
        #expect(january[0].lines.map(\.quantity.description) == ["0.1", "0.25", "23.65"])
        #expect(january[0].lines == january[1].lines)
        #expect(january[0].lines.map(\.kind) == [.tier, .tier, .tier])
    }

    @Test func `tiers of usage go on where the listing begins, and days sum to the whole`() throws {
        let tariff = euro {
            $0.tiers = [
                TariffTier(upTo: 30_000_000, price: decimal("0.10")), TariffTier(upTo: nil, price: decimal("0.30")),
            ]
            $0.levies = [Levy(label: "VAT", kind: .percent(Decimal(10)))]
        }
        let all = try even("2026-01-01", "2026-01-04")
        let settings = home([tariff])
        func cost(_ from: String, _ grouping: Grouping) throws -> [Decimal?] {
            UsageTable.rows(
                slots: all, devices: devices, settings: settings, zone: berlin, by: grouping, from: try time(from),
                to: try time("2026-01-04T00:00:00+01:00")
            ).filter { $0.name == "home" }.map(\.cost)
        }
        // 24 kWh a day: 24 × 0.11; 6 × 0.11 + 18 × 0.33; 24 × 0.33.
        #expect(
            try cost("2026-01-01T00:00:00+01:00", .day) == [decimal("2.64"), decimal("6.6"), decimal("7.92")])
        #expect(try cost("2026-01-03T00:00:00+01:00", .day) == [decimal("7.92")])
        #expect(try cost("2026-01-01T00:00:00+01:00", .month) == [decimal("17.16")])
    }

    @Test func `a demand charge takes the highest mean power of the slots that count`() throws {
        let tariff = euro("t", "0") {
            $0.demands = [
                DemandCharge(label: "any", price: Decimal(10), per: .month),
                DemandCharge(
                    label: "evening", price: Decimal(10), per: .month,
                    times: TariffTimes(quarters: TariffTimes.quarters(from: 1020, to: 1200)!)),
                DemandCharge(label: "least", price: decimal("36.5"), per: .year, minimum: 2_500_000),
            ]
        }
        let all = try slots("2026-04-01", "2026-05-01", in: berlin) { time, _ in
            (time.date.day == 7 && time.hour == 3 && time.minute == 15 ? 1_500_000 : time.hour == 18 ? 300_000 : 1, nil)
        }
        let bill = bills(all, [tariff], in: berlin).first
        // 1.5 kWh in a quarter of an hour are 6 kW; 0.3 are 1.2. 30 days of 365 at 36.50 are 3.00 a kW.
        #expect(
            amounts(bill).suffix(3) == ["demand 6 60.00", "demand 1.2 12.00", "demand 6 18.00"])
        let calm = bills(try even("2026-04-01", "2026-05-01", 250_000), [tariff], in: berlin).first
        #expect(amounts(calm).last == "demand 2.5 7.50")
    }

    @Test func `standing charges go by days, by the share of the period and by the share of the year`() throws {
        let tariff = euro("t", "0") {
            $0.standing = [
                StandingCharge(label: "d", amount: decimal("0.5"), per: .day),
                StandingCharge(label: "m", amount: Decimal(30), per: .month),
                StandingCharge(label: "y", amount: decimal("73.2"), per: .year),
            ]
        }
        let whole = bills(try even("2024-02-01", "2024-03-01"), [tariff], in: berlin).first
        // 29 days; one month; 73.2 × 29/366.
        #expect(amounts(whole).suffix(3) == ["standing 29 14.50", "standing 1 30.00", "standing 0.079234973 5.80"])
        let part = bills(try even("2026-04-21", "2026-04-24"), [tariff], in: berlin).first
        #expect(amounts(part).suffix(3).prefix(2) == ["standing 3 1.50", "standing 0.1 3.00"])
        // A gap costs its days, and days of 23 and 25 hours are days.
        let gap = try even("2026-03-28", "2026-03-29") + even("2026-03-30", "2026-03-31")
        #expect(amounts(bills(gap, [tariff], in: berlin).first).contains("standing 3 1.50"))
    }

    @Test func `a tariff that begins in the period has its days, its borders and its own taxes`() throws {
        let change = try time("2026-04-16T00:00:00+02:00")
        let old = euro("old") {
            $0.tiers = [
                TariffTier(upTo: 300_000_000, price: decimal("0.10")), TariffTier(upTo: nil, price: decimal("0.20")),
            ]
            $0.standing = [StandingCharge(label: "s", amount: Decimal(12), per: .month)]
            $0.levies = [Levy(label: "VAT", kind: .percent(Decimal(16)))]
        }
        var new = old
        new.name = "new"
        new.validFrom = change
        new.levies = [Levy(label: "VAT", kind: .percent(Decimal(19)))]
        let bill = bills(try even("2026-04-01", "2026-05-01"), [new, old], in: berlin).first
        #expect(bill?.tariff == "old, new")
        // 360 kWh each, the border at half of 300: 15 + 42, standing 6, 16 % and 19 % of 63.
        #expect(
            amounts(bill) == [
                "tier 150 15.00", "tier 210 42.00", "standing 0.5 6.00", "tax 63 10.08",
                "tier 150 15.00", "tier 210 42.00", "standing 0.5 6.00", "tax 63 11.97",
            ])
    }

    @Test func `taxes are taken in order, of the rounded lines that they name`() throws {
        let tariff = euro("t", "0.333") {
            $0.exportPrice = decimal("0.10")
            $0.standing = [StandingCharge(label: "s", amount: decimal("0.5"), per: .day)]
            $0.levies = [
                Levy(label: "duty", kind: .percent(Decimal(10)), base: .energy),
                Levy(label: "grid", kind: .perKilowattHour(decimal("0.05"))),
                Levy(label: "VAT", kind: .percent(Decimal(20))),
                Levy(label: "net", kind: .percent(Decimal(1)), base: [.energy, .export]),
            ]
        }
        let bill = bills(try even("2026-04-01", "2026-04-02", export: 125_000), [tariff], in: berlin).first
        // 24 × 0.333 = 7.992; −1.20; 0.50; 10 % of 7.99; 24 × 0.05; 20 % of 10.49 (2.098); 1 % of 6.79.
        #expect(
            amounts(bill) == [
                "energy 24 7.99", "export 12 -1.20", "standing 1 0.50", "tax 7.99 0.80", "levy 24 1.20",
                "tax 10.49 2.10", "tax 6.79 0.07",
            ])
        #expect(bill?.totalText == "11.46")
    }

    @Test func `energy without a price is told apart and never free, or has the fixed one where the tariff says so`()
        throws
    {
        var book = PriceBook()
        let first = Slot(containing: try time("2026-06-01T00:00:00+02:00"))
        book.take(
            PriceRun(list: "spot", currency: .euro, first: first, slotsPerPrice: 4, prices: [100_000_000, -50_000_000]))
        var tariff = euro { $0.dynamic = DynamicPrice(list: "spot", surcharge: decimal("0.02")) }
        let all = Array(try even("2026-06-01", "2026-06-02").prefix(12))
        let bill = bills(all, [tariff], in: berlin, prices: book).first
        // 0.12 and −0.03 for one kWh each; the third hour is not known.
        #expect(amounts(bill) == ["energy 2 0.09"])
        #expect(bill?.lines[0].price == decimal("0.045") && bill?.unpricedImport == 1_000_000)
        let rows = UsageTable.rows(
            slots: all, devices: devices, settings: home([tariff]), zone: berlin, by: .hour, from: first.start,
            to: all[11].slot.end, prices: book)
        #expect(rows.filter { $0.name == "home" }.map(\.cost) == [decimal("0.12"), decimal("-0.03"), nil])
        tariff.dynamic?.fallsBack = true
        let fallback = bills(all, [tariff], in: berlin, prices: book).first
        #expect(amounts(fallback) == ["energy 2 0.09", "energy 1 0.30"] && fallback?.unpricedImport == 0)
        // A list in another currency is none.
        tariff.dynamic?.fallsBack = false
        var other = tariff
        other.dynamic?.list = "dollars"
        book.take(
            PriceRun(list: "dollars", currency: Currency("USD")!, first: first, slotsPerPrice: 4, prices: [1]))
        #expect(bills(all, [other], in: berlin, prices: book).first?.unpricedImport == 3_000_000)
    }

    @Test func `feed-in follows a list, and is paid nothing while the market is negative where the tariff says so`()
        throws
    {
        var book = PriceBook()
        let first = Slot(containing: try time("2026-06-01T00:00:00+02:00"))
        book.take(
            PriceRun(
                list: "spot", currency: .euro, first: first, slotsPerPrice: 1,
                prices: [80_000_000, -40_000_000, 60_000_000]))
        let all = Array(try even("2026-06-01", "2026-06-02", 0, export: 1_000_000).prefix(4))
        func exports(_ change: (inout Tariff) -> Void) -> (amounts: [String], unpriced: Int64?) {
            let bill = bills(all, [euro("t", "0.30", change)], in: berlin, prices: book).first
            return (amounts(bill).filter { $0.hasPrefix("export") }, bill?.unpricedExport)
        }
        let follow = exports { $0.feedIn = FeedIn(dynamic: DynamicPrice(list: "spot")) }
        #expect(follow.amounts == ["export 3 -0.10"] && follow.unpriced == 1_000_000)
        let floor = exports { $0.feedIn = FeedIn(dynamic: DynamicPrice(list: "spot"), negative: .zero) }
        #expect(floor.amounts == ["export 3 -0.14"])
        let fixed = exports {
            $0.exportPrice = decimal("0.08")
            $0.feedIn = FeedIn(negative: .zero, negativeList: "spot")
        }
        #expect(fixed.amounts == ["export 3 -0.16"] && fixed.unpriced == 1_000_000)
        let backed = exports {
            $0.exportPrice = decimal("0.08")
            $0.feedIn = FeedIn(dynamic: DynamicPrice(list: "spot", fallsBack: true))
        }
        #expect(backed.amounts == ["export 4 -0.18"] && backed.unpriced == 0)
    }

    @Test func `a billing day cuts the bills`() throws {
        let tariff = euro("t", "0.10") { $0.standing = [StandingCharge(label: "", amount: Decimal(3), per: .month)] }
        let all = try even("2026-01-20", "2026-03-10")
        let fifteenth = bills(all, [tariff], in: berlin, billingDay: BillingDay(15)!)
        #expect(
            fifteenth.map { berlin.rfc3339($0.from).prefix(10) } == ["2026-01-15", "2026-02-15"])
        #expect(fifteenth[0].lines[0].quantity == Decimal(26 * 24))
        let last = bills(all, [tariff], in: berlin, billingDay: .last)
        #expect(last.map { berlin.rfc3339($0.from).prefix(10) } == ["2025-12-31", "2026-01-31", "2026-02-28"])
        #expect(last.reduce(Decimal.zero) { $0 + $1.lines[0].quantity } == Decimal(49 * 24))
    }

    @Test func `a price that is changed later prices the past anew`() throws {
        let all = try even("2026-04-01", "2026-04-02")
        let before = HomeSettings(
            name: "home", zone: "Europe/Berlin", tariffs: [euro { _ in }], validFrom: Timestamp(seconds: 0))
        let after = HomeSettings(
            name: "home", zone: "Europe/Berlin", tariffs: [euro("t", "0.40") { _ in }],
            validFrom: try time("2026-06-01T00:00:00Z"))
        func total(_ settings: [HomeSettings]) -> String? {
            Bills.bills(
                slots: all, devices: devices, settings: settings, zone: berlin, from: Timestamp(seconds: 0),
                to: Timestamp.validRange.upperBound
            ).first?.totalText
        }
        #expect(total([before]) == "7.20" && total([before, after]) == "9.60" && total([after, before]) == "9.60")
    }

    @Test func `a bill in yen has no decimals`() throws {
        var tariff = euro("t", "31.4") { _ in }
        tariff.currency = Currency("JPY")!
        #expect(bills(try even("2026-04-01", "2026-04-02"), [tariff], in: berlin).first?.total == Decimal(754))
    }
}
