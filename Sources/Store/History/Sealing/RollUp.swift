import Timekeeping

/// The minute that a series' newest value lies in, and what its quarter of an hour had before that minute.
struct OpenBuckets: Hashable, Sendable {
    var minute: HistoryBucket
    var before: HistoryBucket?

    /// The quarter of an hour up to now.
    var quarter: HistoryBucket {
        guard var quarter = before else {
            var quarter = minute
            quarter.start = minute.start.floored(to: RollUp.quarter)
            return quarter
        }
        quarter.add(minute)
        return quarter
    }
}

/// Open buckets in less memory, of which every series has some: without what their last value's time tells, and sums of
/// 64 bits. What that does not hold is not kept.
struct PackedBuckets: Sendable {
    private var minute = Bucket()
    private var last: Int64 = 0
    private var before = Bucket()

    /// `time` is that of the last value.
    init(_ open: OpenBuckets? = nil, at time: Int64 = 0) {
        guard let open, open.minute.start == Timestamp(milliseconds: time).floored(to: RollUp.minute),
            let minute = Bucket(open.minute)
        else { return }
        if let known = open.before {
            guard let packed = Bucket(known) else { return }
            before = packed
        }
        self.minute = minute
        last = open.minute.last
    }

    /// Nil where nothing was kept.
    func buckets(at time: Int64) -> OpenBuckets? {
        let time = Timestamp(milliseconds: time)
        // The quarter's own last value is that of its last minute.
        return minute.bucket(start: time.floored(to: RollUp.minute), last: last).map {
            OpenBuckets(minute: $0, before: before.bucket(start: time.floored(to: RollUp.quarter), last: last))
        }
    }

    private struct Bucket {
        var count: UInt32 = 0
        var min: Int64 = 0
        var max: Int64 = 0
        var sum: Int64 = 0

        init() {}

        init?(_ bucket: HistoryBucket) {
            guard let count = UInt32(exactly: bucket.count), let sum = Int64(exactly: bucket.sum) else { return nil }
            (self.count, min, max, self.sum) = (count, bucket.min, bucket.max, sum)
        }

        func bucket(start: Timestamp, last: Int64) -> HistoryBucket? {
            if count == 0 { return nil }
            var bucket = HistoryBucket(start: start, first: last)
            bucket.count = Int(count)
            (bucket.min, bucket.max, bucket.sum) = (min, max, Int128(sum))
            return bucket
        }
    }
}

/// Makes buckets of both roll-up tiers from points in the order of time.
struct RollUp {
    private(set) var minutes = BucketColumns()
    private(set) var quarters = BucketColumns()
    private(set) var open: OpenBuckets?

    /// `open`: buckets that have something already, of which no later point may be missing.
    init(open: OpenBuckets? = nil) {
        self.open = open
    }

    /// Points come after all that came before.
    mutating func add(_ points: PointColumns, _ range: Range<Int>) {
        guard let first = range.first, let last = range.last else { return }
        var current = open ?? OpenBuckets(minute: RollUp.begin(points.times[first], points.values[first]))
        var next = open == nil ? first + 1 : first
        var end = current.minute.start.milliseconds + RollUp.minute
        var quarterEnd = current.minute.start.floored(to: RollUp.quarter).milliseconds + RollUp.quarter
        reserve(Swift.min(range.count, Int(clamping: (points.times[last] &- end) / RollUp.minute) + 2))
        points.times.withUnsafeBufferPointer { times in
            points.values.withUnsafeBufferPointer { values in
                while true {
                    current.minute.add(times, values, &next, range.upperBound, before: end)
                    if next == range.upperBound { break }
                    minutes.append(current.minute)
                    // Minutes divide quarters, so a quarter is the sum of its minutes.
                    let quarter = current.quarter
                    let time = times[next]
                    // A division only where the next value is not in the next minute.
                    let isNear = time < end + RollUp.minute
                    let start = isNear ? Timestamp(milliseconds: end) : RollUp.begin(time)
                    current.before = start.milliseconds < quarterEnd ? quarter : nil
                    if current.before == nil {
                        quarters.append(quarter)
                        quarterEnd = start.floored(to: RollUp.quarter).milliseconds + RollUp.quarter
                    }
                    current.minute = HistoryBucket(start: start, first: values[next])
                    end = start.milliseconds + RollUp.minute
                    next += 1
                }
            }
        }
        open = current
    }

    private mutating func reserve(_ more: Int) {
        minutes.reserveCapacity(minutes.count + more)
        quarters.reserveCapacity(quarters.count + more / 15 + 2)
    }

    /// Puts the buckets that are open among the others; what comes then begins others.
    mutating func close() {
        guard let open else { return }
        minutes.append(open.minute)
        quarters.append(open.quarter)
        self.open = nil
    }

    /// Adds what is known of the same buckets from `from` on and can no longer be recomputed. Only values that are
    /// newer than all that is known are taken for the last of their buckets.
    mutating func add(
        minutes known: [HistoryBucket], from firstMinute: Int, quarters: [HistoryBucket], from firstQuarter: Int,
        isNewer: Bool
    ) {
        minutes.add(known, from: firstMinute, isNewer: isNewer)
        self.quarters.add(quarters, from: firstQuarter, isNewer: isNewer)
    }

    static let minute = Span.minute
    static let quarter = 15 * Span.minute

    private static func begin(_ time: Int64) -> Timestamp { Timestamp(milliseconds: time).floored(to: minute) }

    private static func begin(_ time: Int64, _ value: Int64) -> HistoryBucket {
        HistoryBucket(start: begin(time), first: value)
    }

    static func start(_ time: Int64) -> Timestamp { Timestamp(milliseconds: time).floored(to: quarter) }
}

extension HistoryBucket {
    /// Takes in values from `next` on whose times lie before `end`, and leaves `next` behind them.
    @inline(__always)
    fileprivate mutating func add(
        _ times: UnsafeBufferPointer<Int64>, _ values: UnsafeBufferPointer<Int64>, _ next: inout Int, _ limit: Int,
        before end: Int64
    ) {
        let first = next
        var (low, high, total) = (min, max, sum)
        while next < limit, times[next] < end {
            let value = values[next]
            low = Swift.min(low, value)
            high = Swift.max(high, value)
            total &+= Int128(value)
            next &+= 1
        }
        if next == first { return }
        (min, max, sum, last) = (low, high, total, values[next &- 1])
        count += next - first
    }
}

extension BucketColumns {
    /// Adds each of `known` to the bucket of its start, of those from `first` on.
    fileprivate mutating func add(_ known: [HistoryBucket], from first: Int, isNewer: Bool) {
        for bucket in known {
            guard let i = starts[first...].firstIndex(of: bucket.start.milliseconds) else { continue }
            var sum = bucket
            sum.add(HistoryBucket(self, i, start: bucket.start))
            counts[i] = Int64(sum.count)
            minima[i] = sum.min
            maxima[i] = sum.max
            sums[i] = sum.sum
            if !isNewer { lasts[i] = bucket.last }
        }
    }
}
