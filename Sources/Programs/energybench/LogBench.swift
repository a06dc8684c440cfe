import Disk
import Metering
import ReadingLog
import Records
import Timekeeping

/// Readings per second into the log on a real disk, made durable every ten seconds of the house's time.
///
/// A second of the house is one record; encoding, the aligned writes and their syncs are all in it.
enum LogBench {
    private static let seconds = 20_000

    static func run(in directory: String) throws {
        let clock = StoppedClock()
        let log = try open(directory, clock)
        var house = Household()
        let numbers = try house.keys.map { try log.number(for: $0) }
        let batches = (0..<seconds).map { house.readings(second: $0, numbers: numbers) }
        let watch = Stopwatch()
        for (second, readings) in batches.enumerated() {
            clock.milliseconds = Household.start.milliseconds + Int64(second) * Span.second
            try log.append([.readings(readings)])
            if second % 10 == 9 { try log.flush() }
        }
        try log.flush()
        let count = Double(batches.count * numbers.count)
        report("log.appends_per_s", count / watch.wall, "1/s")
        report("log.cpu_s_per_million", watch.cpu / count * 1e6, "s")
    }

    static func open(_ directory: String, _ clock: StoppedClock, budget: Int64 = 1 << 30) throws -> ReadingLog {
        var generator = SystemRandomNumberGenerator()
        let options = LogOptions(
            gateway: GatewayID(high: 0xBE, low: 0xEF), boot: BootID(bytes: (0..<16).map { UInt8($0) }), budget: budget)
        return try ReadingLog(
            directory: directory, fileSystem: LocalFileSystem(), clock: clock, options: options, using: &generator)
    }
}
