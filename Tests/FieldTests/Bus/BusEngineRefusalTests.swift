import Modbus
import Testing

/// What units refuse, and what else they say in place of words.
@Suite struct BusEngineRefusalTests {
    private let tcp = BusAddress.tcp(host: "meter", port: 502)

    private func line(
        _ blocks: [BusPlan.Block], _ slave: SimulatedLine.Slave, period: Int64 = second, address: BusAddress? = nil
    ) -> SimulatedLine {
        SimulatedLine(
            BusPlan(units: [.init(unit: 1, groups: [.init(period: period, blocks: blocks)])]), slaves: [1: slave],
            address: address ?? tcp)
    }

    private func addresses(_ result: GroupResult) -> [Range<Int>] {
        result.parts.compactMap { part in if case .success = part.result { part.range } else { nil } }
    }

    @Test func `a block with an illegal stretch is split until that stands alone, once`() {
        let block = BusPlan.Block(function: .input, spans: [0..<2, 2..<4, 10..<12, 12..<14, 20..<22])
        var line = line([block], .init(illegal: 12..<14))
        line.run(until: 10 * second)
        let first = line.results[0]
        #expect(addresses(first) == [0..<4, 10..<12, 20..<22])
        #expect(first.isThere)
        let refused = first.parts.filter { if case .failure = $0.result { true } else { false } }
        #expect(refused.map(\.range) == [12..<14])
        // Learned: three requests a round from now on, and none that is refused.
        #expect(line.results.count == 10)
        for result in line.results.dropFirst() {
            #expect(addresses(result) == [0..<4, 10..<12, 20..<22])
            #expect(result.parts.count == 3)
        }
        let unit = line.engine.report(at: line.now).units[0]
        #expect(unit.counters.exceptions == 4)
        #expect(unit.refused == 1 && unit.blocks == 4 && unit.plannedBlocks == 1)
    }

    @Test func `a hole between two wanted stretches is no longer read over`() {
        var line = line([.init(function: .input, spans: [0..<10, 30..<40])], .init(illegal: 15..<16))
        line.run(until: 3 * second)
        #expect(line.results.allSatisfy { addresses($0) == [0..<10, 30..<40] })
        #expect(line.results.count == 3)
        #expect(line.engine.report(at: line.now).units[0].counters.exceptions == 1)
    }

    @Test func `a unit that takes shorter requests only gets them`() {
        let spans = stride(from: 0, to: 120, by: 2).map { $0..<$0 + 2 }
        var line = line([.init(function: .input, spans: spans)], .init(most: 40))
        line.run(until: 2 * second)
        #expect(addresses(line.results[0]) == [0..<30, 30..<60, 60..<90, 90..<120])
        #expect(line.results[1].parts.count == 4)
    }

    @Test func `what is refused is asked for again after a minute, two, four`() {
        var line = line([.init(0..<2), .init(100..<102)], .init(illegal: 100..<102))
        line.run(until: 500 * second)
        let asked = line.asked.filter { $0.request.address == 100 }.map { $0.at / second }
        let pauses = zip(asked, asked.dropFirst()).map { $1 - $0 }
        // Late by up to the group's period.
        #expect(zip(pauses, [60, 120, 240]).allSatisfy { $0 == $1 || $0 == $1 + 1 } && pauses.count == 3, "\(pauses)")
        line.slaves[1]?.illegal = nil
        line.run(until: 1_000 * second)
        #expect(addresses(line.results[line.results.count - 1]) == [0..<2, 100..<102])
    }

    @Test func `a unit that was away is asked for its whole plan again`() {
        var line = line([.init(function: .input, spans: [0..<2, 10..<12])], .init(illegal: 10..<12))
        line.run(until: 10 * second)
        line.slaves[1]?.latency = nil
        line.run(until: 30 * second)
        line.slaves[1] = .init()
        line.run(until: 60 * second)
        #expect(addresses(line.results[line.results.count - 1]) == [0..<12])
    }

    @Test func `a unit that answers, but never to one block, is not taken for dead`() {
        var line = line([.init(0..<2), .init(function: .input, spans: [10..<12, 20..<22])], .init(mute: 20..<22))
        line.run(until: 60 * second)
        #expect(line.engine.report(at: line.now).units[0].quarantineStep == 0)
        #expect(line.results.allSatisfy { $0.isThere })
        // The block is cut, and what is left is silent alone and left out.
        #expect(addresses(line.results[line.results.count - 1]) == [0..<2, 10..<12])
    }

