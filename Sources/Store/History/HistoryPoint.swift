import Metering
import Timekeeping

/// One stored value of a series, in thousandths of its unit.
package struct HistoryPoint: Hashable, Sendable {
    package var time: Timestamp
    package var value: Int64

    package init(time: Timestamp, value: Int64) {
        self.time = time
        self.value = value
    }
}

/// What a series did in one step of time; there is none for a step without values.
package struct HistoryBucket: Hashable, Sendable {
    /// Where the step begins.
    package var start: Timestamp
    package var count: Int
    package var min: Int64
    package var max: Int64
    /// Of the latest time in the step.
    package var last: Int64
    /// Exact: no value is rounded before the end.
    package var sum: Int128

    init(start: Timestamp, first value: Int64) {
        self.start = start
        count = 1
        min = value
        max = value
        last = value
        sum = Int128(value)
    }

    mutating func add(_ value: Int64) {
        count += 1
        min = Swift.min(min, value)
        max = Swift.max(max, value)
        last = value
        sum += Int128(value)
    }
}

extension HistoryBucket {
    /// The mean of the values, rounded once: to nearest thousandth, ties to even.
    package var average: Int64 {
        // A mean lies between min and max, so it fits.
        Int64(truncatingIfNeeded: Thousandths.divideTiesToEven(sum, Int128(Swift.max(1, count))))
    }
}
