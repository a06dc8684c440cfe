import Metering
import Testing
import Timekeeping

@testable import Billing

struct PriceBookTests {
    private func run(_ first: Int64, _ prices: [Int64], slots: Int = 1, _ list: String = "spot") -> PriceRun {
        PriceRun(list: list, currency: .euro, first: Slot(index: first), slotsPerPrice: slots, prices: prices)
    }

    @Test func `the later price of a slot counts, and days before 1970 are days`() {
        var book = PriceBook()
        book.take(run(-2, [1, 2, 3, 4]))
        book.take(run(0, [7], slots: 4))
        #expect((-3..<5).map { book.nano("spot", at: Slot(index: $0)) } == [nil, 1, 2, 7, 7, 7, 7, nil])
        #expect(book.bounds(of: "spot")?.from == Slot(index: -2) && book.bounds(of: "spot")?.to == Slot(index: 4))
        #expect(book.bounds(of: "x") == nil && book.price("x", at: Slot(index: 0)) == nil)
    }

    @Test func `only what says something new is news`() {
        var book = PriceBook()
        #expect(book.news(in: run(0, [1, 2])) == [run(0, [1, 2])])
        book.take(run(0, [1, 2, 3], slots: 4))
        #expect(book.news(in: run(0, [1, 2, 3], slots: 4)).isEmpty)
        #expect(
            book.news(in: run(0, [9, 2, 8, 5], slots: 4)) == [run(0, [9], slots: 4), run(8, [8, 5], slots: 4)])
    }

    @Test func `lists and days are bounded, and what is beyond is counted`() {
        var book = PriceBook()
        for i in 0...PriceBook.maximumLists { book.take(run(0, [1], "list \(i)")) }
        #expect(book.names.count == PriceBook.maximumLists && book.refused == 1)
    }

    @Test func `what a changed price changes is told by spans`() throws {
        func settings(_ tariffs: [Tariff]) -> HomeSettings {
            HomeSettings(name: "h", zone: "UTC", tariffs: tariffs, validFrom: Timestamp(seconds: 0))
        }
        let old = settings([
            try tariff("a", "0.3", from: "2026-01-01T00:00:00Z"), try tariff("b", "0.4", from: "2026-03-01T00:00:00Z"),
        ])
        #expect(TariffChange.between(old, old).isEmpty)
        // A version that says the same again changes nothing, one in between only its span.
        let same = settings(old.tariffs + [try tariff("b", "0.4", from: "2026-05-01T00:00:00Z")])
        #expect(TariffChange.between(old, same).isEmpty)
        let new = settings([
            old.tariffs[0], try tariff("a", "0.35", from: "2026-02-01T00:00:00Z"), old.tariffs[1],
        ])
        let changes = TariffChange.between(old, new)
        #expect(changes.count == 1)
        #expect(try changes[0].from == time("2026-02-01T00:00:00Z"))
        #expect(try changes[0].to == time("2026-03-01T00:00:00Z"))
        #expect(changes[0].before?.importPrice == decimal("0.3") && changes[0].after?.importPrice == decimal("0.35"))
        #expect(changes[0].differences == ["import 0.3 -> 0.35"])
        // What is no more in the configuration has no price any more.
        let gone = TariffChange.between(old, settings([old.tariffs[1]]))
        #expect(gone.count == 1 && gone[0].after == nil && gone[0].to == old.tariffs[1].validFrom)
    }

    @Test func `every part of a tariff that is another is told by name`() throws {
        var before = try tariff("a", "0.3", from: "2026-01-01T00:00:00Z")
        before.exportPrice = decimal("0.08")
        before.standing = [StandingCharge(label: "Meter", amount: decimal("1.5"), per: .month)]
        before.levies = [Levy(label: "VAT", kind: .percent(Decimal(19)))]
        let peak = TariffTimes(
            days: 0b001_1111, months: 0b1110_0000_0111, quarters: TariffTimes.quarters(from: 7 * 60, to: 1215)!)
        before.windows = [TariffWindow(label: "peak", times: peak, importPrice: decimal("0.41"))]
        var after = before
        #expect(TariffChange(from: before.validFrom, before: before, after: after).differences.isEmpty)
        after.importPrice = decimal("0.29")
        after.exportPrice = nil
        after.standing[0].amount = decimal("1.75")
        after.standing.append(StandingCharge(label: "Meter", amount: decimal("3"), per: .year))
        after.levies[0].kind = .percent(Decimal(7))
        after.windows[0].times.months = TariffTimes.allMonths
        after.holidays = [CivilDate("2026-12-25")!]
        after.dynamic = DynamicPrice(list: "spot", surcharge: decimal("0.15"))
        #expect(
            TariffChange(from: before.validFrom, before: before, after: after).differences == [
                "import 0.3 -> 0.29", "export 0.08 -> none",
                "peak times mon-fri 07:00-20:15 jan-mar oct-dec -> mon-fri 07:00-20:15",
                "Meter 1.5 per month -> 1.75 per month",
                "VAT 19 % on energy, standing, demand, levies -> 7 % on energy, standing, demand, levies",
                "dynamic none -> 1 × spot + 0.15", "Meter (2) none -> 3 per year", "holidays none -> 2026-12-25",
            ])
        #expect(TariffChange(from: before.validFrom, before: nil, after: after).differences.isEmpty)
    }
}
