import Metering
import Records
import Simulation
import Testing
import Timekeeping

@testable import Usage

/// Readings as (seconds, quantity, thousandths), in any order.
private typealias Line = (time: Int64, quantity: Quantity, value: Int64)

private func plug(_ lines: [Line], role: DeviceRole = .load) -> Meters {
    var meters = Meters(revisesDecisions: true)
    meters.add(Meters.device(1, role: role, watts: 11_000))
    for line in lines {
        meters.read(line.time, line.value, line.quantity)
        meters.settle()
    }
    return meters
}

struct PowerCurveTests {
    @Test func `a delta across a border goes where the power was`() {
        // Nothing until the quarter of an hour, then 3.6 kW: 20 Wh in 20 s. By time it would be a third and two.
        let meters = plug([
            (880, .power, 0), (890, .energyImport, 1_000_000), (900, .power, 3_600_000),
            (920, .energyImport, 1_020_000),
        ])
        #expect(meters.slots().filter(\.isKnown).map(\.imported) == [0, 20_000])
        #expect(meters.slots().filter(\.isKnown).map(\.measuredTime) == [10_000, 20_000])
    }

    @Test func `the power only tells the shares: the counter's total stays exact`() {
        // 100 W for 10 s, 200 W for 30 s: 1/7 and 6/7 of what the counter says, whatever the powers sum to.
        let meters = plug([
            (890, .power, 100_000), (890, .energyImport, 0), (900, .power, 200_000), (930, .energyImport, 10_000),
        ])
        #expect(meters.slots().filter(\.isKnown).map(\.imported) == [1_428, 8_572])
    }

    @Test func `a counter that speaks hourly is split by its power, and measured`() {
        var lines: [Line] = [(0, .energyImport, 5_000_000)]
        // 0, 1, 2 and 3 kW in the four quarters, told every minute.
        for minute in Int64(0)...60 { lines.append((60 * minute, .power, minute / 15 * 1_000_000)) }
        lines.append((3600, .energyImport, 6_500_001))
        let meters = plug(lines)
        #expect(meters.slots().filter(\.isKnown).map(\.imported) == [0, 250_000, 500_000, 750_001])
        #expect(meters.slots().filter(\.isKnown).allSatisfy { $0.quality == .measured && $0.estimated == 0 })
    }

    @Test func `a hole in the power, or no power at all, leaves the split to time`() {
        for lines in [
            [(0, .power, 0), (400, .power, 900_000), (1800, .energyImport, 30_000)],
            [(0, .power, 0), (300, .power, 0), (600, .power, 0), (900, .power, 0), (1800, .energyImport, 30_000)],
            [(0, .power, 900_000), (900, .power, 0), (1800, .energyImport, 30_000)],
        ] as [[Line]] {
            let meters = plug([(0, .energyImport, 0)] + lines)
            #expect(meters.slots().filter(\.isKnown).map(\.imported) == [15_000, 15_000])
        }
    }

    @Test func `a power that says nothing flowed leaves the split to time`() {
        var lines: [Line] = [(0, .energyImport, 0)]
        for minute in Int64(0)...30 { lines.append((60 * minute, .power, 0)) }
        let meters = plug(lines + [(1800, .energyImport, 30_000)])
        #expect(meters.slots().filter(\.isKnown).map(\.imported) == [15_000, 15_000])
    }

    @Test func `each direction, an inverter and a battery have their own curve`() {
        let meters = plug(
            [
                (870, .power, -600_000), (870, .energyExport, 0), (870, .energyImport, 0), (900, .power, 1_200_000),
                (930, .energyExport, 5_000), (930, .energyImport, 10_000),
            ], role: .grid)
        #expect(meters.slots().filter(\.isKnown).map(\.exported) == [5_000, 0])
        #expect(meters.slots().filter(\.isKnown).map(\.imported) == [0, 10_000])
        let inverter = plug(
            [
                (870, .productionPower, 600_000), (870, .productionEnergy, 0), (900, .productionPower, 1_200_000),
                (930, .productionEnergy, 15_000),
            ], role: .solar)
        #expect(inverter.slots().map(\.produced) == [5_000, 10_000])
        let battery = plug(
            [
                (870, .batteryPower, -600_000), (870, .batteryDischargeEnergy, 0), (900, .batteryPower, -1_200_000),
                (930, .batteryDischargeEnergy, 15_000),
            ], role: .battery)
        #expect(battery.slots().map(\.discharged) == [5_000, 10_000])
    }

    @Test func `it does not matter which of a message's values comes first`() {
        for swapped in [false, true] {
            var lines: [Line] = []
            for second in stride(from: Int64(0), through: 2700, by: 45) {
                let pair: [Line] = [
                    (second, .energyImport, second * second / 7), (second, .power, second * 1000 / 3),
                ]
                lines += swapped ? pair.reversed() : pair
            }
            let one = plug(lines)
            let other = plug(lines.sorted { ($0.time, $0.quantity.code) < ($1.time, $1.quantity.code) })
            #expect(one.differences(from: other) == [])
            #expect(!one.state.wantsRecompute)
        }
    }

    @Test func `a power that comes late splits anew what was booked`() throws {
        let lines: [Line] = [
            (840, .power, 0), (880, .energyImport, 0), (960, .energyImport, 8_000), (960, .power, 100_000),
            (1020, .energyImport, 9_000), (900, .power, 480_000),
        ]
        var meters = plug(lines)
        #expect(meters.slots().filter(\.isKnown).map(\.imported) == [2_000, 7_000])
        try meters.recompute()
        #expect(meters.slots().filter(\.isKnown).map(\.imported) == [0, 9_000])
    }

    @Test func `counter and power in any order within two hours give what the order of time gives`() throws {
        for seed in 1...20 as ClosedRange<UInt64> {
            var generator = SplitMix64(seed: seed)
            let counterClass: CounterClass = seed % 2 == 0 ? .lifetime : .volatile
            let lines = randomLines(&generator)
            let counter = Counter(quantity: .energyImport, counterClass: counterClass, step: 1000)
            var inTime = Meters(revisesDecisions: true)
            inTime.add(Meters.device(1, watts: 11_000, counters: [counter]))
            for line in lines { inTime.read(line.time, line.value, line.quantity) }
            // A counter silent for a day beside its power is asked for again in any order.
            try inTime.recompute()
            var mixed = Meters(revisesDecisions: true)
            mixed.add(Meters.device(1, watts: 11_000, counters: [counter]))
            try mixed.readMixed(lines, &generator)
            try mixed.recompute()
            #expect(mixed.differences(from: inTime) == [], "seed \(seed)")
        }
    }

    /// A counter with faults, and a power told on its own times with holes.
    private func randomLines(_ generator: inout SplitMix64) -> [Line] {
        let unruly = UnrulyCounter(&generator, count: 150)
        var lines: [Line] = unruly.readings.map { ($0.time, .energyImport, $0.value) }
        let last = lines.map(\.time).max() ?? 0
        var time = Int64.random(in: 0...2_000, using: &generator)
        while time < last {
            // A counter's silence of a day is not filled with a thousand powers.
            let isFar = !unruly.readings.contains { abs($0.time - time) < 2_000 }
            lines.append((time, .power, Int64.random(in: -200_000...3_000_000, using: &generator)))
            time += isFar ? 1_900 : Int64.random(in: 5...340, using: &generator)
        }
        return lines.enumerated().sorted { ($0.element.time, $0.offset) < ($1.element.time, $1.offset) }.map(\.element)
    }
}
