import Disk
import Glibc
import History
import Metering
import ReadingLog
import Records
import Simulation
import Testing
import Timekeeping

/// Sectors that cannot be read, clocks that leap, and files with more in them than memory has room for.
@Suite struct WornCardTests {
    private static let start = LogWorld.start

    /// Three files of raw values, 100 values each, ten seconds apart.
    private func world() throws -> (home: HistoryWorld, files: [String]) {
        var home = try HistoryWorld()
        for i in 0..<300 {
            try home.put(0, Self.start + Int64(i) * 10_000, Int64(i))
            if i % 100 == 99 {
                try home.flush()
                try home.history.seal()
            }
        }
        let files = try home.world.disk.list("/data/history/raw").map { "/data/history/raw/" + $0 }
        try home.reopen()
        return (home, files)
    }

    private func seals(_ home: HistoryWorld) -> Int {
        for attempt in 1...20 {
            do {
                try home.history.seal()
                return attempt
            } catch {}
        }
        return .max
    }

    private func values(_ home: HistoryWorld) throws -> [Int64] {
        try home.points(0, Self.start, Self.start + Span.day).map(\.value)
    }

    @Test func `a bad sector in one file hides its own values and no others`() throws {
        let (home, files) = try world()
        home.world.disk.fail { operation, path, _ in operation == .read && path == files[1] ? EIO : nil }
        #expect(try values(home) == Array(0..<100) + Array(200..<300))
        #expect(home.history.damage.contains { $0.path == files[1] })
    }

    @Test func `a bad sector does not stop late values, seals and merges for ever`() throws {
        let (made, files) = try world()
        var home = made
        home.world.disk.fail { operation, path, _ in operation == .read && path == files[1] ? EIO : nil }
        try home.put(0, Self.start + 1_005_000, 7)
        try home.flush()
        #expect((2...8).contains(seals(home)))
        #expect(home.history.statistics.headPoints == 0)
        let cursor = home.history.cursor
        #expect(cursor == home.log.durable)
        #expect(try values(home) == Array(0..<100) + [7] + Array(200..<300))
        // A dozen files later they have become one, and the one that is bad lies beside it for whoever can read it.
        for i in 0..<12 {
            try home.put(0, Self.start + 4_000_000 + Int64(i) * 1000, 1000 + Int64(i))
            try home.flush()
            _ = seals(home)
        }
        #expect(home.history.statistics.mergedFiles > 0)
        #expect(home.history.statistics.setAside.contains { files[1].hasSuffix($0.dropLast(".damaged".count)) })
    }

    @Test func `an error that passes takes nothing out of the roll-ups`() throws {
        let (made, files) = try world()
        var home = made
        let failures = Counter(3)
        home.world.disk.fail { operation, path, _ in
            operation == .read && path == files[1] && failures.takeOne() ? EIO : nil
        }
        try home.put(0, Self.start + 1_005_000, 7)
        try home.flush()
        #expect(seals(home) == 4)
        #expect(try values(home) == Array(0..<101) + [7] + Array(101..<300))
        var counts = 0
        let hour = Self.start - Self.start.milliseconds % Span.hour
        try home.history.downsample(LogWorld.key(0), from: hour, to: Self.start + Span.day, step: Span.hour) {
            counts += $0.count
        }
        #expect(counts == 301)
    }

    @Test func `while nothing can be written either a query fails instead of answering with what is left`() throws {
        var (home, _) = try world()
        home.world.disk.fail { operation, path, _ in
            operation == .write || operation == .read && path.hasPrefix("/data/history") ? EIO : nil
        }
        try home.put(0, Self.start + 5_000_000, 1)
        #expect(throws: (any Error).self) { try home.log.flush() }
        #expect(throws: (any Error).self) { try values(home) }
        home.world.disk.fail(nil)
        try home.flush()
        #expect(try values(home).count == 301)
    }

    @Test func `a clock that was years ahead for a moment makes nothing look old`() throws {
        var home = try HistoryWorld(HistoryOptions(retention: 30 * Span.day))
        func day(_ i: Int) throws {
            try home.put(0, home.world.clock.now().wall, Int64(i))
            try home.flush()
            try home.history.seal()
            home.world.clock.advance(by: Span.day)
        }
        func held() throws -> [Int64] {
            let end = Timestamp.validRange.upperBound
            return try home.points(0, Timestamp(milliseconds: 0), end).map(\.value)
        }
        for i in 0..<10 { try day(i) }
        home.world.clock.advance(by: 61 * 365 * Span.day)
        for i in 10..<12 { try day(i) }
        #expect(try held() == Array(0..<12))
        #expect(home.history.statistics.removedFiles == 0)
        try home.reopen()
        #expect(try held() == Array(0..<12))
        // Time goes on, and what has become old goes.
        for i in 12..<80 { try day(i) }
        #expect(try held().count <= 34)
        #expect(try held().last == 79)
    }

    @Test func `a merge of more values than are copied at one time keeps them all`() throws {
        var home = try HistoryWorld(HistoryOptions(mergeCount: 2))
        home.world.options.budget = 4096 * 64 << 10
        home.world.options.memoryCeiling = 8 << 20
        try home.reopen()
        let number = try home.log.number(for: LogWorld.key(0))
        let half = 70_000
        for part in 0..<2 {
            for from in stride(from: part * half, to: (part + 1) * half, by: 500) {
                let readings = (from..<from + 500).map { i in
                    Reading(
                        series: number, time: Self.start + Int64(i) * 1000, received: Self.start,
                        value: Int64(i % 977) * 10)
                }
                try home.log.append([.readings(readings)])
            }
            try home.flush()
            try home.history.seal()
        }
        #expect(home.history.statistics.mergedFiles > 0)
        let points = try home.points(0, Self.start, Self.start + 2 * Span.day)
        #expect(points.map(\.value) == (0..<2 * half).map { Int64($0 % 977) * 10 })
        #expect(points.map(\.time) == (0..<2 * half).map { Self.start + Int64($0) * 1000 })
    }
}

/// How often something still fails. Used by one thread.
private final class Counter: @unchecked Sendable {
    private var rest: Int

    init(_ rest: Int) { self.rest = rest }

    func takeOne() -> Bool {
        guard rest > 0 else { return false }
        rest -= 1
        return true
    }
}
