import Testing

@testable import Usage

struct SelfSupplyTests {
    @Test func `a sunny day, worked out by hand`() {
        // 4 kWh from the grid, 10 from the roof, 6 to the grid: 4 of 10 used, 4 of 8 own.
        let day = SelfSupply(imported: 4_000_000, exported: 6_000_000, produced: 10_000_000)
        #expect(day?.selfConsumption == 4000)
        #expect(day?.autarky == 5000)
    }

    @Test func `a battery counts as use when it is charged and as supply when it gives`() {
        // Used: 1 + 10 + 3 − 5 − 2 = 7, of which 1 was bought.
        let day = SelfSupply(
            imported: 1_000_000, exported: 2_000_000, produced: 10_000_000, charged: 5_000_000, discharged: 3_000_000)
        #expect(day?.selfConsumption == 8000)
        #expect(day?.autarky == 8571)
    }

    @Test func `shares stay between nothing and all, and nothing is said of nothing`() {
        #expect(SelfSupply(imported: nil, exported: 0, produced: 1) == nil)
        #expect(SelfSupply(imported: 1, exported: 0, produced: nil) == nil)
        let night = SelfSupply(imported: 500, exported: 0, produced: 0)
        #expect(night?.selfConsumption == nil)
        #expect(night?.autarky == 0)
        let moreOutThanIn = SelfSupply(imported: 0, exported: 90, produced: 60, discharged: 40)
        #expect(moreOutThanIn?.selfConsumption == 0)
        #expect(moreOutThanIn?.autarky == 10_000)
        let idle = SelfSupply(imported: 0, exported: 5, produced: 5)
        #expect(idle?.autarky == nil)
        #expect(SelfSupply(imported: .max, exported: .max, produced: .max, discharged: .max)?.autarky == 5000)
    }

    @Test func `shares are written with one to four decimals`() {
        #expect([0, 1, 5000, 8571, 10_000].map(SelfSupply.text) == ["0.0", "0.0001", "0.5", "0.8571", "1.0"])
    }
}
