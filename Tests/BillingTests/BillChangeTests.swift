import Metering
import Testing
import Timekeeping
import Usage

@testable import Billing

struct BillChangeTests {
    @Test func `one corrected slot changes the tier and the demand charge of its whole period, and no other`() throws {
        let berlin = try zone("Europe/Berlin")
        var tariff = Tariff(
            name: "t", currency: .euro, importPrice: decimal("0.30"), validFrom: Timestamp(seconds: 0))
        tariff.tiers = [
            TariffTier(upTo: 30_000_000, price: decimal("0.10")), TariffTier(upTo: nil, price: decimal("0.30")),
        ]
        tariff.demands = [DemandCharge(label: "peak", price: Decimal(10), per: .month)]
        let right = try slots("2026-01-01", "2026-03-01", in: berlin) { _, _ in (250_000, nil) }
        var wrong = right
        // 9 kW in one quarter of an hour of January, where 1 kW had flowed.
        wrong[1_000].imported = 2_250_000
        let changes = BillChange.between(
            bills(wrong, [tariff], in: berlin), bills(right, [tariff], in: berlin))
        #expect(changes.count == 2)
        // 30 kWh at 0.10, and 716 or 714 at 0.30; 10 for each kW.
        #expect(changes[0].before == decimal("307.80"))
        #expect(changes[0].after == decimal("227.20"))
        #expect(changes[0].lines.map(\.kind) == [.tier, .demand])
        #expect(changes[0].lines.map(\.before) == [decimal("214.80"), decimal("90")])
        #expect(changes[0].lines.map(\.after) == [decimal("214.20"), decimal("10")])
        #expect(changes[1].before == changes[1].after)
        #expect(changes[1].lines.isEmpty)
    }

    @Test func `a bill that comes to be, or is no more, is told with nothing on the other side`() throws {
        let berlin = try zone("Europe/Berlin")
        let tariff = Tariff(
            name: "t", currency: .euro, importPrice: decimal("0.30"), validFrom: Timestamp(seconds: 0))
        let some = bills(
            try slots("2026-01-01", "2026-01-02", in: berlin) { _, _ in (250_000, nil) }, [tariff], in: berlin)
        let new = try #require(BillChange.between([], some).first)
        #expect(new.before == nil && new.after == decimal("7.20"))
        #expect(new.lines.map(\.before) == [nil])
        let gone = try #require(BillChange.between(some, []).first)
        #expect(gone.before == decimal("7.20") && gone.after == nil)
        #expect(gone.lines.map(\.after) == [nil])
    }
}
