import Disk
import History
import Metering
import ReadingLog
import Records
import Timekeeping

/// A log and a history on the disk, fed with columns of values.
struct StoreWorld {
    let clock = StoppedClock()
    let log: ReadingLog
    let history: History
    let keys: [SeriesKey]
    let numbers: [SeriesNumber]
    /// Of appending, making durable, following, sealing and merging; making the readings is not in it.
    private(set) var cpu = StageTimes()
    private(set) var count = 0

    /// Divided by the sealing interval, so that values of a whole number of intervals end before a seal.
    static let start = Timestamp(milliseconds: 1_714_953_600_000)
    static let step = 10 * Span.second

    init(_ directory: String, series: Int, budget: Int64 = 1 << 30) throws {
        clock.milliseconds = StoreWorld.start.milliseconds
        log = try LogBench.open(directory + "/log", clock, budget: budget)
        history = try History(directory: directory + "/history", fileSystem: LocalFileSystem(), log: log)
        keys = (0..<series).map { i in
            // A device has its power and its energy, as in the data set.
            let half = series / 2
            return SeriesKey(
                device: DeviceID(high: StoreWorld.scatter(i % half), low: StoreWorld.scatter(i % half + 1)),
                channel: .total, quantity: i < half ? .power : .energyImport)
        }
        numbers = try keys.map { [log] in try log.number(for: $0) }
    }

    /// Identities as random as real ones.
    private static func scatter(_ i: Int) -> UInt64 {
        var value = UInt64(truncatingIfNeeded: i) &* 0x9E37_79B9_7F4A_7C15
        value ^= value >> 29
        return value &* 0xBF58_476D_1CE4_E5B9
    }

    /// One instant of all series: `value` in thousandths, `jitter` ms off the grid.
    mutating func append(_ step: Int, _ value: (Int) -> Int64, jitter: (Int) -> Int64 = { _ in 0 }) throws {
        clock.milliseconds = StoreWorld.start.milliseconds + Int64(step) * StoreWorld.step
        let readings = numbers.enumerated().map { i, number in
            let time = Timestamp(milliseconds: clock.milliseconds + jitter(i))
            return Reading(series: number, time: time, received: time, value: value(i))
        }
        let watch = Stopwatch()
        try log.append([.readings(readings)])
        cpu.append += watch.cpu
        count += readings.count
    }

    mutating func flush(heartbeat: Bool = false) throws {
        let watch = Stopwatch()
        try log.flush(heartbeat: heartbeat)
        let flushed = watch.cpu
        cpu.flush += flushed
        cpu.system += watch.system
        let seals = history.statistics.sealedFiles
        try history.follow()
        let followed = watch.cpu - flushed
        if history.statistics.sealedFiles > seals { cpu.seal += followed } else { cpu.follow += followed }
    }

    mutating func seal() throws {
        let watch = Stopwatch()
        try history.seal()
        cpu.seal += watch.cpu
    }

    /// CPU-seconds by stage.
    struct StageTimes {
        var append = 0.0
        /// Encoding, writing, syncing.
        var flush = 0.0
        /// Of `flush`: what the kernel took.
        var system = 0.0
        /// Reading back and taking into heads.
        var follow = 0.0
        /// Calls of `follow` in which the head was sealed, and what was merged then.
        var seal = 0.0

        var total: Double { append + flush + follow + seal }
        var stages: [(String, Double)] {
            [("append", append), ("flush", flush), ("flush_system", system), ("follow", follow), ("seal", seal)]
        }
    }

    /// Of the files of raw values, everything in them counted.
    var bytesPerPoint: Double { Double(history.statistics.tiers[.raw]?.bytes ?? 0) / Double(max(1, count)) }
}
