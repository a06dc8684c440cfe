import Foundation
import Metering
import Records
import Testing
import Timekeeping

/// Every byte that this version writes, against files in `Fixtures` (its README says how they were made).
@Suite struct GoldenTests {
    private static let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        .appendingPathComponent("Fixtures")

    private func check(_ name: String, _ bytes: [UInt8]) throws -> [UInt8] {
        let file = GoldenTests.folder.appendingPathComponent("\(name).bin")
        if ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] != nil { try Data(bytes).write(to: file) }
        let golden = try [UInt8](Data(contentsOf: file))
        #expect(bytes == golden, "\(name) is written in other bytes than before")
        return golden
    }

    @Test(arguments: 0..<Samples.all.count) func `each record kind has its bytes`(index: Int) throws {
        let sample = Samples.all[index]
        let golden = try check("record-\(sample.name)", encoded(sample.record))
        #expect(try decoded(golden) == sample.record)
    }

    @Test func `a frame with a dictionary and all kinds has its bytes`() throws {
        let content = try FrameContent(check("frame", Samples.frame()))
        #expect(content.records == Samples.all.map(\.record))
        #expect(content.dictionary == Samples.dictionary.map(\.1))
        #expect(content.numbers == Samples.dictionary.map(\.0))
        #expect(content.offsets == (0..<8).map { 123_456_789 + $0 })
        var header = Samples.header(count: 8)
        header.length = content.header.length
        header.dictionaryLength = content.header.dictionaryLength
        #expect(content.header == header)
        #expect(header.endOffset == 123_456_797)
    }

    @Test func `a heartbeat has its bytes and takes no offset`() throws {
        let content = try FrameContent(check("heartbeat", Samples.heartbeat()))
        #expect(content.records.isEmpty)
        #expect(content.header.length == FrameHeader.size)
        #expect(content.header.endOffset == content.header.firstOffset)
    }

    @Test func `codes of kinds, topics, verbs, reasons, classes, roles and flags are permanent`() {
        #expect(Samples.all.dropLast().map(\.record.kind) == [1, 2, 3, 4, 5, 6, 7])
        #expect(Topic.allCases.map { "\($0.rawValue) \($0.name)" } == ["0 facts", "1 slots", "2 alerts"])
        #expect(
            Command.Verb.allCases.map { "\($0.rawValue) \($0)" } == [
                "1 correct", "2 undo", "3 replace", "4 rename", "5 acknowledge", "6 silence",
            ])
        #expect(Gap.Reason.overwritten.rawValue == 1 && Gap.Reason.damaged.rawValue == 2)
        #expect(Gap.Reason.dropped.rawValue == 3)
        #expect(
            CounterClass.allCases.map { "\($0.rawValue) \($0.name)" } == [
                "1 lifetime", "2 volatile", "3 resettable", "4 period", "5 delta", "6 net",
            ])
        #expect(
            DeviceRole.allCases.map { "\($0.rawValue) \($0.name)" } == [
                "1 load", "2 grid", "3 solar", "4 battery", "5 gateway",
            ])
        let flags: [ReadingFlags] = [.retained, .firstAfterConnect, .derived, .timeUntrusted, .clockUnsynced, .late]
        #expect(flags.map(\.rawValue) == [1, 2, 4, 8, 16, 32])
    }
}
