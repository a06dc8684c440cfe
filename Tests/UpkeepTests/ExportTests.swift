import Disk
import Exchange
import History
import Metering
import Testing
import Timekeeping
import Upkeep

@Suite struct ExportTests {
    private func export(
        _ world: StoredWorld, _ format: ExchangeFormat, since: Timestamp = Timestamp(milliseconds: 0),
        until: Timestamp = Timestamp.validRange.upperBound
    ) throws -> String {
        let log = try world.openLog()
        let history = try world.openHistory(log)
        try history.follow()
        let series = StoredWorld.keys.map { (key: $0, device: $0.device.low == 1 ? "washer" : "fridge") }
        var export = HistoryExport(history, series: series, since: since, until: until, format: format)
        var bytes: [UInt8] = []
        while let piece = try export.next() { bytes += piece }
        return String(decoding: bytes, as: UTF8.self)
    }

    @Test func `every value is exported once, in the order of time, over gaps of years`() throws {
        let world = try StoredWorld()
        let log = try world.openLog()
        let history = try world.openHistory(log)
        try world.fill(log, minutes: 90)
        try history.follow()
        try history.seal()
        // Three years later.
        try world.fill(log, minutes: 2, from: 3 * 365 * 24 * 60)
        let lines = try export(world, .csv).split(separator: "\n")
        #expect(lines.count == 1 + 92 * 6 * StoredWorld.keys.count)
        #expect(Set(lines).count == lines.count)
        let times = lines.dropFirst().map { $0.prefix { $0 != "," } }
        #expect(times == times.sorted())
        #expect(lines[1].hasSuffix(",fridge,total,power,0.002,W"), "\(lines[1])")
    }

    @Test func `bounds are half open and formats agree on what there is`() throws {
        let world = try StoredWorld()
        try world.settle()
        let since = StoredWorld.start + 30 * Span.minute
        let until = StoredWorld.start + 31 * Span.minute
        let csv = try export(world, .csv, since: since, until: until).split(separator: "\n").dropFirst()
        #expect(csv.count == 6 * StoredWorld.keys.count)
        for format in [ExchangeFormat.jsonl, .influx] {
            #expect(try export(world, format, since: since, until: until).split(separator: "\n").count == csv.count)
        }
        let metrics = try export(world, .prometheus).split(separator: "\n")
        #expect(metrics.last == "# EOF")
        #expect(metrics.filter { !$0.hasPrefix("#") }.count == StoredWorld.minutes * 6 * StoredWorld.keys.count)
        #expect(metrics.filter { $0.hasPrefix("# TYPE") }.count == 2)
    }

    @Test func `figures count what lies there`() throws {
        let world = try StoredWorld()
        try world.settle()
        let figures = try StoreFigures(world.directory, fileSystem: world.disk, isLive: false)
        let log = try #require(figures.parts.first { $0.name == "log facts" })
        #expect((log.bytesPerItem ?? 0) > 1)
        #expect((log.writtenPerDay ?? 0) > 0)
        let raw = try #require(figures.parts.first { $0.name == "history raw" })
        #expect(raw.items == StoredWorld.minutes * 6 * StoredWorld.keys.count)
        #expect(raw.bytesPerItem == Double(raw.bytes) / Double(raw.items ?? 1))
        #expect(figures.bytes == figures.parts.reduce(0) { $0 + $1.bytes })
        let wear = CardWear(writtenPerDay: 32e9 / 365)
        #expect(wear.fillsPerYear > 0.999 && wear.fillsPerYear < 1.001)
    }
}
