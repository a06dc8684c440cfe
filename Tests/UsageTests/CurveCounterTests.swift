import Metering
import Records
import Simulation
import Testing
import Timekeeping

@testable import Usage

/// Readings as (seconds, quantity, thousandths), in any order.
private typealias Line = (time: Int64, quantity: Quantity, value: Int64)

private func meter(_ lines: [Line]) -> Meters {
    var meters = Meters(revisesDecisions: true)
    meters.add(Meters.device(1, role: .grid, watts: 11_000))
    for line in lines {
        meters.read(line.time, line.value, line.quantity)
        meters.settle()
    }
    return meters
}

/// The power curve beside registers that run both ways, and beside amounts.
struct CurveCounterTests {
    /// A net register read at `from` and `to`, `rise` mWh apart, and the powers between.
    private func net(_ from: Int64, _ to: Int64, rise: Int64, _ powers: [(Int64, Int64)]) -> [SlotUsage] {
        let powers: [Line] = powers.map { ($0.0, .power, $0.1) }
        let lines: [Line] = [(from, .energyNet, 7_000_000)] + powers + [(to, .energyNet, 7_000_000 + rise)]
        let meters = meter(lines)
        #expect(!meters.state.wantsRecompute)
        return meters.slots().filter(\.isKnown)
    }

    @Test func `a net register's rise across a border goes where the power was`() {
        // Nothing until the quarter of an hour, then 3.6 kW.
        let slots = net(890, 920, rise: 20_000, [(890, 0), (900, 3_600_000)])
        #expect(slots.map(\.imported) == [0, 20_000])
        #expect(slots.map(\.exported) == [0, 0])
        // The other way.
        let fed = net(890, 920, rise: -20_000, [(890, 0), (900, -3_600_000)])
        #expect(fed.map(\.exported) == [0, 20_000])
        #expect(fed.map(\.imported) == [0, 0])
    }

    @Test func `what flowed in before the border and back after it is told apart`() {
        // 60 Wh in and 20 Wh out, as the register would have shown at the border.
        let slots = net(840, 960, rise: 40_000, [(840, 3_600_000), (900, -1_200_000)])
        #expect(slots.map(\.imported) == [60_000, 0])
        #expect(slots.map(\.exported) == [0, 20_000])
        // It shows 8 Wh more than the power tells: in proportion to the 80 Wh that flowed, either way.
        let more = net(840, 960, rise: 48_000, [(840, 3_600_000), (900, -1_200_000)])
        #expect(more.map(\.imported) == [66_000, 0])
        #expect(more.map(\.exported) == [0, 18_000])
        // As much in as out: neither is nothing.
        let even = net(840, 960, rise: 0, [(840, 1_800_000), (900, -1_800_000)])
        #expect(even.map(\.imported) == [30_000, 0])
        #expect(even.map(\.exported) == [0, 30_000])
    }

    @Test func `a power that cannot be true beside a net register turns no direction`() {
        // 60 Wh in and 20 Wh out by the power, 200 Wh in by the register: all of it where something came in.
        let slots = net(840, 960, rise: 200_000, [(840, 3_600_000), (900, -1_200_000)])
        #expect(slots.map(\.imported) == [200_000, 0])
        #expect(slots.map(\.exported) == [0, 0])
        // By the power all came in, by the register something went out: by time.
        let against = net(840, 960, rise: -10_000, [(840, 1_200_000)])
        #expect(against.map(\.exported) == [5_000, 5_000])
        #expect(against.map(\.imported) == [0, 0])
    }

    @Test func `a net register that speaks hourly is split by its power, and measured`() {
        // 2, −1, 0 and 1 kW in the four quarters, told every minute.
        let watts: [Int64] = [2000, -1000, 0, 1000, 1000]
        let powers = (Int64(0)...59).map { (60 * $0, 1000 * watts[Int($0 / 15)]) }
        let slots = net(0, 3600, rise: 500_000, powers)
        #expect(slots.map(\.imported) == [500_000, 0, 0, 250_000])
        #expect(slots.map(\.exported) == [0, 250_000, 0, 0])
        #expect(slots.allSatisfy { $0.quality == .measured && $0.estimated == 0 })
    }

    @Test func `an amount across a border goes where the power was, the amount exact`() {
        let meters = meter([
            (600, .energyImportDelta, 0), (600, .power, 0), (780, .power, 0), (900, .power, 100_000),
            (1_000, .power, 300_000), (1_200, .energyImportDelta, 10_001),
        ])
        // 100 W for 100 s and 300 W for 200 s, all after the border.
        #expect(meters.slots().filter(\.isKnown).map(\.imported) == [0, 10_001])
        let both = meter([
            (600, .energyImportDelta, 500), (600, .power, 100_000), (900, .power, 200_000),
            (1_200, .energyImportDelta, 10_000),
        ])
        #expect(both.slots().filter(\.isKnown).map(\.imported) == [500 + 3_333, 6_667])
        #expect(both.sum() == 10_500)
    }

