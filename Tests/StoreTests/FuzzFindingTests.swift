import Disk
import Glibc
import History
import Metering
import ReadingLog
import Records
import Simulation
import Testing
import Timekeeping

/// What energyfuzz has found, each in its smallest form.
@Suite struct FuzzFindingTests {
    @Test func `frames that a lying disk left of a lost segment are not taken for those of the next one`() throws {
        // Two lives of segment 1: the first was lost, but its later pages lie in the second one's file.
        var first = LogWorld()
        var log = try first.open()
        var number = try log.number(for: LogWorld.key(0))
        for i in 0..<3 {
            try log.append([first.record(100 + i, number)])
            try log.flush()
        }
        var second = LogWorld()
        second.clock.advance(by: 60_000)
        log = try second.open()
        number = try log.number(for: LogWorld.key(0))
        try log.append([second.record(0, number)])
        try log.flush()
        let stale = try #require(first.disk.contents(first.segment(1)))
        var file = try #require(second.disk.contents(second.segment(1)))
        file.replaceSubrange(12_288..<20_480, with: stale[12_288..<20_480])
        second.disk.put(file, at: second.segment(1))
        log = try second.open()
        #expect(try Received(log).offsets == [0])
        #expect(log.report.tornBytes > 0)  // in a new file they are something that does not belong there
    }

    @Test func `after a directory that could not be synced the newer of two values is still the right one`() throws {
        var world = LogWorld()
        let log = try world.open()
        let number = try log.number(for: LogWorld.key(0))
        let history = try History(directory: "/data/history", fileSystem: world.disk, log: log)
        let time = LogWorld.start
        func say(_ value: Int64) throws {
            try log.append([.readings([Reading(series: number, time: time, received: time, value: value)])])
            try log.flush()
            try history.follow()
        }
        try say(1)
        world.disk.fail { operation, path, _ in
            operation == .sync && !path.hasSuffix(".tmp") && path.hasPrefix("/data/history") ? EIO : nil
        }
        #expect(throws: (any Error).self) { try history.seal() }
        world.disk.fail(nil)
        try say(2)
        try history.seal()
        let again = try History(directory: "/data/history", fileSystem: world.disk, log: log)
        var values: [Int64] = []
        try again.range(LogWorld.key(0), from: time, to: time + 1) { values.append($0.value) }
        #expect(values == [2])
    }

    @Test func `a segment whose name could not be taken back does not lie beside the budget`() throws {
        var world = LogWorld()
        world.options.budget = 3 * 64 << 10
        let log = try world.open()
        let number = try log.number(for: LogWorld.key(0))
        var random = SplitMix64(seed: 3)
        for i in 0..<200 {
            let (seed, draw) = (UInt64(i), random.next())
            world.disk.fail { operation, _, call in
                guard operation == .rename || operation == .sync else { return nil }
                var chance = SplitMix64(seed: seed ^ draw, stream: UInt64(call))
                return chance.chance(200) ? EROFS : nil
            }
            try log.append([world.record(i, number)])
            try? log.flush()
            #expect(world.disk.bytesUsed <= 3 * 64 << 10)
        }
        world.disk.fail(nil)
        try log.flush()
        #expect(log.durable == log.end)
    }

    @Test func `series of a write that never became durable are not reported as lost`() throws {
        var world = LogWorld()
        var log = try world.open()
        world.disk.fail { operation, path, _ in operation == .write && path.contains("/segment-0") ? EIO : nil }
        for i in 0..<5 { try log.append([world.record(i, try log.number(for: LogWorld.key(i)))]) }
        #expect(throws: LogError.self) { try log.flush() }
        var random = SplitMix64(seed: 1)
        world.disk.crash(using: &random)
        world.disk.fail(nil)
        log = try world.open()
        #expect(log.report.segments == 1 && log.report.lostSeries == 0)
        #expect(!log.report.isEventful)
    }

