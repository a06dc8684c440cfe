import CAllocator
import Metering
import Records
import Timekeeping
import Usage

/// What Usage costs per reading of a plug, slots taken every ten seconds as the pipeline does.
enum UsageBench {
    private static let seconds = 4 * 3_600

    static func run() {
        // First, so that no memory that others gave back is taken for its own.
        memory()
        var house = Household()
        let keys = house.keys
        let numbers = keys.indices.map { SeriesNumber(UInt32($0)) }
        let records = (0..<seconds).map { Record.readings(house.readings(second: $0, numbers: numbers)) }
        var usage = UsageState()
        var slots = 0
        let watch = Stopwatch()
        for (second, record) in records.enumerated() {
            usage.apply(record, offset: UInt64(second)) { keys[Int($0.value)] }
            if second % 10 == 9 { slots += usage.takeChanges().count }
        }
        precondition(slots > 0, "no slot came out of four hours of readings")
        report("usage.ns_per_reading", watch.cpu / Double(records.count * numbers.count) * 1e9, "ns")
    }

    private static let counters = 50_000
    private static let minutes = 240

    /// Memory that a state of many counters takes, one reading a minute of each, slots taken every ten seconds' worth
    /// of them; all of the state counts: look-up tables, lateness window, what waits to be taken. What is free is given
    /// back first, as the daemon does when History seals; `before_trim` is with what the allocator keeps until then.
    private static func memory() {
        let keys = (0..<counters).map { i in
            SeriesKey(device: DeviceID(high: 0xB1, low: UInt64(i)), channel: .total, quantity: .energyImport)
        }
        // What the program itself takes when it does this for the first time is no counter's.
        _ = fill(Array(keys.prefix(100)), minutes: 30)
        malloc_trim(0)
        let before = ProcessFigures.privateBytes() ?? 0
        let (usage, spent) = fill(keys, minutes: minutes)
        let untrimmed = ProcessFigures.privateBytes() ?? 0
        malloc_trim(0)
        // What was there before must not have been given up meanwhile.
        let after = withExtendedLifetime(keys) { ProcessFigures.privateBytes() ?? 0 }
        report("usage.bytes_per_counter", Double(after - before) / Double(counters), "B")
        report("usage.bytes_per_counter.before_trim", Double(untrimmed - before) / Double(counters), "B")
        report("usage.ns_per_reading.many", spent / Double(counters * minutes) * 1e9, "ns")
        report("usage.snapshot_bytes_per_counter", Double(usage.encoded().count) / Double(counters), "B")
    }

    /// The state after so many minutes, and the CPU-seconds that it took.
    private static func fill(_ keys: [SeriesKey], minutes: Int) -> (UsageState, spent: Double) {
        var usage = UsageState()
        var slots = 0
        var spent = 0.0
        var readings: [Reading] = []
        for minute in 0..<minutes {
            for part in 0..<6 {
                readings.removeAll(keepingCapacity: true)
                for i in stride(from: part, to: keys.count, by: 6) {
                    // Each at a second and a power of its own, whole Wh shown.
                    let second = Int64(minute * 60 + part * 10 + i % 10)
                    let time = Household.start + second * Span.second + Int64(i % 7) * 100
                    let value = (Int64(i) * 1_000_003 % 900_000_000 + second * Int64(20 + i % 700)) / 1_000 * 1_000
                    readings.append(
                        Reading(series: SeriesNumber(UInt32(i)), time: time, received: time, value: value))
                }
                let watch = Stopwatch()
                usage.apply(.readings(readings), offset: UInt64(minute)) { keys[Int($0.value)] }
                slots += usage.takeChanges().count
                spent += watch.cpu
            }
        }
        precondition(slots > 0, "no slot came out of the readings")
        return (usage, spent)
    }
}
