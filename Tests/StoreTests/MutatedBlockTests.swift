import Disk
import Foundation
import Metering
import ReadingLog
import Records
import Simulation
import Testing
import Timekeeping

@testable import History

/// The golden files of every tier and version with some bytes changed and all checksums made right again: whatever they
/// say, all of it is read, merged and checked without a trap.
@Suite struct MutatedBlockTests {
    private static let mutations = 2000

    @Test func `golden files with changed bytes and right checksums bring nothing down`() throws {
        let names = ["raw-v2", "minute-v2", "quarter-v2", "blocks-v1"]
        let golden = try names.map { name in
            let url = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
                .appendingPathComponent("Fixtures/\(name).blk")
            return try ForgedBlockFile([UInt8](Data(contentsOf: url)))
        }
        // Put together again they are what they were.
        for var file in golden {
            let again = try ForgedBlockFile(file.bytes())
            try #require(again.entries == file.entries && again.blocks == file.blocks)
        }
        var world = LogWorld()
        let log = try world.open()
        let number = try log.number(for: LogWorld.key(0))
        try log.append([world.record(1, number), world.record(2, number)])
        try log.flush()
        let first = UInt64.random(in: 0...1 << 32)
        print("mutations of block files from seed \(first)")
        for seed in first..<first + UInt64(MutatedBlockTests.mutations) {
            var mutation = Mutation(seed: seed)
            do {
                try use(mutation.apply(to: golden), log)
            } catch {
                Issue.record("seed \(seed): \(error)")
            }
        }
    }

    private func use(_ files: [[UInt8]], _ log: ReadingLog) throws {
        let disk = SimulatedDisk()
        for (i, bytes) in files.enumerated() {
            disk.put(bytes, at: "/data/history/\(["raw", "minute", "quarter", "raw"][i])/\(i).blk")
        }
        var check = HistoryCheck(directory: "/data/history", fileSystem: disk)
        try check.run { _ in }
        let options = HistoryOptions(mergeCount: 2)
        let history = try History(directory: "/data/history", fileSystem: disk, log: log, options: options)
        try HostileBlockTests.readAll(history)
        // Twice: each makes roll-ups of one tier where they are missing.
        try history.follow()
        try history.follow()
        try history.seal()
        try HostileBlockTests.readAll(history)
        let again = try History(directory: "/data/history", fileSystem: disk, log: log, options: options)
        try HostileBlockTests.readAll(again)
        #expect(again.statistics.setAside.isEmpty, "what was written anew is damaged")
    }
}

/// Changes of one file of several.
private struct Mutation {
    private var random: SplitMix64

    init(seed: UInt64) { random = SplitMix64(seed: seed) }

    /// The files' bytes; nothing for one that is left out.
    mutating func apply(to golden: [ForgedBlockFile]) -> [[UInt8]] {
        // A file of either version, or one of each under a sequence of its own.
        let spared = random.chance(600) ? Int(random.between(0, 1)) * 3 : -1
        return golden.enumerated().map { i, file in
            var file = file
            if i == spared || (i > 0 && i < 3 && random.chance(300)) { return [] }
            if i == 3, spared < 0 {
                file.footer.sequence = 2
                file.footer.firstSequence = 2
            }
            if random.chance(700) { change(&file) }
            return file.bytes()
        }
    }

    private mutating func change(_ file: inout ForgedBlockFile) {
        switch random.between(0, 9) {
        case 0...5: changeBlock(&file)
        case 6...7:
            var index = file.makeIndex()
            change(&index)
            file.index = index
        case 8: changeEntry(&file)
        default: changeFooter(&file)
        }
    }

    /// One that is still a block mostly has an index that fits, since others are left out before they are used.
    private mutating func changeBlock(_ file: inout ForgedBlockFile) {
        let i = Int(random.between(0, Int64(file.blocks.count - 1)))
        change(&file.blocks[i])
        if random.chance(200) { return }
        let scratch = DecodingScratch()
        let found: (count: Int, first: Int64?, last: Int64?)? = file.blocks[i].withUnsafeBytes { buffer in
            if file.footer.tier == .raw, let points = try? BlockCodec.points(buffer, scratch) {
                return (points.count, points.times.first, points.times.last)
            }
            if let buckets = try? BlockCodec.buckets(buffer, scratch) {
                return (buckets.count, buckets.starts.first, buckets.starts.last)
            }
            return nil
        }
        guard let found, let first = found.first, let last = found.last else { return }
        file.entries[i].count = found.count
        file.entries[i].first = Timestamp(milliseconds: first)
        file.entries[i].last = Timestamp(milliseconds: last)
        file.footer.first = min(file.footer.first, file.entries[i].first)
        file.footer.last = max(file.footer.last, file.entries[i].last)
    }

    private mutating func changeEntry(_ file: inout ForgedBlockFile) {
        let i = Int(random.between(0, Int64(file.entries.count - 1)))
        switch random.between(0, 4) {
        case 0: file.entries[i].count = Int(integer() & .max)
        case 1: file.entries[i].first = Timestamp(milliseconds: integer())
        case 2: file.entries[i].last = Timestamp(milliseconds: integer())
        case 3: file.entries[i].lastValue = integer()
        default: file.entries[i].key = LogWorld.key(Int(random.between(0, 3)))
        }
    }

    private mutating func changeFooter(_ file: inout ForgedBlockFile) {
        switch random.between(0, 7) {
        case 0: file.footer.sequence = UInt64(bitPattern: integer())
        case 1: file.footer.firstSequence = UInt64(bitPattern: integer())
        case 2:
            file.footer.cursor = Cursor(epoch: UInt64(bitPattern: integer()), offset: UInt64(bitPattern: integer()))
        case 3: file.footer.wall = Timestamp(milliseconds: integer())
        case 4: file.footer.since = Timestamp(milliseconds: integer())
        case 5: file.footer.first = Timestamp(milliseconds: integer())
        case 6: file.footer.last = Timestamp(milliseconds: integer())
        default: file.footer.entryCount = UInt32(truncatingIfNeeded: integer())
        }
    }

    /// Some bytes become others, or an integer that is as long as it can be.
    private mutating func change(_ bytes: inout [UInt8]) {
        for _ in 0..<random.between(1, 3) {
            let i = Int(random.between(0, Int64(bytes.count - 1)))
            switch random.between(0, 4) {
            case 0: bytes[i] = UInt8(truncatingIfNeeded: random.next())
            case 1: bytes[i] ^= 1 << UInt8(random.between(0, 7))
            case 2: bytes[i] = random.chance(500) ? 0 : 0xFF
            default:
                var writer = ByteWriter()
                writer.varint(UInt64(bitPattern: integer()))
                // In place of what was there, all of it or a byte.
                var end = i + 1
                if random.chance(700) { while end < bytes.count, bytes[end - 1] >= 0x80 { end += 1 } }
                bytes.replaceSubrange(i..<end, with: writer.bytes)
            }
        }
    }

    /// Of every size, more often near the ends of what integers hold.
    private mutating func integer() -> Int64 {
        let near = random.between(-3, 3)
        switch random.between(0, 4) {
        case 0: return .max &+ near
        case 1: return 1 << random.between(0, 63) &+ near
        case 2: return -(1 << random.between(0, 62)) &+ near
        default: return Int64(bitPattern: random.next()) >> random.between(0, 63)
        }
    }
}
