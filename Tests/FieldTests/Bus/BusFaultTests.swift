import Modbus
import Simulation
import Testing

/// Every fault of a slave on real wires, with exactly what survives it.
@Suite(.serialized, .inRealTime, .timeLimit(.minutes(2)))
struct BusFaultTests {
    struct Case: Sendable, CustomTestStringConvertible {
        var fault: ModbusFault
        /// What the read says in which it happens; nil: all its words came all the same.
        var survivor: String?
        var timeouts = 0
        var damaged = 0
        var retries = 0
        var strangers = 0
        var connects = 1

        var testDescription: String { "\(fault)" }
    }

    private static let serial = [
        Case(fault: .silent, timeouts: 1),
        // Its answer comes while the small question is under way, and is told from that one's by its length.
        Case(fault: .late(milliseconds: 350), timeouts: 1, strangers: 1),
        Case(fault: .damaged, damaged: 1, retries: 1),
        Case(fault: .wrongUnit, timeouts: 1, strangers: 1),
        Case(fault: .torn, damaged: 1, retries: 1),
        Case(fault: .soup, damaged: 1, retries: 1),
        Case(fault: .zeros, retries: 1),
        Case(fault: .exception(.deviceBusy), survivor: "device busy"),
        Case(fault: .exception(.deviceFailure), survivor: "device failure, words"),
    ]
    private static let tcp = [
        Case(fault: .silent, timeouts: 1),
        Case(fault: .late(milliseconds: 350), timeouts: 1, strangers: 1),
        Case(fault: .damaged, damaged: 1, retries: 1),
        Case(fault: .wrongUnit, damaged: 1, retries: 1),
        Case(fault: .torn, damaged: 1, retries: 1, connects: 2),
        Case(fault: .soup, damaged: 1, retries: 1, connects: 2),
        Case(fault: .zeros, retries: 1),
        Case(fault: .hangUp, retries: 1, connects: 2),
        Case(fault: .exception(.deviceBusy), survivor: "device busy"),
        Case(fault: .exception(.deviceFailure), survivor: "device failure, words"),
    ]

    private func happensOnce(_ wire: BusWorld.Wire, _ one: Case) async throws {
        let world = try BusWorld(wire)
        // Its third read, so that the unit is known, and something after which to be wrong.
        world.server.script([nil, nil, nil, nil, one.fault], unit: 1)
        let results = try await world.results(of: BusWorld.plan(1..<3)) { results in
            results.story(of: 0).count >= 30 && results.story(of: 1).count >= 8
        }
        var expected = [String](repeating: "words, words", count: results.story(of: 0).count)
        if let survivor = one.survivor { expected[2] = survivor }
        #expect(results.story(of: 0) == expected)
        // The neighbour noticed nothing.
        #expect(results.story(of: 1).allSatisfy { $0 == "words, words" })
        let report = world.bus.report
        let unit = report.units[0].counters
        #expect(unit.timeouts == one.timeouts)
        #expect(unit.damaged == one.damaged)
        #expect(unit.retries == one.retries)
        #expect(report.strangers == one.strangers)
        #expect(report.connects == one.connects)
        #expect(report.units[0].quarantineStep == 0)
        #expect(report.units[1].counters.errors == 0)
        await world.end()
    }

    @Test(arguments: serial) func `a fault that happens once on a serial line`(one: Case) async throws {
        try await happensOnce(.serial, one)
    }

    @Test(arguments: tcp) func `a fault that happens once on TCP`(one: Case) async throws {
        try await happensOnce(.tcp, one)
    }

    /// A fault that stays, and what its unit's reads say from then on; an empty text: nothing but words.
    private static let lasting: [(BusWorld.Wire, ModbusFault, Set<String>, quarantine: Bool)] =
        [.serial, .tcp].flatMap { wire -> [(BusWorld.Wire, ModbusFault, Set<String>, quarantine: Bool)] in
            [
                (wire, .silent, ["time-out"], true), (wire, .damaged, ["damaged"], true),
                (wire, .torn, ["damaged"], true), (wire, .soup, ["damaged"], true),
                (wire, .wrongUnit, [wire == .serial ? "time-out" : "damaged"], true),
                (wire, .zeros, ["zeros"], false), (wire, .exception(.deviceFailure), ["device failure"], false),
                (wire, .late(milliseconds: 120), [], false),
            ]
        } + [(.tcp, .hangUp, ["lost"], true), (.serial, .hangUp, ["time-out"], true)]

    @Test(arguments: lasting) func `a fault that stays costs the neighbour nothing`(
        wire: BusWorld.Wire, fault: ModbusFault, story: Set<String>, quarantine: Bool
    ) async throws {
        let world = try BusWorld(wire)
        let plan = BusWorld.plan(1..<3)
        var turned: Int?
        let results = try await world.results(of: plan) { results in
            if turned == nil, results.story(of: 0).count >= 2 {
                turned = results.story(of: 0).count
                world.server.setFault(fault, unit: 1)
            }
            guard turned != nil else { return false }
            if quarantine, world.bus.report.units[0].quarantineStep < 2 { return false }
            return results.story(of: 0).count >= 6 && results.story(of: 1).count >= 40
        }
        #expect(results.story(of: 1).allSatisfy { $0 == "words, words" })
        #expect(world.bus.report.units[1].counters.errors == 0)
        // The batch in which it turned may hold one read more that was right.
        let after = results.story(of: 0).dropFirst((turned ?? 0) + 1)
        let said = Set(after.flatMap { $0.split(separator: ",").map { String($0.drop { $0 == " " }) } })
        #expect(said.subtracting(["words"]) == story)
        #expect((world.bus.report.units[0].quarantineStep > 0) == quarantine)
        // And it is read again when it behaves.
        world.server.setFault(nil, unit: 1)
        let again = try await world.results(of: plan) { $0.story(of: 0).last == "words, words" }
        #expect(again.last { $0.unit == 0 }?.isThere == true)
        await world.end()
    }

    @Test(arguments: BusWorld.Wire.allCases)
    func `late answers, one after another, are never taken for the next one's`(wire: BusWorld.Wire) async throws {
        let world = try BusWorld(wire)
        world.server.setFault(.late(milliseconds: 350), unit: 1, permille: 300)
        // Every word is checked against its place by `results`.
        let results = try await world.results(of: BusWorld.plan(1..<3, period: 1_000)) { results in
            results.story(of: 0).count >= 12 && world.bus.report.strangers >= 3
        }
        #expect(results.story(of: 0).contains("words, words"))
        #expect(results.story(of: 1).allSatisfy { $0 == "words, words" })
        await world.end()
    }
}
