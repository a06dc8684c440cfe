import Billing
import Metering
import Records
import Timekeeping
import Usage

/// The readings of a replay that say something about energy, in memory: 16 bytes each. What came too late for its slot,
/// or was corrected, is worked out again from them.
final class ReplayArchive: ReadingArchive {
    private struct Points {
        var times: [Int64] = []
        var values: [Int64] = []
        var isSorted = true

        mutating func append(_ time: Int64, _ value: Int64) {
            if let last = times.last, last > time { isSorted = false }
            times.append(time)
            values.append(value)
        }

        /// In the order of time; several readings of one instant in the order in which they came, as History has them.
        mutating func sort() {
            guard !isSorted else { return }
            let order = times.indices.sorted { (times[$0], $0) < (times[$1], $1) }
            let (oldTimes, oldValues) = (times, values)
            times.removeAll(keepingCapacity: true)
            values.removeAll(keepingCapacity: true)
            for i in order {
                times.append(oldTimes[i])
                values.append(oldValues[i])
            }
            isSorted = true
        }

        func index(of time: Int64) -> Int {
            var (low, high) = (0, times.count)
            while low < high {
                let middle = (low + high) / 2
                if times[middle] < time { low = middle + 1 } else { high = middle }
            }
            return low
        }
    }

    private var series: [SeriesKey: Points] = [:]

    /// A replay gives nothing up.
    var begin: Timestamp { Timestamp(milliseconds: .min) }

    func add(_ reading: Reading, of key: SeriesKey) {
        guard UsageState.counts(key.quantity), !reading.flags.contains(.retained) else { return }
        series[key, default: Points()].append(reading.time.milliseconds, reading.value)
    }

    func readings(of key: SeriesKey, from: Timestamp, until: Timestamp, _ body: (Timestamp, Int64) -> Void) {
        series[key]?.sort()
        guard let points = series[key] else { return }
        var i = points.index(of: from.milliseconds)
        while i < points.times.count, points.times[i] < until.milliseconds {
            body(Timestamp(milliseconds: points.times[i]), points.values[i])
            i += 1
        }
    }

    /// The slots of `from ..< until` that have readings of a power, as History's roll-ups have them.
    func slotPowers(of key: SeriesKey, from: Timestamp, until: Timestamp, _ body: (SlotPower) -> Void) {
        var current: Slot?
        var (least, greatest, sum, count): (Int64, Int64, Int128, Int128) = (0, 0, 0, 0)
        func finish() {
            guard let current else { return }
            let mean = Int64(truncatingIfNeeded: Thousandths.divideTiesToEven(sum, count))
            body(SlotPower(slot: current, least: least, mean: mean, greatest: greatest))
        }
        readings(of: key, from: from, until: until) { time, value in
            let slot = Slot(containing: time)
            if current != slot {
                finish()
                current = slot
                (least, greatest, sum, count) = (value, value, 0, 0)
            }
            least = min(least, value)
            greatest = max(greatest, value)
            sum += Int128(value)
            count += 1
        }
        finish()
    }
}
