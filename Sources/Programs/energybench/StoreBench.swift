import Disk
import History
import Metering
import ReadingLog
import Records
import Timekeeping

/// What History costs per point: reading the log, the heads, compressing and writing the files.
enum StoreBench {
    private static let hours = 8

    static func run(in directory: String) throws {
        let clock = StoppedClock()
        let log = try LogBench.open(directory + "/log", clock)
        let history = try History(directory: directory + "/history", fileSystem: LocalFileSystem(), log: log)
        var house = Household()
        let numbers = try house.keys.map { try log.number(for: $0) }
        var cpu = 0.0
        var count = 0
        for minute in 0..<hours * 60 {
            for second in minute * 60..<minute * 60 + 60 {
                clock.milliseconds = Household.start.milliseconds + Int64(second) * Span.second
                try log.append([.readings(house.readings(second: second, numbers: numbers))])
                count += numbers.count
            }
            try log.flush()
            let watch = Stopwatch()
            try history.follow()
            cpu += watch.cpu
        }
        let watch = Stopwatch()
        try history.seal()
        cpu += watch.cpu
        report("store.cpu_s_per_million", cpu / Double(count) * 1e6, "s")
    }
}
