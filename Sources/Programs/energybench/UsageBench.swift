import Metering
import Records
import Usage

/// What Usage costs per reading of a plug, slots taken every ten seconds as the pipeline does.
enum UsageBench {
    private static let seconds = 4 * 3_600

    static func run() {
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
}
