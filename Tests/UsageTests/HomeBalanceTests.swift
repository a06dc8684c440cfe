import Metering
import Testing
import Timekeeping

@testable import Usage

struct HomeBalanceTests {
    private let slot = Slot(index: 100)

    private func usage(
        _ device: UInt64, _ channel: Channel = .total, imported: Int64? = nil, exported: Int64? = nil,
        produced: Int64? = nil, charged: Int64? = nil, discharged: Int64? = nil, measured: Int64 = Slot.length
    ) -> SlotUsage {
        SlotUsage(
            device: Meters.id(device), channel: channel, slot: slot, imported: imported, exported: exported,
            produced: produced, charged: charged, discharged: discharged, measuredTime: measured)
    }

    @Test func `what no sub-meter explains is unmetered, and a child of a child is not counted twice`() {
        let balance = HomeBalance(devices: [
            Meters.device(1, role: .grid), Meters.device(2, parent: 1), Meters.device(3, parent: 2),
            Meters.device(4), Meters.device(5, parent: 99), Meters.device(6, role: .solar),
            Meters.device(7, role: .battery), Meters.device(8, role: .gateway),
        ])
        let result = balance.balance([
            usage(1, imported: 1000, exported: 200), usage(2, imported: 300), usage(3, imported: 250),
            usage(4, imported: 100), usage(5, imported: 50), usage(6, produced: 500),
            usage(7, charged: 400, discharged: 30), usage(8, imported: 7),
        ])
        #expect(result.home?.imported == 1000)
        #expect(result.home?.exported == 200)
        #expect(result.home?.produced == 500)
        // 1000 − 200 + 500 + 30 − 400 − 300 − 100 − 50
        #expect(result.unmetered?.imported == 480)
        #expect(result.unmetered?.exported == 0)
    }

    @Test func `sub-meters that say more than the grid give a negative rest`() {
        let balance = HomeBalance(devices: [Meters.device(1, role: .grid), Meters.device(2)])
        let result = balance.balance([usage(1, imported: 100), usage(2, imported: 130, measured: 600_000)])
        #expect(result.unmetered?.imported == 0)
        #expect(result.unmetered?.exported == 30)
        #expect(result.unmetered?.measuredTime == 600_000)
        #expect(result.home?.measuredTime == Slot.length)
    }

    @Test func `nothing is unmetered without a grid meter, without sub-meters, or where the grid is not known`() {
        let loads = HomeBalance(devices: [Meters.device(1), Meters.device(2, parent: 1), Meters.device(3)])
        let sum = loads.balance([usage(1, imported: 10), usage(2, imported: 5), usage(3, imported: 7)])
        #expect(sum.home?.imported == 17)
        #expect(sum.home?.exported == nil)
        #expect(sum.unmetered == nil)
        let metered = HomeBalance(devices: [Meters.device(1, role: .grid), Meters.device(2)])
        #expect(metered.balance([usage(1, imported: 10)]).unmetered == nil)
        #expect(metered.balance([usage(1, imported: 10)]).home?.imported == 10)
        let unknown = metered.balance([usage(2, imported: 10)])
        #expect(unknown.home == nil)
        #expect(unknown.unmetered == nil)
        #expect(metered.balance([]).home == nil)
    }

    @Test func `a device is its total, else its outputs, else its phases`() {
        let all = [
            usage(1, .output(0), imported: 1), usage(1, .output(1), imported: 2), usage(1, .phase(1), imported: 10),
            usage(1, .phase(2), imported: 20), usage(1, imported: 100),
        ]
        #expect(HomeBalance.total(of: all)?.imported == 100)
        #expect(HomeBalance.total(of: all.dropLast())?.imported == 3)
        #expect(HomeBalance.total(of: all[2...3])?.imported == 30)
        #expect(HomeBalance.total(of: [usage(1, Channel("t1")!, imported: 5)]) == nil)
    }

    @Test func `no energies trap`() {
        let balance = HomeBalance(devices: [Meters.device(1, role: .grid), Meters.device(2)])
        for a in [Int64.min, .max, 0] {
            for b in [Int64.min, .max, 0] {
                _ = balance.balance([
                    usage(1, imported: a, exported: b), usage(2, imported: b, exported: a, measured: .max),
                ])
            }
        }
    }

    @Test func `phases read before the total do not become the home's energy`() {
        let grid = Meters.device(1, role: .grid)
        let phases = [usage(1, Channel("l1")!, imported: 1), usage(1, Channel("l2")!, imported: 2)]
        #expect(HomeBalance(devices: [grid]).balance(phases).home?.imported == 3)
        #expect(HomeBalance(devices: [grid], totalCounters: [grid.id]).balance(phases).home == nil)
        let whole = phases + [usage(1, .total, imported: 4)]
        #expect(HomeBalance(devices: [grid], totalCounters: [grid.id]).balance(whole).home?.imported == 4)
    }
}