    @Test func `a file in the making that a crash left is begun anew`() throws {
        var world = LogWorld()
        var log = try world.open()
        world.disk.fail { operation, path, _ in operation == .rename && path.hasSuffix("segment-next.log") ? EIO : nil }
        try log.append([world.record(0, try log.number(for: LogWorld.key(0)))])
        #expect(throws: LogError.self) { try log.flush() }
        #expect(world.disk.contents(world.path("segment-next.log")) != nil)
        world.disk.fail(nil)
        log = try world.open()
        #expect(world.disk.contents(world.path("segment-next.log")) == nil)
        #expect(log.report.diskErrors.isEmpty)
    }

    @Test func `after an epoch was lost whole, a consumer of it is not told again what came before`() throws {
        var world = LogWorld()
        var log = try world.open()
        let number = try log.number(for: LogWorld.key(0))
        let time = LogWorld.start
        func say(_ value: Int64) throws {
            try log.append([.readings([Reading(series: number, time: time, received: time, value: value)])])
            try log.flush()
        }
        try say(1)
        // The end of the first epoch is torn, so what follows is another, in a segment of its own.
        world.disk.flipBit(world.segment(1), at: 8192 + 40, bit: 0)
        world.clock.advance(by: 60_000)
        try log.append([world.record(5, number)])
        try log.flush()
        log = try world.open()
        let epoch = log.end.epoch
        try say(2)
        var history = try History(directory: "/data/history", fileSystem: world.disk, log: log)
        try history.follow()
        try history.seal()
        #expect(history.cursor.epoch == epoch)
        // That segment is lost, and a third epoch begins.
        let last = try #require(try world.disk.list(world.directoryPath).last { $0.hasSuffix(".log") })
        world.disk.flipBit(world.path(last), at: 20, bit: 3)
        world.clock.advance(by: 60_000)
        log = try world.open()
        try #require(log.end.epoch > epoch)
        history = try History(directory: "/data/history", fileSystem: world.disk, log: log)
        try history.follow()
        #expect(history.statistics.rewinds == 0)
        try history.seal()
        var values: [Int64] = []
        try history.range(LogWorld.key(0), from: time, to: time + 1) { values.append($0.value) }
        #expect(values == [2])
    }

    @Test func `numbers of series whose names were lost are not given to others, also after a second start`() throws {
        var world = LogWorld()
        var log = try world.open()
        var numbers = try (0..<3).map { try log.number(for: LogWorld.key($0)) }
        try log.append(numbers.map { world.record(1, $0) })
        try log.flush()
        try log.append([world.record(2, numbers[2])])
        try log.flush()
        // Declarations and the first flush, which both have the names, are damaged; a reading of the third series is
        // still there.
        for page in [4096, 8192] {
            for at in stride(from: page, to: page + 800, by: 40) {
                world.disk.flipBit(world.segment(1), at: at, bit: 0)
            }
        }
        log = try world.open()
        #expect(log.report.lostSeries == 3)
        // Nothing but a sign of life becomes durable before the next start, which then knows no more than the header.
        try log.flush(heartbeat: true)
        log = try world.open()
        #expect(log.report.lostSeries == 0, "told a second time")
        numbers = try (5..<8).map { try log.number(for: LogWorld.key($0)) }
        #expect(numbers == [3, 4, 5].map { SeriesNumber($0) })
    }

    @Test func `first seals that failed, a pulled disk between them, leave nothing that looks like values given up`()
        throws
    {
        var world = LogWorld()
        let log = try world.open()
        let number = try log.number(for: LogWorld.key(0))
        let history = try History(directory: "/data/history", fileSystem: world.disk, log: log)
        try log.append([.readings([Reading(series: number, time: LogWorld.start, received: LogWorld.start, value: 1)])])
        try log.flush()
        try history.follow()
        // The file of minutes has its name when the next one fails.
        let isFull: SimulatedDisk.Fault = { operation, path, _ in
            operation == .create && path.contains("/quarter/") ? ENOSPC : nil
        }
        world.disk.fail(isFull)
        #expect(throws: (any Error).self) { try history.seal() }
        world.disk.detach()
        #expect(throws: (any Error).self) { try history.seal() }
        world.disk.attach()
        #expect(throws: (any Error).self) { try history.seal() }
        world.disk.fail(nil)
        try history.seal()
        #expect(try world.disk.list("/data/history/minute").count == 1)
        #expect(history.rawBegin.milliseconds == .min)
    }

