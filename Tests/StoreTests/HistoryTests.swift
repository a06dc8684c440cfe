import Disk
import History
import Metering
import ReadingLog
import Records
import Simulation
import Testing
import Timekeeping

@Suite struct HistoryTests {
    private static let start = LogWorld.start
    private static let far = Timestamp(milliseconds: Int64.max)
    private static let past = Timestamp(milliseconds: 0)

    @Test(arguments: 1...12 as ClosedRange<UInt64>)
    func `queries equal a naive model under late data, duplicates and restarts`(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        var home = try HistoryWorld(HistoryOptions(sealAfter: 10 * Span.minute))
        for _ in 0..<400 {
            let now = home.world.clock.now().wall
            let lateness = random.chance(200) ? random.between(0, Span.hour) : 0
            let time = now - lateness
            let value = random.chance(20) ? Int64(bitPattern: random.next()) : random.between(-5000, 5000) * 100
            try home.put(Int(random.between(0, 3)), time, value)
            if random.chance(100) { try home.put(0, time, value + 1) }
            home.world.clock.advance(by: random.chance(300) ? 0 : random.between(1, 20_000))
            if random.chance(300) { try home.flush() }
            if random.chance(20) {
                home.world.disk.crash(using: &random)
                try home.recover()
            }
        }
        try home.flush()
        for series in 0..<4 {
            #expect(
                try home.points(series, HistoryTests.past, HistoryTests.far)
                    == home.expected(series, HistoryTests.past, HistoryTests.far), "seed \(seed)")
            let from = HistoryTests.start + random.between(0, Span.hour)
            let to = from + random.between(0, Span.hour)
            #expect(try home.points(series, from, to) == home.expected(series, from, to), "seed \(seed)")
            let expected = home.expected(series, HistoryTests.past, HistoryTests.far)
            #expect(home.history.latest(LogWorld.key(series)) == expected.last, "seed \(seed)")
            try home.checkBuckets(series, from, to, step: random.between(1, 10 * Span.minute), seed)
        }
        #expect(home.history.statistics.sealedFiles > 0 || home.history.statistics.files > 0)
    }

    @Test func `an average is rounded once, ties to even`() throws {
        var home = try HistoryWorld()
        for (i, value) in [1, 2, 2, 3, -1, -2].enumerated() {
            try home.put(0, HistoryTests.start + Int64(i), Int64(value))
        }
        try home.flush()
        var averages: [Int64] = []
        try home.history.downsample(LogWorld.key(0), from: HistoryTests.start, to: HistoryTests.far, step: 2) {
            averages.append($0.average)
        }
        #expect(averages == [2, 2, -2])
    }

    @Test func `a limit stops and says that there is more`() throws {
        var home = try HistoryWorld()
        for i in 0..<5 as Range<Int64> { try home.put(0, HistoryTests.start + i, i) }
        try home.flush()
        var count = 0
        let key = LogWorld.key(0)
        let (from, to) = (HistoryTests.past, HistoryTests.far)
        #expect(try home.history.range(key, from: from, to: to, limit: 4) { _ in count += 1 })
        #expect(count == 4)
        #expect(try !home.history.range(key, from: from, to: to, limit: 5) { _ in })
    }

    @Test func `a damaged newest file is set aside and read from the log again`() throws {
        var home = try HistoryWorld()
        for i in 0..<50 as Range<Int64> { try home.put(Int(i % 3), HistoryTests.start + i * 1000, i) }
        try home.flush()
        try home.history.seal()
        let name = try #require(try home.world.disk.list("/data/history/raw").first)
        let size = try #require(home.world.disk.contents("/data/history/raw/" + name)).count
        home.world.disk.flipBit("/data/history/raw/" + name, at: size - 30, bit: 4)
        try home.reopen()
        #expect(home.history.statistics.setAside == [name + ".damaged"])
        for series in 0..<3 {
            #expect(
                try home.points(series, HistoryTests.past, HistoryTests.far)
                    == home.expected(series, HistoryTests.past, HistoryTests.far))
        }
    }

    @Test func `a damaged block is left out and named, the others are read`() throws {
        var home = try HistoryWorld()
        for i in 0..<50 as Range<Int64> { try home.put(Int(i % 2), HistoryTests.start + i * 1000, i * i) }
        try home.flush()
        try home.history.seal()
        let name = try #require(try home.world.disk.list("/data/history/raw").first)
        home.world.disk.flipBit("/data/history/raw/" + name, at: 24, bit: 4)
        #expect(try home.points(0, HistoryTests.past, HistoryTests.far).isEmpty)
        #expect(try home.points(1, HistoryTests.past, HistoryTests.far).count == 25)
        #expect(home.history.statistics.damagedBlocks == 1)
        #expect(home.history.damage.first?.position == 16)
    }

    @Test func `old files go by age and by bytes, the oldest first`() throws {
        var home = try HistoryWorld(
            HistoryOptions(retention: Span.day, budget: 1 << 20, sealAfter: Span.hour, mergeCount: 4))
        for i in 0..<100 as Range<Int64> {
            try home.put(0, home.world.clock.now().wall, i)
            home.world.clock.advance(by: Span.hour)
            try home.flush()
        }
        #expect(home.history.statistics.removedFiles > 0)
        let points = try home.points(0, HistoryTests.past, HistoryTests.far)
        let newest = try #require(points.last)
        let oldest = try #require(points.first)
        // A merged file goes when all of it is old enough.
        #expect(newest.time - oldest.time <= 2 * Span.day)
        #expect(points.count >= 24)
    }

    @Test func `with a full head and a failing disk nothing is lost, the log waits`() throws {
        var home = try HistoryWorld(HistoryOptions(headCeiling: 4096))
        // Far enough apart to take two bytes each in memory.
        func put(_ i: Int64) throws { try home.put(0, HistoryTests.start + i, i * 7919 % 30_011) }
        for i in 0..<4500 as Range<Int64> { try put(i) }
        try home.log.flush()
        home.world.disk.fail { operation, path, _ in path.contains("history") && operation == .write ? 28 : nil }
        try home.history.follow()
        for i in 4500..<6000 as Range<Int64> { try put(i) }
        try home.log.flush()
        #expect(throws: DiskError.self) { try home.history.follow() }
        home.world.disk.fail(nil)
        try home.history.follow()
        #expect(
            try home.points(0, HistoryTests.past, HistoryTests.far)
                == home.expected(0, HistoryTests.past, HistoryTests.far))
        #expect(
            try home.world.disk.list("/data/history/raw").allSatisfy { $0.hasSuffix(".blk") || $0.hasSuffix(".tmp") })
        try home.history.seal()
        #expect(try home.world.disk.list("/data/history/raw").allSatisfy { $0.hasSuffix(".blk") })
    }
}
