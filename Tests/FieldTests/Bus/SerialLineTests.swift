import Modbus
import Simulation
import Testing

/// Lines as adapters make them: ten slaves at once, and pulled out and put back.
@Suite(.serialized, .inRealTime, .timeLimit(.minutes(2)))
struct SerialLineTests {
    @Test func `ten slaves on one line, one dead, one slow and one noisy: the others are read all the time`()
        async throws
    {
        let world = try BusWorld(
            .serial, units: 1..<11, baud: 115_200, isPaced: true, options: ModbusOptions(responseTimeout: 400))
        world.server.setFault(.silent, unit: 3)
        world.server.setLatency(60, unit: 5)
        world.server.setFault(.damaged, unit: 7, permille: 300)
        // 2 × 6.3 ms with the gaps for each of ten, and the slow one's own time: 60 % of the line.
        let plan = BusWorld.plan(1..<11, period: 400_000)
        var step: Int?
        var counts: [Int] = []
        let results = try await world.results(of: plan) { results in
            let report = world.bus.report
            if let step {
                #expect(report.units[2].quarantineStep <= step + 1)
                return results.contains { $0.unit == 2 && $0.isThere }
            }
            guard results.story(of: 0).count >= 20 else { return false }
            counts = [0, 1, 3, 5, 7, 8, 9].map { results.story(of: $0).count { $0 == "words, words" } }
            #expect(report.units[2].counters.timeouts == report.units[2].quarantineStep, "one time-out for each step")
            #expect(report.units[2].counters.answers == 0)
            // It returns, and the next attempt finds it.
            step = report.units[2].quarantineStep
            world.server.setFault(nil, unit: 3)
            return false
        }
        // Without a clock: each of them gets what every other one gets, and nothing else comes from it.
        #expect((counts.min() ?? 0) * 100 >= (counts.max() ?? 1) * 95 - 100, "\(counts)")
        let report = world.bus.report
        for unit in [0, 1, 3, 5, 7, 8, 9] { #expect(report.units[unit].counters.errors == 0) }
        #expect(results.story(of: 4).contains("words, words") && results.story(of: 6).contains("words, words"))
        #expect(results.story(of: 2).last == "words, words")
        await world.end()
    }

    @Test func `an adapter that is pulled out at any time and put back is read again, under its name`() async throws {
        let world = try BusWorld(.serial)
        let line = try #require(world.line)
        let plan = BusWorld.plan(1..<3, period: 2_000)
        var rounds = 0
        var absent = false
        var seen = 0
        let results = try await world.results(of: plan) { results in
            let new = results[seen...]
            seen = results.count
            if absent, new.contains(where: { !$0.isThere }) {
                // Both are said to be away; nobody is to blame.
                try await line.plug()
                (absent, rounds) = (false, rounds + 1)
            } else if !absent, new.contains(where: \.isThere) {
                if rounds == 5 { return true }
                await line.unplug()
                absent = true
            }
            return false
        }
        #expect(results.last?.isThere == true)
        let bad = Set(results.story(of: 0) + results.story(of: 1)).subtracting(["words, words"])
        #expect(bad.isSubset(of: ["no bus", "words, no bus", "words, lost", "lost"]), "\(bad)")
        #expect(world.bus.report.connects >= 6)
        #expect(world.bus.report.units.allSatisfy { $0.quarantineStep == 0 })
        await world.end()
    }

    @Test func `a line that somebody else uses says so`() async throws {
        let world = try BusWorld(.serial)
        let line = try #require(world.line)
        #expect(try await world.bus.read(unit: 1, function: .input, address: 0, count: 1) == [BusWorld.word(1, 0)])
        let other = try ModbusBus(line.address)
        do {
            _ = try await other.read(unit: 1, function: .input, address: 0, count: 1)
            Issue.record("two at once")
        } catch {
            #expect(error.cause == .cannotConnect("the line is in use by another program"))
        }
        await world.bus.close()
        #expect(try await other.read(unit: 1, function: .input, address: 5, count: 1) == [BusWorld.word(1, 5)])
        await other.close()
        await world.end()
    }

    @Test func `RS-485 mode is asked for, and where the driver has none that is only noted`() async throws {
        let world = try BusWorld(.serial, options: ModbusOptions(switchesRS485: true))
        #expect(try await world.bus.read(unit: 1, function: .input, address: 0, count: 1) == [BusWorld.word(1, 0)])
        _ = try await world.bus.read(unit: 1, function: .input, address: 0, count: 1)
        #expect(world.bus.report.note?.contains("RS-485") == true)
        await world.end()
    }
}
