import Metering
import Simulation
import Testing
import Timekeeping
import Usage

@testable import Billing

/// Random tariffs over random slots: bills and usage, which work their prices out apart, have to agree.
struct BillPropertyTests {
    private struct World {
        var random: SplitMix64

        mutating func number(_ range: ClosedRange<Int>) -> Int { Int.random(in: range, using: &random) }
        mutating func flag() -> Bool { Bool.random(using: &random) }

        mutating func price() -> Decimal { Decimal(nano: Int64(number(-50_000_000...600_000_000))) }

        mutating func times() -> TariffTimes {
            let from = number(0...95) * 15
            let to = (from + number(1...95) * 15) % 1440
            return TariffTimes(
                days: UInt8(number(0...255)), months: flag() ? TariffTimes.allMonths : UInt16(number(0...4095)),
                quarters: TariffTimes.quarters(from: from, to: to) ?? 0)
        }

        mutating func tariff(_ name: String, from: Timestamp) -> Tariff {
            var tariff = Tariff(
                name: name, currency: .euro, importPrice: price(), exportPrice: flag() ? price() : nil, validFrom: from)
            switch number(0...3) {
            case 0:
                tariff.windows = (0..<number(1...4)).map { i in
                    TariffWindow(
                        label: "w\(i)", times: times(), importPrice: flag() ? price() : nil,
                        exportPrice: flag() ? price() : nil)
                }
            case 1:
                tariff.tiers = [
                    TariffTier(upTo: Int64(number(1...40_000_000)), price: price()),
                    TariffTier(upTo: Int64(number(40_000_001...90_000_000)), price: price()),
                    TariffTier(upTo: nil, price: price()),
                ]
                tariff.tiersPerDay = flag()
            case 2:
                tariff.dynamic = DynamicPrice(list: "spot", factor: price(), surcharge: price(), fallsBack: flag())
                if flag() {
                    tariff.feedIn = FeedIn(
                        dynamic: flag() ? DynamicPrice(list: "spot", surcharge: price()) : nil,
                        negative: flag() ? .zero : .pay, negativeList: nil)
                }
            default: break
            }
            tariff.levies = (0..<number(0...3)).map { i in
                Levy(label: "l\(i)", kind: .perKilowattHour(price()), times: flag() ? .always : times())
            }
            return tariff
        }

        mutating func book(_ first: Slot, _ count: Int) -> PriceBook {
            var book = PriceBook()
            var slot = first
            while slot.index < first.index + Int64(count) {
                let prices = (0..<number(1...40)).map { _ in Int64(number(-80_000_000...300_000_000)) }
                book.take(
                    PriceRun(list: "spot", currency: .euro, first: slot, slotsPerPrice: number(1...4), prices: prices))
                slot = Slot(index: slot.index + Int64(prices.count * 2 + number(0...30)))
            }
            return book
        }
    }

    @Test(arguments: 1...24 as ClosedRange<UInt64>)
    func `what usage costs is what the bills' lines of energy and levies say`(seed: UInt64) throws {
        var world = World(random: SplitMix64(seed: seed))
        let names = ["Europe/Berlin", "Australia/Lord_Howe", "America/New_York", "Asia/Kathmandu"]
        let place = try zone(names[world.number(0...3)])
        let begin = place.start(of: try #require(LocalDay("2026-03-20")))
        let first = Slot(containing: begin)
        let count = 96 * 20
        let tariffs = [
            world.tariff("a", from: Timestamp(seconds: 0)),
            world.tariff("b", from: begin + Int64(world.number(0...(20 * 24))) * Span.hour),
        ]
        let day = try #require(BillingDay(world.number(1...28)))
        let settings = [
            HomeSettings(
                name: "h", zone: place.name, tariffs: tariffs, validFrom: Timestamp(seconds: 0), billingDay: day)
        ]
        let book = world.book(first, count)
        var all: [SlotUsage] = []
        for i in 0..<count where world.number(0...20) != 0 {
            all.append(
                usage(
                    meter, Slot(index: first.index + Int64(i)), imported: Int64(world.number(0...400_000)),
                    exported: world.flag() ? Int64(world.number(0...200_000)) : nil))
        }
        let (from, to) = (first.start, Slot(index: first.index + Int64(count)).start)
        let bills = Bills.bills(
            slots: all, devices: devices, settings: settings, zone: place, from: from, to: to, prices: book)
        let rows = UsageTable.rows(
            slots: all, devices: devices, settings: settings, zone: place, by: .slot, from: from, to: to, prices: book
        ).filter { $0.name == "home" }
        let priced = rows.filter { $0.cost != nil }
        let place2 = Comment(rawValue: "seed \(seed)")
        // No energy is in two lines or in none.
        let lines = bills.flatMap(\.lines)
        let billed = lines.filter { $0.kind == .energy || $0.kind == .tier }.reduce(Decimal.zero) { $0 + $1.quantity }
        let unpriced = bills.reduce(0) { $0 + $1.unpricedImport }
        let taken = all.reduce(0) { $0 + ($1.imported ?? 0) }
        #expect(billed + Decimal(1).times(milliwattHours: unpriced) == Decimal(1).times(milliwattHours: taken), place2)
        for bill in bills { #expect(bill.total == bill.lines.reduce(.zero) { $0 + $1.amount }, place2) }
        // A slot with energy or export of unknown price has no cost, but its other half and its levies are billed.
        guard unpriced == 0, bills.allSatisfy({ $0.unpricedExport == 0 }) else { return }
        let usageCost = priced.reduce(Decimal.zero) { $0 + ($1.cost ?? .zero) }
        let total = bills.reduce(Decimal.zero) { $0 + $1.total }
        let difference = usageCost - total
        let limit = Decimal(Int64(lines.count)).times(decimal("0.005")) + decimal("0.0001")
        #expect(difference <= limit && difference >= Decimal.zero - limit, place2)
    }

    @Test(arguments: 1...6 as ClosedRange<UInt64>)
    func `bills and usage do not depend on how slots are handed over`(seed: UInt64) throws {
        var world = World(random: SplitMix64(seed: seed &+ 1000))
        let place = try zone("Europe/Berlin")
        let first = Slot(containing: place.start(of: try #require(LocalDay("2026-10-20"))))
        let settings = [
            HomeSettings(
                name: "h", zone: place.name, tariffs: [world.tariff("a", from: Timestamp(seconds: 0))],
                validFrom: Timestamp(seconds: 0))
        ]
        let book = world.book(first, 96 * 20)
        let all = (0..<96 * 20).map { i in
            usage(meter, Slot(index: first.index + Int64(i)), imported: Int64(world.number(0...400_000)))
        }
        let pricing = Pricing(settings: settings, zone: place, prices: book)
        let span = Period(from: first.start, to: Timestamp.validRange.upperBound)
        func hours(from: Timestamp) -> [UsageRow] {
            var table = UsageTable(
                devices: devices, pricing: pricing, by: .hour, span: Period(from: from, to: span.to))
            for slot in all { table.add(slot) }
            return table.finish().filter { $0.name == "home" }
        }
        let whole = hours(from: span.from)
        // A listing that begins later says the same of what it has: tiers go on.
        let later = place.start(of: try #require(LocalDay("2026-10-27")))
        #expect(hours(from: later) == whole.filter { $0.from >= later }, "seed \(seed)")
    }
}
