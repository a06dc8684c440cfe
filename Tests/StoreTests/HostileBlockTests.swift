import Disk
import Metering
import ReadingLog
import Records
import Simulation
import Testing
import Timekeeping

@testable import History

/// Block files with right checksums and numbers that no energyd wrote: a foreign backup that was restored, a bug of
/// another version. None of them may bring the program down.
@Suite struct HostileBlockTests {
    private static let minute: Int64 = 29_833_333
    private static let start = minute * 60_000

    private struct Outcome {
        var damaged = 0
        var setAside = 0
        var points: [HistoryPoint] = []
        var findings: [FileFinding] = []
    }

    /// Opens the files, reads, seals and merges, and opens them again.
    private func use(
        _ files: [ForgedBlockFile], then body: (History, ReadingLog) throws -> Void = { _, _ in }
    ) throws -> Outcome {
        var world = LogWorld()
        let log = try world.open()
        var files = files
        if !files.contains(where: { $0.footer.tier == .raw }) {
            // Without raw values roll-ups are what a first seal left that came to nothing.
            let start = HostileBlockTests.start
            files.append(
                ForgedBlockFile(
                    .raw, sequence: 9, ForgedBlock.points(start, []), count: 1, first: start, last: start))
        }
        for file in files {
            var file = file
            let sequence = file.footer.sequence
            world.disk.put(file.bytes(), at: "/data/history/\(file.footer.tier.name)/\(sequence).blk")
        }
        var outcome = Outcome()
        var check = HistoryCheck(directory: "/data/history", fileSystem: world.disk)
        try check.run { outcome.findings.append($0) }
        let options = HistoryOptions(mergeCount: 2)
        let history = try History(directory: "/data/history", fileSystem: world.disk, log: log, options: options)
        outcome.points = try HostileBlockTests.readAll(history)
        outcome.damaged = history.statistics.damagedBlocks
        let number = try log.number(for: LogWorld.key(0))
        try log.append([world.record(1, number)])
        try log.flush()
        try history.follow()
        try history.seal()
        _ = try HostileBlockTests.readAll(history)
        outcome.setAside = history.statistics.setAside.count
        try body(history, log)
        let again = try History(directory: "/data/history", fileSystem: world.disk, log: log, options: options)
        _ = try HostileBlockTests.readAll(again)
        return outcome
    }

    /// Every value, and every kind of bucket, of both series of the golden files.
    @discardableResult
    static func readAll(_ history: History) throws -> [HistoryPoint] {
        var points: [HistoryPoint] = []
        _ = history.latestAll()
        for series in 0..<2 {
            let key = LogWorld.key(series)
            for (from, to) in [(Int64.min, Int64.max), (0, LogWorld.start.milliseconds + Span.day)] {
                let (from, to) = (Timestamp(milliseconds: from), Timestamp(milliseconds: to))
                var found: [HistoryPoint] = []
                try history.range(key, from: from, to: to) { found.append($0) }
                if series == 0 { points = found }
                for step in [1, 7000, Span.minute, 15 * Span.minute, Span.day, .max] {
                    try history.downsample(key, from: from, to: to, step: step) { _ = $0.average }
                }
            }
        }
        return points
    }

    @Test func `an index whose device lies 2⁶³ farther on is damage, not the end of every start`() throws {
        var file = ForgedBlockFile(
            .raw, ForgedBlock.points(HostileBlockTests.start, []), count: 1, first: HostileBlockTests.start,
            last: HostileBlockTests.start)
        var index = ByteWriter()
        index.varint(2)
        index.identifier(LogWorld.key(0).device)
        index.identifier(LogWorld.key(1).device)
        index.varint(1)
        index.prefixed("total".utf8)
        index.varint(1)
        index.varint(UInt64(Int64.max))
        index.bytes += [UInt8](repeating: 0, count: 20)
        file.footer.entryCount = 2
        file.index = index.bytes
        let outcome = try use([file])
        #expect(outcome.setAside == 1)
        #expect(outcome.findings.contains { $0.severity == .damage })
    }

    @Test(arguments: [(Span.day, Int64(1 << 41) - 1), (900_000, 1 << 45), (60_000, .max), (60_000, .min)])
    func `buckets whose start overflows are left out as damaged`(step: Int64, index: Int64) throws {
        let block = ForgedBlock.buckets(count: 1, step: UInt64(step), index: index, values: 1, [0, 0, 0])
        let file = ForgedBlockFile(
            .minute, block, count: 1, first: HostileBlockTests.start, last: HostileBlockTests.start)
        let outcome = try use([file])
        #expect(outcome.damaged > 0)
        #expect(outcome.findings.map(\.severity) == [.damage])
    }

