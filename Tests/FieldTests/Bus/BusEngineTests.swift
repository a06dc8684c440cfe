import Modbus
import Testing

/// The engine over a simulated line and clock: exact.
@Suite struct BusEngineTests {
    private let line = BusAddress.rtu(path: "/dev/line", baud: 9_600, parity: .none, stopBits: 1)

    /// Ten units with twenty registers each: 8 + 45 bytes and 10 ms are 65 ms a read, and 4 ms of gap.
    private func plan(period: Int64) -> BusPlan {
        BusPlan(
            units: (1...10).map {
                .init(unit: UInt8($0), groups: [.init(period: period, blocks: [.init(0..<20)])])
            })
    }

    /// 10 reads × 69.2 ms in 1.2 s: 58 % of the line.
    private let period: Int64 = 1_200_000

    private func healthy() -> [UInt8: SimulatedLine.Slave] {
        Dictionary(uniqueKeysWithValues: (1...10).map { (UInt8($0), SimulatedLine.Slave()) })
    }

    @Test func `ten healthy units are each read once in every period`() {
        var line = SimulatedLine(plan(period: period), slaves: healthy(), address: line)
        line.run(until: 120 * second)
        // All at the start, and then each at an instant of its own.
        for unit in 0..<10 { #expect(line.reads(of: unit, since: 12 * second) == 90) }
        for asked in line.asked { #expect((65_207...65_209).contains(asked.took)) }
        #expect(line.asked.count == line.results.count)
        #expect(line.timeouts(of: 1).isEmpty)
    }

    @Test func `one dead, one slow and one noisy: the others keep 95 per cent of their rate`() {
        var slaves = healthy()
        slaves[3]?.latency = nil
        slaves[5]?.latency = 900_000
        slaves[7]?.damaged = 300
        var line = SimulatedLine(plan(period: period), slaves: slaves, address: line)
        let minutes: Int64 = 10
        line.run(until: minutes * 60 * second)
        let full = Int(minutes * 60 * second / period)
        for unit in [0, 1, 3, 5, 7, 8, 9] {
            #expect(line.reads(of: unit) >= full * 95 / 100, "unit \(unit + 1): \(line.reads(of: unit)) of \(full)")
        }
        #expect(line.reads(of: 2) == 0)
        // The slow one slows down itself, and is read all the same; so is the noisy one.
        #expect(line.reads(of: 4) >= full * 30 / 100)
        #expect(line.reads(of: 6) >= full * 60 / 100)
    }

    @Test(arguments: [0, 30]) func `a dead unit costs one time-out per step of its quarantine`(diesAt: Int64) {
        var slaves = healthy()
        if diesAt == 0 { slaves[3]?.latency = nil }
        var line = SimulatedLine(plan(period: period), slaves: slaves, address: line)
        line.run(until: diesAt * second)
        line.slaves[3]?.latency = nil
        line.run(until: (diesAt + 600) * second)
        var timeouts = line.timeouts(of: 3)
        // One that was known to be there is asked a second time at once.
        if diesAt > 0 { timeouts.removeFirst() }
        var step: Int64 = 1
        for (one, next) in zip(timeouts, timeouts.dropFirst()) {
            let pause = next.at - one.at - one.took
            #expect(pause >= min(step, 60) * second, "a second time-out within the step of \(step) s")
            // Late by the spacing of attempts and by whoever is on the line just then.
            #expect(pause <= max(min(step, 60) * second, 24 * one.took) + 100_000)
            step *= 2
        }
        #expect(timeouts.count >= 12)
        // A small question, not the block.
        for asked in line.asked.dropFirst(1) where asked.request.unit == 3 && asked.at > (diesAt + 3) * second {
            #expect(asked.request.count <= 20)
        }
        let cost = timeouts.reduce(0) { $0 + $1.took }
        #expect(cost * 100 <= 600 * second * 5, "all attempts together take 4 % of the line and the first ones")
    }

    @Test func `a unit that returns is read within one step, all of its groups`() {
        var plan = plan(period: period)
        plan.units[2].groups.append(.init(period: 600 * second, blocks: [.init(100..<120)]))
        for absence in [5, 70, 400] as [Int64] {
            var line = SimulatedLine(plan, slaves: healthy(), address: line)
            line.run(until: 20 * second)
            line.slaves[3]?.latency = nil
            let returns = (20 + absence) * second
            line.run(until: returns)
            line.slaves[3]?.latency = 10_000
            let wait = line.engine.report(at: returns).units[2].nextAttempt
            let promised = returns + (wait ?? 0)
            #expect(wait.map { $0 <= 60 * second } == true)
            line.run(until: promised + period)
            #expect(line.reads(of: 2, since: returns) >= 1)
            #expect(line.reads(of: 2, group: 1, since: returns) == 1, "its counters are in the slow group")
            let after = line.reads(of: 2)
            line.run(until: promised + period + 60 * second)
            #expect(line.reads(of: 2) - after >= 49)
        }
    }

    @Test func `nine dead units leave the tenth its rate`() {
        var slaves = healthy()
        for unit in 2...10 { slaves[UInt8(unit)]?.latency = nil }
        var line = SimulatedLine(plan(period: 200_000), slaves: slaves, address: line)
        line.run(until: 600 * second)
        // The first round asks each of them once, then 4 % of the line is theirs.
        #expect(line.reads(of: 0, since: 30 * second) >= 2_850 * 95 / 100)
    }

    @Test func `the time-out is learned from the unit's own answers`() {
        var line = SimulatedLine(plan(period: period), slaves: healthy(), address: line)
        #expect(line.engine.report(at: 0).units[0].timeout == 300_000)
        line.run(until: 60 * second)
        // Twice 10 ms is below the floor.
        #expect(line.engine.report(at: line.now).units[0].timeout == 100_000)
        line.slaves[1]?.latency = 90_000
        line.run(until: 120 * second)
        #expect((179_990...180_000).contains(line.engine.report(at: line.now).units[0].timeout))
        // Slower than it ever was: asked once more with twice the time-out, and believed.
        line.slaves[1]?.latency = 250_000
        line.run(until: 180 * second)
        #expect((499_990...500_000).contains(line.engine.report(at: line.now).units[0].timeout))
        #expect(line.engine.report(at: line.now).units[0].quarantineStep == 0)
        #expect(line.reads(of: 0) >= 148)
    }

    @Test func `a unit within an overloaded line is not starved by units that ask for more`() {
        // Nine units that want the line all the time, and one that wants it each 10 s.
        var plan = plan(period: 100_000)
        plan.units[9].groups[0].period = 10 * second
        var line = SimulatedLine(plan, slaves: healthy(), address: line)
        line.run(until: 300 * second)
        #expect((30...31).contains(line.reads(of: 9)))
        let others = (0..<9).map { line.reads(of: $0) }
        #expect(others.min()! * 100 >= others.max()! * 90, "\(others)")
    }

    @Test func `a slow unit's long read is overtaken between its blocks`() {
        var plan = plan(period: period)
        plan.units[4].groups[0].blocks = (0..<5).map { .init($0 * 100..<$0 * 100 + 20) }
        var slaves = healthy()
        slaves[5]?.latency = 700_000
        var line = SimulatedLine(plan, slaves: slaves, address: line)
        line.run(until: 120 * second)
        for unit in [0, 1, 2, 3, 5, 6, 7, 8, 9] { #expect(line.reads(of: unit) >= 95, "unit \(unit + 1)") }
        // Five blocks of 0.77 s, in what the others leave of the line.
        let slow = line.results.filter { $0.unit == 4 }
        #expect(slow.count >= 10)
        #expect(slow.allSatisfy { $0.parts.count == 5 || !$0.isThere })
    }

    @Test func `a period that was missed is left out, not made up for`() {
        var line = SimulatedLine(
            BusPlan(units: [.init(unit: 1, groups: [.init(period: second, blocks: [.init(0..<2)])])]),
            slaves: [1: .init()], address: line)
        line.run(until: 5 * second)
        let before = line.reads(of: 0)
        line.now = 65 * second
        line.run(until: 70 * second)
        #expect(line.reads(of: 0) - before == 5)
    }
}
