import Disk
import Exchange
import History
import Metering
import ReadingLog
import Records
import Simulation
import Testing
import Timekeeping
import Upkeep

/// Readings of the past, taken in once.
@Suite struct ImportTests {
    /// A home of a log and a history, in which every name is a device.
    private struct Home: ImportingHome {
        let facts: ReadingLog
        let history: History
        var devices: [String: DeviceID] = [:]
        var described: [String] = []

        func device(named name: String) -> DeviceID? { devices[name] }
        func isReserved(_ name: String) -> Bool { name == "home" }

        mutating func makeDevice(_ reading: NamedReading) -> DeviceID? {
            guard devices.count < 3 else { return nil }
            let id = DeviceID(high: 40, low: UInt64(devices.count))
            devices[reading.device] = id
            return id
        }

        mutating func describeDevices() throws { described = devices.keys.sorted() }

        func plausible(_ reading: NamedReading, now: Timestamp) throws(LineFault) -> Int64 {
            if reading.value < 0 { throw LineFault("is below zero") }
            return reading.value
        }
    }

    private static let day = 24 * Span.hour

    private let world: StoredWorld
    private let log: ReadingLog
    private let history: History

    init() throws {
        world = try StoredWorld()
        log = try world.openLog()
        history = try History(
            directory: world.directory.history, fileSystem: world.disk, log: log,
            options: HistoryOptions(retention: 2 * ImportTests.day, mergeCount: 100))
    }

    private func take(_ lines: [String], rehearses: Bool = false) throws -> ImportOutcome {
        try history.follow()
        var importing = ReadingImport(
            home: Home(facts: log, history: history, devices: ["washer": DeviceID(high: 1, low: 1)]),
            isRehearsal: rehearses, retention: 2 * ImportTests.day, now: world.clock.now().wall)
        let outcome = try importing.take(Array(lines.joined(separator: "\n").utf8))
        try log.flush()
        try history.follow()
        return outcome
    }

    private func line(_ device: String, _ time: Timestamp, _ value: Int64) -> String {
        "{\"time\":\"\(time.rfc3339())\",\"device\":\"\(device)\",\"channel\":\"total\",\"quantity\":\"power\","
            + "\"value\":\(value)}"
    }

    /// An hour of readings that ended `age` ago.
    private func hour(_ age: Int64) -> [String] {
        (0..<60).map { line("washer", StoredWorld.start - age + Int64($0) * Span.minute, Int64(100 + $0)) }
    }

    private func count(_ step: Int64) throws -> Int {
        var count = 0
        let begin = Timestamp(milliseconds: StoredWorld.start.milliseconds / ImportTests.day * ImportTests.day)
        try history.downsample(
            StoredWorld.keys[0], from: begin - 100 * ImportTests.day, to: begin + 10 * ImportTests.day, step: step
        ) { count += $0.count }
        return count
    }

    @Test func `lines that were taken in are known the next time, in memory, in files and as roll-ups alone`() throws {
        let lines = hour(40 * ImportTests.day)
        #expect(try take(lines, rehearses: true).taken == 60)
        let first = try take(lines)
        #expect(first.taken == 60 && first.older == 60 && first.known == 0 && first.refused == 0)
        #expect(try take(lines).known == 60)
        try history.seal()
        #expect(try take(lines).known == 60)
        // Days pass, and the raw values go.
        for _ in 0..<4 {
            world.clock.advance(by: ImportTests.day)
            try world.fill(log, minutes: 2, from: Int((world.clock.now().wall - StoredWorld.start) / Span.minute))
            try history.follow()
            try history.seal()
        }
        var raw = 0
        try history.range(
            StoredWorld.keys[0], from: StoredWorld.start - 50 * ImportTests.day, to: StoredWorld.start
        ) { _ in raw += 1 }
        #expect(raw == 0)
        let counts = (try count(15 * Span.minute), try count(ImportTests.day))
        let again = try take(lines)
        #expect(again.taken == 0 && again.known == 60)
        try history.seal()
        #expect(try (count(15 * Span.minute), count(ImportTests.day)) == counts)
        // What nothing is known of yet is taken all the same.
        #expect(try take(hour(41 * ImportTests.day)).taken == 60)
    }

    @Test func `each line that is not taken has its reason, and the others are taken`() throws {
        let now = StoredWorld.start
        let outcome = try take([
            line("washer", now - Span.hour, 1), "not json", line("home", now, 1), line("washer", now, -1),
            line("a", now, 1), line("b", now, 1), line("c", now, 1),
        ])
        #expect(outcome.taken == 3)
        #expect(outcome.refusals.map(\.line) == [2, 3, 4, 7])
        #expect(outcome.newDevices == ["a", "b"])
        #expect(outcome.older == 0)
    }
}