    @Test(arguments: [HistoryTier.minute, .quarter], [15 * Span.minute, Span.minute])
    func `buckets of another tier's length do not stop the merge of files`(tier: HistoryTier, step: Int64) throws {
        if tier.step == step { return }
        let first = HostileBlockTests.start / 900_000 * 900_000
        let block = ForgedBlock.buckets(
            count: 2, step: UInt64(step), index: first / step, values: 1, [UInt8](repeating: 0, count: 7))
        let files = (1...2 as ClosedRange<UInt64>).map {
            ForgedBlockFile(tier, sequence: $0, block, count: 2, first: first, last: first + step)
        }
        let outcome = try use(files)
        #expect(outcome.damaged > 0)
        #expect(outcome.findings.map(\.severity) == [.damage, .damage])
    }

    @Test func `counts near 2⁶³ are damage, not the end of a query`() throws {
        let block = ForgedBlock.buckets(
            count: 2, step: 60_000, index: HostileBlockTests.minute, values: .max, [UInt8](repeating: 0, count: 7))
        let file = ForgedBlockFile(
            .minute, block, count: 2, first: HostileBlockTests.start, last: HostileBlockTests.start + 60_000)
        let outcome = try use([file])
        #expect(outcome.damaged > 0)
        #expect(outcome.findings.map(\.severity) == [.damage])
    }

    @Test func `sums of 127 bits are damage, not the end of a query`() throws {
        let block = ForgedBlock.buckets(
            count: 2, step: 60_000, index: HostileBlockTests.minute, values: 1, sums: [.max, .max],
            [UInt8](repeating: 0, count: 5))
        let file = ForgedBlockFile(
            .minute, block, count: 2, first: HostileBlockTests.start, last: HostileBlockTests.start + 60_000)
        let outcome = try use([file])
        #expect(outcome.damaged > 0)
        #expect(outcome.findings.map(\.severity) == [.damage])
    }

    @Test func `times at both ends of 64 bits in files of version 1 are damage, not the end of a merge`() throws {
        let start = HostileBlockTests.start
        var files = [
            ForgedBlockFile(.raw, sequence: 1, ForgedBlock.version1(.min, [.max]), count: 2, first: start, last: start),
            ForgedBlockFile(.raw, sequence: 2, ForgedBlock.version1(.max), count: 1, first: start, last: start),
            ForgedBlockFile(
                .raw, sequence: 3, ForgedBlock.version1(start, [5]), count: 2, first: start, last: start + 5),
        ]
        for i in files.indices { files[i].footer.version = 1 }
        files[2].entries[0].lastValue = 1
        let outcome = try use(files)
        #expect(outcome.damaged > 0)
        #expect(outcome.points.isEmpty == false)
        #expect(outcome.findings.map(\.severity) == [.damage, .damage])
    }

    @Test func `an index that says more values than a block can have is damage, not the end of a check`() throws {
        let start = HostileBlockTests.start
        var file = ForgedBlockFile(.raw, ForgedBlock.points(start, []), count: .max, first: start, last: start)
        file.entries.append(file.entries[0])
        file.blocks.append(file.blocks[0])
        file.footer.entryCount = 2
        let outcome = try use([file])
        #expect(outcome.setAside == 1)
        #expect(outcome.findings.map(\.severity) == [.damage])
    }

    @Test func `a file with the last sequence there is is damage, not the end of the next seal`() throws {
        let start = HostileBlockTests.start
        let file = ForgedBlockFile(
            .raw, sequence: .max - 1, ForgedBlock.points(start, []), count: 1, first: start, last: start)
        #expect(try use([file]).setAside == 1)
    }

    @Test func `blocks that begin before their index says do not make a merge write times that fall`() throws {
        let start = HostileBlockTests.start
        let early = ForgedBlock.points(start - 5000, [])
        let files = [
            ForgedBlockFile(.raw, sequence: 1, ForgedBlock.points(start, []), count: 1, first: start, last: start),
            ForgedBlockFile(.raw, sequence: 2, early, count: 1, first: start + 10, last: start + 10),
        ]
        let outcome = try use(files)
        #expect(outcome.points.map(\.time.milliseconds) == [start])
        #expect(outcome.damaged > 0)
        #expect(outcome.findings.map(\.severity) == [.damage])
    }

    @Test func `instants nearer to each other than another file's times were moved come out in order`() throws {
        let start = HostileBlockTests.start
        let files = [
            ForgedBlockFile(.raw, sequence: 1, ForgedBlock.points(start, [4]), count: 2, first: start, last: start + 4),
            ForgedBlockFile(
                .raw, sequence: 2, ForgedBlock.points(start + 5, [], moved: 10), count: 1, first: start + 5,
                last: start + 5),
        ]
        let outcome = try use(files)
        #expect(outcome.points.map(\.time.milliseconds) == [start + 5])
        #expect(outcome.damaged == 0 && outcome.findings.isEmpty && outcome.setAside == 0)
    }

    @Test func `a footer whose cursor is of the last epoch there is does not end the opening of the log`() throws {
        let start = HostileBlockTests.start
        var file = ForgedBlockFile(.raw, ForgedBlock.points(start, []), count: 1, first: start, last: start)
        file.footer.cursor = Cursor(epoch: .max, offset: 1 << 40)
        _ = try use([file]) { history, log in
            #expect(log.end.epoch < .max && history.cursor.epoch < .max)
        }
    }
}
