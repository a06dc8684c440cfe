import Billing
import ConfigurationFile
import History
import Metering
import Records
import Simulation
import Testing
import Timekeeping
import Usage

@testable import Gateway

/// Order of arrival, restarts and what was given up, through the daemon's own pipeline on a real directory.
struct PipelineOrderTests {
    /// Seconds after the start, and what came then.
    private typealias Line = (time: Int64, device: UInt64, quantity: Quantity, value: Int64)

    private static let devices = [
        HomeWorld.device(1, counters: [Counter(quantity: .energyImport, counterClass: .lifetime, step: 1000)]),
        HomeWorld.device(2, counters: [Counter(quantity: .energyImport, counterClass: .volatile, step: 1000)]),
        HomeWorld.device(3, role: .grid, watts: 11_000),
        HomeWorld.device(4),
    ]

    /// Half a day of four devices: a plug with counter and power and what counters do; one that restarts; a grid meter
    /// that runs both ways beside its power; amounts.
    private func halfDay(_ generator: inout SplitMix64) -> [Line] {
        var lines: [Line] = []
        var (time, level, volatile, net) = (Int64(60), Int64(90_000_000), Int64(4_000), Int64(7_000_000))
        while time < 43_200 {
            time += Int64.random(in: 60...600, using: &generator)
            level += Int64.random(in: 0...60_000, using: &generator)
            volatile += Int64.random(in: 0...60_000, using: &generator)
            net += Int64.random(in: -90_000...120_000, using: &generator)
            var shown = level
            switch generator.next() % 24 {
            case 0: shown = 0
            case 1: shown = level + 800_000_000_000
            case 2: shown = level - 2_000
            case 3: level /= 3
            case 4: volatile = 0
            case 5: time += Int64.random(in: 900...9_000, using: &generator)
            default: break
            }
            lines.append((time, 1, .energyImport, shown))
            lines.append((time + 7, 1, .power, Int64.random(in: 0...3_000_000, using: &generator)))
            lines.append((time + 11, 2, .energyImport, volatile))
            lines.append((time + 13, 3, .energyNet, net))
            lines.append((time + 17, 3, .power, Int64.random(in: -5_000_000...6_000_000, using: &generator)))
            lines.append((time + 19, 4, .energyImportDelta, Int64.random(in: 0...40_000, using: &generator)))
        }
        return lines
    }

    private func feed(
        _ lines: [Line], in order: [(arrival: Int64, index: Int)], _ generator: inout SplitMix64, restarts: Bool
    ) async throws -> HomeWorld {
        let world = try await HomeWorld()
        for device in Self.devices { try world.append(.device(device)) }
        for (arrival, index) in order {
            world.wait(until: arrival)
            let line = lines[index]
            try world.read(line.time, line.value, device: line.device, line.quantity)
            switch generator.next() % 60 {
            case 0..<6: await world.tick()
            case 6 where restarts: try await world.restart(cleanly: generator.next() % 2 == 0)
            default: break
            }
        }
        await world.tick()
        return world
    }

    @Test func `any order within two hours and any restarts give the slots and decisions of the order of time`()
        async throws
    {
        for seed in 1...3 as ClosedRange<UInt64> {
            var generator = SplitMix64(seed: seed)
            let lines = halfDay(&generator)
            let inTime = lines.indices.map { (arrival: lines[$0].time, index: $0) }
                .sorted { ($0.arrival, $0.index) < ($1.arrival, $1.index) }
            let mixed = lines.indices.map { index in
                let late = generator.next() % 5 == 0 ? Int64.random(in: 0...7_000, using: &generator) : 0
                return (arrival: lines[index].time + late, index: index)
            }.sorted { ($0.arrival, $0.index) < ($1.arrival, $1.index) }
            let one = try await feed(lines, in: inTime, &generator, restarts: false)
            let other = try await feed(lines, in: mixed, &generator, restarts: true)
            for step in 0...1 {
                try await compare(one, other, "seed \(seed), step \(step)")
                // And both come to rest and are read again.
                try await one.restart(cleanly: true)
                try await other.restart(cleanly: seed % 2 == 0)
            }
        }
    }

