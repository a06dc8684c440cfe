import Disk
import Metering
import ReadingLog
import Records
import Simulation
import Testing
import Timekeeping

@testable import History

/// Roll-ups, merging and what a crash between two of their steps leaves.
@Suite struct HistoryTierTests {
    private static let far = Timestamp(milliseconds: 1 << 50)
    private static let past = Timestamp(milliseconds: 0)

    /// Half a day of three series with gaps, late and repeated values and now and then a crash.
    private func live(_ home: inout HistoryWorld, _ random: inout SplitMix64, steps: Int, crashes: Bool) throws {
        for _ in 0..<steps {
            let lateness = random.chance(60) ? random.between(0, 3 * Span.hour) : 0
            let time = home.world.clock.now().wall - lateness
            try home.put(Int(random.between(0, 2)), time, random.between(-500, 500) * 100)
            if random.chance(50) { try home.put(0, time, random.between(-500, 500)) }
            home.world.clock.advance(by: random.chance(10) ? random.between(0, Span.hour) : random.between(1, 120_000))
            if random.chance(200) { try home.flush() }
            if crashes, random.chance(10) {
                home.world.disk.crash(using: &random)
                try home.recover()
            }
        }
        try home.flush()
    }

    @Test(arguments: 1...5 as ClosedRange<UInt64>)
    func `steps of minutes and quarters equal a naive model, whichever tier answers`(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        var home = try HistoryWorld(HistoryOptions(sealAfter: 30 * Span.minute, mergeCount: 3))
        try live(&home, &random, steps: 700, crashes: true)
        #expect(home.history.statistics.mergedFiles + home.history.statistics.files >= 3)
        for series in 0..<3 {
            #expect(
                try home.points(series, Self.past, Self.far) == home.expected(series, Self.past, Self.far),
                "seed \(seed)")
            for step in [1, 5, 15, 60, 45, 360].map({ $0 * Span.minute }) {
                let from = (LogWorld.start + random.between(0, 6 * Span.hour)).floored(to: step)
                try home.checkBuckets(
                    series, from, LogWorld.start + random.between(6 * Span.hour, 18 * Span.hour), step: step, seed)
                try home.checkBuckets(series, Self.past, Self.far, step: step, seed)
            }
        }
    }

    @Test(arguments: 1...5 as ClosedRange<UInt64>)
    func `a crash at any write of a seal or merge loses and doubles nothing`(seed: UInt64) throws {
        var random = SplitMix64(seed: seed)
        var home = try HistoryWorld(HistoryOptions(sealAfter: 30 * Span.minute, mergeCount: 2))
        for round in 0..<25 as Range<Int64> {
            try live(&home, &random, steps: 25, crashes: false)
            // The disk refuses from one of the operations on; then the power goes.
            let fatal = random.between(1, 40)
            let counter = Counter()
            home.world.disk.fail { operation, path, _ in
                guard path.contains("/history/"), operation != .read, operation != .open else { return nil }
                return counter.next() >= fatal ? 5 : nil
            }
            do { try home.history.seal() } catch is DiskError {}
            home.world.disk.fail(nil)
            home.world.disk.crash(using: &random)
            try home.recover()
            for series in 0..<3 {
                #expect(
                    try home.points(series, Self.past, Self.far) == home.expected(series, Self.past, Self.far),
                    "seed \(seed), round \(round)")
            }
        }
        for series in 0..<3 {
            for step in [1, 15].map({ $0 * Span.minute }) {
                try home.checkBuckets(series, Self.past, Self.far, step: step, seed)
            }
        }
    }

    @Test func `where raw values are gone the roll-ups answer, and the sum stays`() throws {
        var home = try HistoryWorld(HistoryOptions(retention: 6 * Span.hour, sealAfter: Span.hour, mergeCount: 4))
        for i in 0..<(30 * 60) as Range<Int64> {
            try home.put(0, home.world.clock.now().wall, i)
            home.world.clock.advance(by: Span.minute)
            try home.flush()
        }
        #expect(home.history.statistics.removedFiles > 0)
        #expect(try home.points(0, Self.past, Self.far).count < 24 * 60)
        try home.checkBuckets(0, Self.past, Self.far, step: 15 * Span.minute, 0)
        // A step that no roll-up fits: what is gone counts where its quarter begins.
        var total = 0
        try home.history.downsample(LogWorld.key(0), from: Self.past, to: Self.far, step: 7 * Span.minute + 1) {
            total += $0.count
        }
        #expect(total == 30 * 60)
        // Late values of a time whose raw values are gone are added to what there is.
        let old = LogWorld.start + 30 * Span.second
        try home.put(0, old, 1_000_000)
        try home.flush()
        try home.history.seal()
        try home.checkBuckets(0, Self.past, old + Span.hour, step: Span.hour, 0)
    }

    @Test func `values that come into a past that was imported and given up are added to it`() throws {
        var home = try HistoryWorld(HistoryOptions(retention: 6 * Span.hour, sealAfter: Span.hour, mergeCount: 100))
        for i in 0..<120 as Range<Int64> {
            try home.put(0, home.world.clock.now().wall, i)
            home.world.clock.advance(by: Span.minute)
            try home.flush()
        }
        // What comes now has a file of its own.
        try home.history.seal()
        // A day of the past: its raw values are older than the retention as soon as they are there.
        let past = LogWorld.start.floored(to: Span.day) - 10 * Span.day
        for i in 0..<(24 * 60) as Range<Int64> { try home.put(0, past + i * Span.minute, 1000 + i) }
        try home.flush()
        try home.history.seal()
        for i in 120..<240 as Range<Int64> {
            try home.put(0, home.world.clock.now().wall, i)
            home.world.clock.advance(by: Span.minute)
            try home.flush()
        }
        try home.history.seal()
        #expect(try home.points(0, past, past + Span.day).isEmpty)
        // One into the middle of a quarter, one behind all that there is of another, and both a second time.
        for _ in 0..<2 {
            try home.put(0, past + 5 * Span.minute + 30_000, 77_000)
            try home.put(0, past + Span.day + 30_000, 5)
            try home.flush()
            try home.history.seal()
            try home.checkBuckets(0, past, past + 2 * Span.day, step: 15 * Span.minute, 0)
            try home.checkBuckets(0, past, past + 2 * Span.day, step: Span.hour, 0)
        }
        // A step that no roll-up fits is answered by what there is.
        var total = 0
        try home.history.downsample(LogWorld.key(0), from: past, to: past + Span.day, step: 7 * Span.minute + 1) {
            total += $0.count
        }
        #expect(total == 24 * 60 + 1)
        try home.reopen()
        try home.checkBuckets(0, Self.past, Self.far, step: 15 * Span.minute, 0)
    }

    @Test func `a damaged roll-up is made again from raw values`() throws {
        var home = try HistoryWorld()
        for i in 0..<500 as Range<Int64> { try home.put(Int(i % 3), LogWorld.start + i * 7000, i * 100) }
        try home.flush()
        try home.history.seal()
        let name = try #require(try home.world.disk.list("/data/history/minute").first)
        let size = try #require(home.world.disk.contents("/data/history/minute/" + name)).count
        home.world.disk.flipBit("/data/history/minute/" + name, at: size - 30, bit: 1)
        try home.reopen()
        #expect(home.history.statistics.setAside == [name + ".damaged"])
        #expect(home.history.statistics.tiers[.minute]?.files == 1)
        for series in 0..<3 { try home.checkBuckets(series, Self.past, Self.far, step: Span.minute, 0) }
    }

    @Test func `series that have fallen silent are known after a start`() throws {
        var home = try HistoryWorld(HistoryOptions(sealAfter: 30 * Span.minute, mergeCount: 3))
        try home.put(7, LogWorld.start, 42)
        for i in 0..<600 as Range<Int64> {
            try home.put(0, home.world.clock.now().wall, i)
            home.world.clock.advance(by: Span.minute)
            try home.flush()
        }
        try home.history.seal()
        try home.reopen()
        #expect(home.history.latest(LogWorld.key(7)) == HistoryPoint(time: LogWorld.start, value: 42))
        #expect(home.history.latestAll().count == 2)
    }

    @Test func `a value that comes again within a grid's tolerance replaces the one there is`() throws {
        var home = try HistoryWorld()
        var random = SplitMix64(seed: 5)
        var times: [Timestamp] = []
        for i in 0..<100 as Range<Int64> {
            times.append(LogWorld.start + i * 10_000 + random.between(-20, 20))
            try home.put(0, times[times.count - 1], i)
        }
        try home.flush()
        try home.history.seal()
        for i in 0..<100 { try home.put(0, times[i], Int64(i) + 1000) }
        try home.flush()
        let before = try home.points(0, Self.past, Self.far)
        #expect(before.map(\.value) == (0..<100).map { $0 + 1000 })
        try home.history.seal()
        let after = try home.points(0, Self.past, Self.far)
        #expect(after.map(\.value) == (0..<100).map { $0 + 1000 })
        #expect(zip(after, times).allSatisfy { abs($0.time - $1) <= 50 })
        var count = 0
        try home.history.downsample(LogWorld.key(0), from: Self.past, to: Self.far, step: 15 * Span.minute) {
            count += $0.count
        }
        #expect(count == 100)
    }

    @Test func `a budget of pixels gives at most as many steps, on round times`() throws {
        var random = SplitMix64(seed: 9)
        for _ in 0..<500 {
            let from = LogWorld.start + random.between(0, Span.day)
            let to = from + random.between(1, random.chance(500) ? Span.day : 4000 * Span.day)
            let budget = Int(random.between(1, 2000))
            let step = HistoryStep.fitting(from: from, to: to, maximumBuckets: budget)
            #expect((to.ceiled(to: step) - from.floored(to: step)) / step <= max(1, budget))
            #expect(step % Span.second == 0)
        }
    }
}

private final class Counter: @unchecked Sendable {  // the disk calls it under its lock
    private var value: Int64 = 0

    func next() -> Int64 {
        value += 1
        return value
    }
}
