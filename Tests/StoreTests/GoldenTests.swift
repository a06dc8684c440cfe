import Disk
import Foundation
import History
import Metering
import ReadingLog
import Records
import Simulation
import Testing
import Timekeeping

/// The files of every version, byte by byte: `Fixtures/segment-v1.bin` (a segment without the zeros at its end),
/// `segment-v1-first.bin` (as the first programs wrote it, its series declared by the first flush, read only),
/// `blocks-v1.blk` (written by version 1, read only) and `raw-v2.blk`, `minute-v2.blk`, `quarter-v2.blk`. Made by
/// `UPDATE_GOLDEN=1 swift test --filter GoldenTests` from the fixed gateway, boot, clock and generator of `LogWorld`;
/// a change of these bytes needs a new version of the format.
@Suite struct GoldenTests {
    private static let fixtures = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("Fixtures")

    /// Two flushes with two series, a clock record and a heartbeat.
    private func write(_ world: inout LogWorld) throws -> [Record] {
        let log = try world.open()
        let power = try log.number(for: LogWorld.key(0))
        let other = try log.number(for: LogWorld.key(1))
        let now = world.clock.now().wall
        let records: [Record] = [
            .clock(ClockState(offset: now.milliseconds - 5000, synchronized: true, at: now)),
            .readings([
                Reading(series: power, time: now, received: now, value: 42_500),
                Reading(series: other, time: now - 1500, received: now, value: -7, flags: [.late, .derived]),
            ]),
            .readings([Reading(series: power, time: now + 10_000, received: now + 10_000, value: 43_000)]),
        ]
        try log.append(Array(records[..<2]))
        try log.flush()
        world.clock.advance(by: 10_000)
        try log.append(Array(records[2...]))
        try log.flush()
        world.clock.advance(by: 10_000)
        try log.flush(heartbeat: true)
        let history = try History(directory: "/data/history", fileSystem: world.disk, log: log)
        try history.follow()
        try history.seal()
        return records
    }

    private func blocks(_ world: LogWorld, _ tier: HistoryTier) throws -> (name: String, bytes: [UInt8]) {
        let name = try #require(try world.disk.list("/data/history/\(tier.name)").first)
        return (name, try #require(world.disk.contents("/data/history/\(tier.name)/" + name)))
    }

    private func golden(_ name: String, _ bytes: [UInt8]) throws -> [UInt8] {
        let url = GoldenTests.fixtures.appendingPathComponent(name)
        if ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] == "1" {
            try FileManager.default.createDirectory(at: GoldenTests.fixtures, withIntermediateDirectories: true)
            try Data(bytes).write(to: url)
        }
        return [UInt8](try Data(contentsOf: url))
    }

    @Test func `a segment is written as in version 1 and block files as in version 2`() throws {
        var world = LogWorld()
        _ = try write(&world)
        var segment = try #require(world.disk.contents(world.segment(1)))
        segment.removeLast(segment.reversed().prefix { $0 == 0 }.count)
        #expect(try golden("segment-v1.bin", segment) == segment)
        for (tier, name) in [
            (HistoryTier.raw, "1789999998500-1790000010000-1.1.blk"),
            (.minute, "1789999980000-1789999980000-1.1.blk"), (.quarter, "1789999200000-1789999200000-1.1.blk"),
        ] {
            let blocks = try blocks(world, tier)
            #expect(blocks.name == name)
            #expect(try golden("\(tier.name)-v2.blk", blocks.bytes) == blocks.bytes)
        }
    }

    @Test(arguments: [1, 2], ["segment-v1-first.bin", "segment-v1.bin"])
    func `files of every version are read`(version: Int, segment: String) throws {
        var made = LogWorld()
        let records = try write(&made)
        let segment = try fixture(segment)
        var world = LogWorld()
        let zeros = [UInt8](repeating: 0, count: (64 << 10) - segment.count)
        world.disk.put(segment + zeros, at: world.segment(1))
        let fixtures = version == 1 ? [("raw", "blocks-v1")] : [("raw", "raw-v2"), ("minute", "minute-v2")]
        for (tier, name) in fixtures {
            world.disk.put(try fixture(name + ".blk"), at: "/data/history/\(tier)/1789999998500-1790000010000-1.blk")
        }
        let log = try world.open()
        #expect(!log.report.isEventful)
        let received = try Received(log)
        #expect(received.records.map(\.record) == records)
        #expect(received.walls.last == LogWorld.start + 20_000)
        let history = try History(directory: "/data/history", fileSystem: world.disk, log: log)
        #expect(history.latest(LogWorld.key(0)) == HistoryPoint(time: LogWorld.start + 10_000, value: 43_000))
        #expect(history.latest(LogWorld.key(1)) == HistoryPoint(time: LogWorld.start - 1500, value: -7))
        #expect(history.cursor == log.durable)
        // The tiers that are not there are made from the raw values.
        try history.follow()
        try history.follow()
        #expect(history.statistics.tiers.mapValues(\.files) == [.raw: 1, .minute: 1, .quarter: 1])
        var points: [HistoryPoint] = []
        try history.range(LogWorld.key(0), from: LogWorld.start, to: LogWorld.start + Span.hour) { points.append($0) }
        #expect(
            points == [
                HistoryPoint(time: LogWorld.start, value: 42_500),
                HistoryPoint(time: LogWorld.start + 10_000, value: 43_000),
            ])
        // Version 1 does not tell when its file was begun.
        for tier in HistoryTier.allCases where version == 2 {
            #expect(try blocks(world, tier).bytes == fixture("\(tier.name)-v2.blk"))
        }
    }

    private func fixture(_ name: String) throws -> [UInt8] {
        [UInt8](try Data(contentsOf: GoldenTests.fixtures.appendingPathComponent(name)))
    }

    /// Lines of an offset, bytes and what they are, in the format's document.
    @Test(arguments: [("raw-v2.blk", 1, 0), ("minute-v2.blk", 3, 16)])
    func `the document's bytes are the golden file's`(name: String, part: Int, start: Int) throws {
        let document = GoldenTests.fixtures.deletingLastPathComponent().deletingLastPathComponent()
            .deletingLastPathComponent().appendingPathComponent("Sources/Store/History/BlockFormat.md")
        let text = String(decoding: try Data(contentsOf: document), as: UTF8.self)
        let example = try #require(text.components(separatedBy: "## A file, byte by byte").last)
        let file = try fixture(name)
        var position = start
        for line in example.components(separatedBy: "```")[part].split(separator: "\n") {
            let columns = String(line).trimmingCharacters(in: .whitespaces).components(separatedBy: "  ")
            #expect(Int(columns[0]) == position, "\(line)")
            for byte in columns[1].split(separator: " ") {
                #expect(UInt8(byte, radix: 16) == file[position], "\(line)")
                position += 1
            }
        }
        #expect(position > start)
    }
}