    private func compare(_ one: HomeWorld, _ other: HomeWorld, _ comment: String) async throws {
        let (rows, others) = (try await one.rows(), try await other.rows())
        #expect(rows.count == others.count && rows.count > 200, "\(comment)")
        for (a, b) in zip(rows, others) where a != b {
            Issue.record("\(comment): in time \(a), mixed \(b)")
            break
        }
        func lines(_ world: HomeWorld) async throws -> Set<String> {
            Set(
                try await world.decisions().filter { $0.kind != .late }
                    .map { "\($0.time) \($0.kind) \($0.series) \($0.from ?? -1) \($0.to ?? -1) \($0.rule)" })
        }
        let (decisions, otherDecisions) = (try await lines(one), try await lines(other))
        #expect(decisions.subtracting(otherDecisions) == [], "\(comment)")
        #expect(otherDecisions.subtracting(decisions) == [], "\(comment)")
        #expect(decisions.count > 5, "\(comment)")
    }

    @Test func `a decision that a late reading makes void is gone from the ledger too`() async throws {
        let world = try await HomeWorld()
        try world.append(.device(Self.devices[0]))
        for (time, wh) in [(0, 1_000), (600, 1_010), (720, 200), (780, 210)] as [(Int64, Int64)] {
            try world.read(time, wh * 1000, device: 1, .energyImport)
        }
        world.wait(until: 800)
        await world.tick()
        try await world.restart(cleanly: true)
        #expect(try await world.decisions().map(\.time) == [HomeWorld.start + 720_000])
        // It fell a minute earlier than it seemed: what was suspected at 720 s never was.
        try world.read(660, 190_000, device: 1, .energyImport)
        await world.tick()
        for cleanly in [false, true] {
            let found: [Decision] = try await world.decisions()
            #expect(Set(found.map(\.kind)) == [.reset, .suspect])
            #expect(found.allSatisfy { $0.time == HomeWorld.start + 660_000 && $0.to == 190_000 })
            let home = try await world.rows().filter { $0.name == "home" }
            let sum: Int64 = home.compactMap(\.imported).reduce(0, +)
            #expect(sum == 10_000 + 20_000)
            try await world.restart(cleanly: cleanly)
        }
    }

    @Test func `a late reading of a time whose raw values are gone leaves usage as it was`() async throws {
        var configuration = Configuration()
        configuration.store.historyDays = 1
        let world = try await HomeWorld(configuration)
        try world.append(.device(Self.devices[0]))
        for quarter in Int64(0)...384 {
            for minute in stride(from: Int64(0), to: 15, by: 3) {
                let time = quarter * 900 + minute * 60
                world.wait(until: time)
                try world.read(time, 1_000_000 + time * 30, device: 1, .energyImport)
            }
            if quarter % 4 == 0 { await world.tick() }
        }
        try await world.restart(cleanly: true)
        let begin = await world.pipeline.history.rawBegin
        #expect(begin > HomeWorld.start + Span.day && begin < HomeWorld.start + 4 * Span.day)
        let before = try await world.rows()
        #expect(before.count == 2 * 385)
        // A gateway in between comes back with what it had kept for three days; one value is wrong.
        for (time, value) in [(36_000, 2_080_000), (36_030, 950_000_000)] as [(Int64, Int64)] {
            try world.read(time, value, device: 1, .energyImport)
            await world.tick()
        }
        #expect(try await world.rows() == before)
        #expect(try await world.decisions().map(\.kind) == [.late])
        try await world.restart(cleanly: true)
        #expect(try await world.rows() == before)
        // And the counter goes on.
        world.wait(until: 346_500)
        try world.read(346_500, 1_000_000 + 346_500 * 30, device: 1, .energyImport)
        await world.tick()
        let home = try await world.rows().filter { $0.name == "home" }
        #expect(home.compactMap(\.imported).reduce(Int64(0), +) == 346_500 * 30)
    }
}
