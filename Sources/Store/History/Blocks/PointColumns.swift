import Timekeeping

/// Values of one series in the order of time, as columns.
struct PointColumns: Hashable, Sendable {
    var times: [Int64] = []
    var values: [Int64] = []
    /// The farthest that a time lies from what was reported, ms: times that are not farther apart than this are one
    /// instant.
    var moved: Int64 = 0
    /// Known to divide the change from each value to the next, as 64 bits that may have wrapped around; 0 where nothing
    /// changes.
    var divisor: UInt64 = 1

    /// Instants that a file may tell: `Timestamp.validRange` with a day more on both sides, for what grids and buckets
    /// add. Whatever lies outside is damage; within, arithmetic on times is safe. As numbers, since each time that is
    /// read is compared with them.
    static let timeRange: ClosedRange<Int64> = -86_400_000...253_402_387_199_999

    var count: Int { times.count }
}

/// Buckets of one series in the order of time, as columns.
struct BucketColumns: Hashable, Sendable {
    /// Of the block that they were read from, ms; nil for buckets that come from no single block.
    var step: Int64?
    /// Where each begins, ms: multiples of the tier's step.
    var starts: [Int64] = []
    var counts: [Int64] = []
    var minima: [Int64] = []
    var maxima: [Int64] = []
    var lasts: [Int64] = []
    var sums: [Int128] = []

    var count: Int { starts.count }

    mutating func reserveCapacity(_ count: Int) {
        starts.reserveCapacity(count)
        counts.reserveCapacity(count)
        minima.reserveCapacity(count)
        maxima.reserveCapacity(count)
        lasts.reserveCapacity(count)
        sums.reserveCapacity(count)
    }

    mutating func append(_ bucket: HistoryBucket) {
        starts.append(bucket.start.milliseconds)
        counts.append(Int64(bucket.count))
        minima.append(bucket.min)
        maxima.append(bucket.max)
        lasts.append(bucket.last)
        sums.append(bucket.sum)
    }

    mutating func append(_ other: BucketColumns, _ range: Range<Int>) {
        starts.append(contentsOf: other.starts[range])
        counts.append(contentsOf: other.counts[range])
        minima.append(contentsOf: other.minima[range])
        maxima.append(contentsOf: other.maxima[range])
        lasts.append(contentsOf: other.lasts[range])
        sums.append(contentsOf: other.sums[range])
    }
}
