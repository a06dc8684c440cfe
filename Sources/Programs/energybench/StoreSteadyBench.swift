import Disk
import History
import Metering
import ReadingLog
import Records
import Timekeeping

/// What a usual home writes in a day, and how long a start takes.
enum StoreSteadyBench {
    private static let series = 100

    static func run(_ data: PerfDataSet, in directory: String) throws {
        try day(data, in: directory + "/steady60", flushEvery: 6)
        try day(data, in: directory + "/steady10", flushEvery: 1)
        try open(data, in: directory + "/open")
    }

    /// 20 devices with five quantities each at 10 s for 24 hours of a stopped clock.
    private static func day(_ data: PerfDataSet, in directory: String, flushEvery: Int) throws {
        var world = try StoreWorld(directory, series: series)
        try world.flush()
        guard let before = ProcessFigures.io("write_bytes") else { return }
        for step in 0..<8640 {
            try world.append(step) { data.thousandths($0 * 10 + 3, step) }
            if step % flushEvery == flushEvery - 1 { try world.flush(heartbeat: true) }
        }
        guard let after = ProcessFigures.io("write_bytes") else { return }
        report("store.written_mb_per_day.flush_\(flushEvery * 10)s", Double(after - before) / 1e6, "MB")
    }

    /// A crash with a full log of 1 GB behind it and two hours of values that no file has yet; nothing in memory.
    private static func open(_ data: PerfDataSet, in directory: String) throws {
        let clock = StoppedClock()
        do {
            var world = try StoreWorld(directory, series: series)
            let filler = Record.unknown(kind: 1 << 20, body: [UInt8](repeating: 0xA5, count: 200 << 10))
            for _ in 0..<4900 { try world.log.append([filler]) }
            for step in 0..<PerfDataSet.count - 1 {
                try world.append(step) { data.thousandths($0 * 10 + 3, step) }
                if step % 6 == 5 { try world.flush(heartbeat: true) }
            }
            clock.milliseconds = world.clock.milliseconds
        }
        let fileSystem = LocalFileSystem()
        var paths: [String] = []
        for folder in ["/log/facts/0", "/history/raw", "/history/minute", "/history/quarter"] {
            paths += try fileSystem.list(directory + folder).map { directory + folder + "/" + $0 }
        }
        ProcessFigures.coolDown(paths)
        let read = ProcessFigures.io("read_bytes")
        let watch = Stopwatch()
        let log = try LogBench.open(directory + "/log", clock)
        let history = try History(directory: directory + "/history", fileSystem: fileSystem, log: log)
        try history.follow()
        report("store.open_1gb_after_crash_s", watch.wall, "s")
        precondition(history.latestAll().count == series, "not every series is known after the start")
        if let read, let now = ProcessFigures.io("read_bytes") {
            report("store.open_1gb_read_mb", Double(now - read) / 1e6, "MB")
        }
    }
}