    @Test func `a pulled disk after syncs that failed leaves no segment beside the budget`() throws {
        var world = LogWorld()
        world.options.budget = 3 * 64 << 10
        let log = try world.open()
        let number = try log.number(for: LogWorld.key(0))
        var next = 0
        func fill(_ records: Int) throws {
            for _ in 0..<records {
                try log.append([world.record(next, number, count: 100)])
                next += 1
            }
            try log.flush()
        }
        while log.oldest.offset == 0 { try fill(20) }
        // The oldest file is to be the next one's, and its new name never becomes durable.
        let isLoose: SimulatedDisk.Fault = { operation, path, _ in
            operation == .sync && path.hasSuffix("/facts/0") ? EIO : nil
        }
        world.disk.fail(isLoose)
        var failures = 0
        while failures < 3 {
            do { try fill(20) } catch { failures += 1 }
        }
        world.disk.detach()
        #expect(throws: (any Error).self) { try log.flush() }
        world.disk.attach()
        world.disk.fail(nil)
        for _ in 0..<4 { try fill(20) }
        let files = try world.disk.list(world.directoryPath).filter { $0.hasPrefix("segment") || $0.hasPrefix("next") }
        #expect(files.count <= 3, "\(files)")
    }

    @Test func `a segment whose first page never came to the disk takes its names from the one before`() throws {
        var world = LogWorld()
        var log = try world.open()
        let number = try log.number(for: LogWorld.key(0))
        var next = 0
        while world.disk.contents(world.segment(2)) == nil {
            try log.append([world.record(next, number, count: 100)])
            try log.flush()
            next += 1
        }
        try log.append([world.record(next, number)])
        try log.flush()
        var bytes = try #require(world.disk.contents(world.segment(2)))
        for i in 4096..<8192 { bytes[i] = 0 }
        world.disk.put(bytes, at: world.segment(2))
        log = try world.open()
        #expect(log.key(for: number) == LogWorld.key(0))
        #expect(log.report.lostSeries == 0)
    }

    /// A log of two segments, the second of them begun, with nothing in it of what was to be its first flush.
    private func begunSegment(_ world: inout LogWorld) throws -> SeriesNumber {
        let log = try world.open()
        let number = try log.number(for: LogWorld.key(0))
        let second = world.segment(2)
        world.disk.fail { operation, path, _ in operation == .write && path == second ? EIO : nil }
        var next = 0
        while world.disk.contents(second) == nil {
            try log.append([world.record(next, number, count: 100)])
            try? log.flush()
            next += 1
        }
        world.disk.fail(nil)
        return number
    }

    @Test func `a segment names the series before the ring can give up those before it`() throws {
        var world = LogWorld()
        let number = try begunSegment(&world)
        try world.disk.remove(world.segment(1))
        let log = try world.open()
        #expect(log.key(for: number) == LogWorld.key(0))
        #expect(log.report.lostSeries == 0)
    }

    @Test func `a segment that an older program began without names is left for one that has them`() throws {
        var world = LogWorld()
        let number = try begunSegment(&world)
        var bytes = try #require(world.disk.contents(world.segment(2)))
        for i in 4096..<bytes.count { bytes[i] = 0 }
        world.disk.put(bytes, at: world.segment(2))
        var log = try world.open()
        #expect(log.key(for: number) == LogWorld.key(0) && !log.report.startedEpoch)
        try log.append([world.record(900, number)])
        try log.flush()
        for segment in [1, 2] { try world.disk.remove(world.segment(segment)) }
        log = try world.open()
        #expect(log.key(for: number) == LogWorld.key(0))
        #expect(try Received(log).records.last?.record == world.record(900, number))
    }
}