    @Test func `with a hole in the power, or after a silence, an amount is split by time`() {
        for lines in [
            [(600, .power, 0), (1_000, .power, 900_000), (1_200, .energyImportDelta, 30_000)],
            [(600, .power, 0), (630, .energyImportDelta, 0), (1_170, .energyImportDelta, 30_000)],
        ] as [[Line]] {
            let meters = meter([(600, .energyImportDelta, 0)] + lines)
            #expect(meters.slots().filter(\.isKnown).map(\.imported) == [15_000, 15_000])
        }
        // Nobody knows when an amount after a silence began: it lies in the time that a value holds.
        let silent = meter(
            [(0, .energyImportDelta, 0)] + (0...34).map { (60 * $0, .power, $0 < 30 ? 0 : 600_000) }
                + [(2_000, .energyImportDelta, 33_000)])
        #expect(silent.slots().filter(\.isKnown).map(\.imported) == [0, 13_000, 20_000])
    }

    @Test(arguments: [CounterClass.net, .delta, .lifetime])
    func `whatever comes, in any order, energy is conserved and slots are those of the order of time`(
        counterClass: CounterClass
    ) throws {
        for seed in 1...16 as ClosedRange<UInt64> {
            var generator = SplitMix64(seed: seed)
            let (lines, expected) = randomLines(counterClass, &generator)
            let counter = Counter(quantity: .energyImport, counterClass: counterClass, step: 1)
            var inTime = Meters(revisesDecisions: true)
            inTime.add(Meters.device(1, watts: 11_000, counters: [counter]))
            for line in lines { inTime.read(line.time, line.value, line.quantity) }
            try inTime.recompute()
            var mixed = Meters(revisesDecisions: true)
            mixed.add(Meters.device(1, watts: 11_000, counters: [counter]))
            try mixed.readMixed(lines, &generator)
            try mixed.recompute()
            #expect(mixed.differences(from: inTime) == [], "seed \(seed)")
            for meters in [inTime, mixed] {
                let net = counterClass == .net ? meters.sum(1, \.exported) : 0
                #expect(meters.sum() - net == expected, "seed \(seed)")
                #expect(meters.kinds.allSatisfy { $0 == .late }, "seed \(seed)")
                #expect(
                    meters.slots().allSatisfy { ($0.imported ?? 0) >= 0 && ($0.exported ?? 0) >= 0 }, "seed \(seed)")
            }
        }
    }

    /// A counter that tells what flowed, roughly as its power does, each at times of its own and with holes; and what
    /// its slots must sum to.
    private func randomLines(_ counterClass: CounterClass, _ generator: inout SplitMix64) -> ([Line], Int64) {
        var lines: [Line] = []
        var (time, register, expected) = (Int64(10), Int64(9_000_000), Int64(0))
        for number in 0..<120 {
            let isLong = number > 0 && generator.next() % 12 == 0
            let wait = Int64.random(in: isLong ? 1_000...9_000 : 5...600, using: &generator)
            time += wait
            let least = counterClass == .net ? -wait * 800 : 0
            let energy = Int64.random(in: least...wait * 900, using: &generator)
            register += energy
            if counterClass == .delta || number > 0 { expected += energy }
            lines.append((time, .energyImport, counterClass == .delta ? energy : register))
        }
        var instant = Int64.random(in: 0...2_000, using: &generator)
        while instant < time {
            lines.append((instant, .power, Int64.random(in: -2_000_000...3_000_000, using: &generator)))
            let longest: Int64 = generator.next() % 9 == 0 ? 900 : 320
            instant += Int64.random(in: 5...longest, using: &generator)
        }
        let sorted = lines.enumerated().sorted {
            ($0.element.time, $0.offset) < ($1.element.time, $1.offset)
        }
        return (sorted.map(\.element), expected)
    }

    @Test func `shares of random powers sum to what the register says, mirrored when all is turned round`() throws {
        var generator = SplitMix64(seed: 11)
        for run in 0..<3_000 {
            let works = (0..<Int.random(in: 2...6, using: &generator)).reduce(into: [Int64]()) { works, _ in
                let part = Int64.random(in: -4_000_000_000...4_000_000_000, using: &generator)
                works.append((works.last ?? 0) + (generator.next() % 5 == 0 ? 0 : part))
            }
            let rise = Int64.random(in: -3_000...3_000, using: &generator)
            let shares = PowerShares(from: 0, works: works)
            guard let levels = shares.netLevels(of: rise) else { continue }
            #expect(levels.count == works.count - 1)
            let turned = PowerShares(from: 0, works: works.map { -$0 }).netLevels(of: -rise)
            #expect(turned == levels.map { -$0 }, "run \(run)")
            // No part flows against its power, but for what rounding leaves.
            for (i, level) in (levels + [rise]).enumerated() {
                let part = level - (i == 0 ? 0 : levels[i - 1])
                let work = works[i] - (i == 0 ? 0 : works[i - 1])
                #expect(part.signum() * work.signum() >= 0 || part.magnitude <= 1, "run \(run), part \(i)")
            }
        }
    }
}