    @Test func `zeros are believed when they are said twice`() {
        var line = line([.init(0..<4)], .init())
        line.run(until: 3 * second)
        line.slaves[1]?.zeros = 1
        line.run(until: 6 * second)
        #expect(line.results.allSatisfy { $0.parts[0].result == .success([1, 2, 3, 4]) })
        #expect(line.results.count == 6)
        #expect(line.engine.report(at: line.now).units[0].counters.retries == 1)
        line.slaves[1]?.zeros = 1_000
        line.run(until: 7 * second)
        #expect(line.results[line.results.count - 1].parts[0].result == .success([0, 0, 0, 0]))
        // From then on they are nothing new.
        let retries = line.engine.report(at: line.now).units[0].counters.retries
        line.run(until: 17 * second)
        #expect(line.engine.report(at: line.now).units[0].counters.retries == retries)
    }

    @Test func `a busy unit is there, and asked again soon`() {
        var line = line([.init(0..<4)], .init(), period: 60 * second)
        line.run(until: second)
        line.slaves[1]?.exception = .deviceBusy
        line.run(until: 60 * second + 100_000)
        let busy = line.results[line.results.count - 1]
        #expect(busy.isThere)
        #expect(busy.parts.map(\.result) == [.failure(.exception(.deviceBusy))])
        line.slaves[1]?.exception = nil
        line.run(until: 61 * second)
        #expect(addresses(line.results[line.results.count - 1]) == [0..<4])
    }

    @Test func `a gateway that cannot reach a unit speaks of a silent one`() {
        var line = line([.init(0..<4)], .init(exception: .gatewayTargetSilent))
        line.run(until: 30 * second)
        #expect(line.results.allSatisfy { !$0.isThere })
        #expect(line.engine.report(at: line.now).units[0].quarantineStep == 5)
        #expect(line.reopened == 0)
    }

    @Test func `a connection over which nobody answers is opened afresh, one with a dead unit is not`() {
        let units = [1, 2].map {
            BusPlan.Unit(unit: UInt8($0), groups: [.init(period: second, blocks: [.init(0..<4)])])
        }
        var line = SimulatedLine(BusPlan(units: units), slaves: [1: .init(), 2: .init()], address: tcp)
        line.run(until: 10 * second)
        line.slaves[2]?.latency = nil
        line.run(until: 60 * second)
        // Its first two time-outs come one after the other; later ones have answers between them.
        #expect(line.reopened <= 1)
        let before = line.reopened
        line.slaves[1]?.latency = nil
        line.run(until: 120 * second)
        #expect(line.reopened > before)
    }

    @Test func `a bus that cannot be opened is tried again less and less often, and nobody is to blame`() {
        var line = line([.init(0..<4)], .init())
        line.run(until: 5 * second)
        line.trouble = "no such device"
        line.run(until: 65 * second)
        let away = line.results.filter { !$0.isThere }
        #expect(away.map { $0.parts[0].result } == [.failure(.cannotConnect("no such device"))])
        let tries = line.asked.filter { $0.at > 5 * second }
        #expect((30...36).contains(tries.count), "0.25, 0.5, 1 s and then each 2 s: \(tries.count)")
        #expect(line.engine.report(at: line.now).trouble == "no such device")
        line.trouble = nil
        let before = line.reads(of: 0)
        line.run(until: 68 * second)
        #expect(line.reads(of: 0) > before)
        #expect(line.engine.report(at: line.now).trouble == nil)
    }

    @Test func `after a time-out the next thing asked has another shape, so that a late answer cannot pass for it`() {
        let address = BusAddress.rtu(path: "/dev/line", baud: 9_600, parity: .none, stopBits: 1)
        let blocks: [BusPlan.Block] = [
            .init(function: .input, spans: [0..<2, 2..<4, 4..<6]), .init(function: .input, spans: [20..<22, 22..<26]),
        ]
        var line = line(blocks, .init(), address: address)
        line.run(until: 20 * second)
        line.slaves[1]?.latency = nil
        line.run(until: 21 * second + 500_000)
        let after = line.asked.filter { $0.at >= 20 * second }.map(\.request)
        #expect(after.count >= 2)
        #expect(![2, 4, 6].contains(after[1].count), "\(after[1].count) registers are what a block has")
    }

    @Test func `requests from outside the plan are answered, in turn with it`() {
        var line = line([.init(0..<4)], .init(), period: 1)
        let request = ModbusRequest(unit: 1, function: .input, address: 50, count: 2)
        for id in 1...BusLimits.maximumQueries {
            let isTaken = line.engine.ask(request, id: id, timeout: second)
            #expect(isTaken)
        }
        let isTaken = line.engine.ask(request, id: 0, timeout: second)
        #expect(!isTaken)
        line.run(until: 10 * second)
        let answers = line.engine.takeAnswers()
        #expect(answers.map(\.id) == Array(1...BusLimits.maximumQueries))
        #expect(answers.allSatisfy { $0.result == .success([51, 52]) })
        #expect(line.reads(of: 0) > 500)
    }
}
