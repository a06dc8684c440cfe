import Disk
import Exchange
import Foundation
import History
import Metering
import ReadingLog
import Records
import Testing
import Timekeeping
import Upkeep

/// What an export cannot give is told; what any part of the home still knows is in it.
@Suite struct ExportDamageTests {
    private func run(
        _ history: History, _ format: ExchangeFormat = .csv, keys: [SeriesKey] = StoredWorld.keys
    ) throws -> (lines: [Substring], damage: ExportDamage) {
        let series = keys.map { (key: $0, device: "\($0.device.low)") }
        var export = HistoryExport(
            history, series: series, since: Timestamp(milliseconds: 0), until: Timestamp.validRange.upperBound,
            format: format)
        var bytes: [UInt8] = []
        while let piece = try export.next() { bytes += piece }
        return (String(decoding: bytes, as: UTF8.self).split(separator: "\n"), export.damage)
    }

    @Test(arguments: [ExchangeFormat.csv, .prometheus])
    func `an export leaves out damaged blocks and says so, each once`(_ format: ExchangeFormat) throws {
        let world = try StoredWorld()
        try world.settle()
        let block = try #require(
            try world.files(world.directory.history).first { $0.contains("/raw/") && $0.hasSuffix(".blk") })
        let log = try world.openLog()
        let before = try run(try world.openHistory(log), format)
        #expect(before.damage.blocks == 0)
        try world.flip(block, at: 60)
        let history = try world.openHistory(log)
        // Others have met the same place more often than History remembers places.
        for key in StoredWorld.keys {
            for _ in 0..<40 {
                try history.range(key, from: StoredWorld.start, to: StoredWorld.start + Span.day) { _ in }
            }
        }
        let after = try run(history, format)
        #expect(after.lines.count < before.lines.count)
        #expect(after.damage.blocks == 1)
        #expect(after.damage.places.count == 1)
        #expect(after.damage.places.first?.hasPrefix("\(block) at byte ") == true, "\(after.damage)")
    }

    @Test func `damage at both ends of a hole of years is told, though nothing is left to be exported`() throws {
        let world = try StoredWorld()
        let log = try world.openLog()
        var history = try world.openHistory(log)
        for first in [0, 3 * 365 * 24 * 60] {
            try world.fill(log, minutes: 30, from: first)
            try history.follow()
            try history.seal()
        }
        let blocks = try world.files(world.directory.history).filter { $0.contains("/raw/") && $0.hasSuffix(".blk") }
        try #require(blocks.count == 2)
        for block in blocks { try world.flip(block, at: 60) }
        history = try world.openHistory(log)
        // Whose block lies there.
        let key = try #require(
            try StoredWorld.keys.first { try run(world.openHistory(log), keys: [$0]).damage.blocks > 0 })
        let after = try run(history, keys: [key])
        #expect(after.lines.count == 1, "\(after.lines.prefix(3))")
        #expect(after.damage.blocks == 2, "\(after.damage)")
        #expect(after.damage.places.count == 2)
    }

    @Test func `series that the log has lost are exported from History`() throws {
        let world = try StoredWorld()
        try world.settle()
        let kept = try world.openHistory(try world.openLog())
        try FileManager.default.removeItem(atPath: world.directory.log)
        let log = try world.openLog()
        let history = try world.openHistory(log)
        try history.follow()
        #expect(log.dictionary.entries.isEmpty)
        let all = try ExportSelection().series(history, log: log.dictionary.entries.map(\.key)) { _ in nil }
        #expect(Set(all.map(\.key)) == Set(StoredWorld.keys))
        #expect(all.first?.device == all.first?.key.device.description)
        #expect(try run(history).lines == run(kept).lines)
    }

    @Test func `a channel that nothing is stored of is an error, and no empty export`() throws {
        let world = try StoredWorld()
        try world.settle()
        let history = try world.openHistory(try world.openLog())
        let channel = try #require(Channel("nosuch"))
        let selection = ExportSelection(device: "washer", channel: channel)
        let error = #expect(throws: ExportSelection.Nothing.self) {
            try selection.series(history, log: []) { _ in "washer" }
        }
        #expect(error?.description.hasPrefix("nothing is stored of device washer, channel nosuch") == true)
        let one = try ExportSelection(device: "fridge").series(history, log: []) { $0.low == 1 ? "washer" : "fridge" }
        #expect(one.map(\.key) == [StoredWorld.keys[2]])
        // A new home has nothing yet, and that is no error.
        #expect(
            try ExportSelection().series(world.openHistory(world.openLog(), world.place("new")), log: []) { _ in nil }
                .isEmpty)
    }
}
