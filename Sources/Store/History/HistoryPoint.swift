import Metering
import Timekeeping

/// One stored value of a series, in thousandths of its unit.
public struct HistoryPoint: Hashable, Sendable {
    public var time: Timestamp
    public var value: Int64

    public init(time: Timestamp, value: Int64) {
        self.time = time
        self.value = value
    }
}

/// What a series did in one step of time; there is none for a step without values.
public struct HistoryBucket: Hashable, Sendable {
    /// Where the step begins.
    public var start: Timestamp
    public var count: Int
    public var min: Int64
    public var max: Int64
    /// Of the latest time in the step.
    public var last: Int64
    /// Exact: no value is rounded before the end.
    public var sum: Int128

    init(start: Timestamp, first value: Int64) {
        self.start = start
        count = 1
        min = value
        max = value
        last = value
        sum = Int128(value)
    }

    init(_ columns: BucketColumns, _ i: Int, start: Timestamp) {
        self.start = start
        count = Int(columns.counts[i])
        min = columns.minima[i]
        max = columns.maxima[i]
        last = columns.lasts[i]
        sum = columns.sums[i]
    }

    @inline(__always)
    mutating func add(_ value: Int64) {
        count += 1
        min = Swift.min(min, value)
        max = Swift.max(max, value)
        last = value
        sum += Int128(value)
    }

    /// Takes in what lies later in the same step.
    mutating func add(_ later: HistoryBucket) {
        count += later.count
        min = Swift.min(min, later.min)
        max = Swift.max(max, later.max)
        last = later.last
        sum += later.sum
    }
}

extension HistoryBucket {
    /// The mean of the values, rounded once: to nearest thousandth, ties to even.
    public var average: Int64 {
        // A mean lies between min and max, so it fits.
        Int64(truncatingIfNeeded: Thousandths.divideTiesToEven(sum, Int128(Swift.max(1, count))))
    }
}

extension Timestamp {
    /// The multiple of `step` at or before this instant.
    func floored(to step: Int64) -> Timestamp {
        let rest = milliseconds % step
        return self - (rest < 0 ? rest + step : rest)
    }

    /// The multiple of `step` at or after this instant.
    func ceiled(to step: Int64) -> Timestamp {
        let floor = floored(to: step)
        return floor == self ? self : floor + step
    }
}
