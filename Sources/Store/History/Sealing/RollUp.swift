import Timekeeping

/// The buckets of each roll-up tier that a series' newest value lies in.
struct OpenBuckets: Hashable, Sendable {
    var minute: HistoryBucket
    var quarter: HistoryBucket
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
        guard let first = range.first else { return }
        var current = open ?? RollUp.begin(points.times[first], points.values[first])
        var i = open == nil ? first + 1 : first
        while i < range.upperBound {
            let (time, value) = (points.times[i], points.values[i])
            // Minutes divide quarters, so within a minute both go on.
            if time &- current.minute.start.milliseconds < RollUp.minute {
                current.minute.add(value)
                current.quarter.add(value)
            } else {
                minutes.append(current.minute)
                let next = RollUp.begin(time, value)
                current.minute = next.minute
                if next.quarter.start == current.quarter.start {
                    current.quarter.add(value)
                } else {
                    quarters.append(current.quarter)
                    current.quarter = next.quarter
                }
            }
            i += 1
        }
        open = current
    }

    /// Puts the buckets that are open among the others; what comes then begins others.
    mutating func close() {
        guard let open else { return }
        minutes.append(open.minute)
        quarters.append(open.quarter)
        self.open = nil
    }

    /// Adds what is known of the same buckets from `from` on and can no longer be recomputed.
    mutating func add(
        minutes known: [HistoryBucket], from firstMinute: Int, quarters: [HistoryBucket], from firstQuarter: Int
    ) {
        minutes.add(known, from: firstMinute)
        self.quarters.add(quarters, from: firstQuarter)
    }

    private static let minute = Span.minute
    static let quarter = 15 * Span.minute

    private static func begin(_ time: Int64, _ value: Int64) -> OpenBuckets {
        let time = Timestamp(milliseconds: time)
        return OpenBuckets(
            minute: HistoryBucket(start: time.floored(to: minute), first: value),
            quarter: HistoryBucket(start: time.floored(to: quarter), first: value))
    }

    static func start(_ time: Int64) -> Timestamp { Timestamp(milliseconds: time).floored(to: quarter) }
}

extension BucketColumns {
    /// Adds each of `known` to the bucket of its start, of those from `first` on.
    fileprivate mutating func add(_ known: [HistoryBucket], from first: Int) {
        for bucket in known {
            guard let i = starts[first...].firstIndex(of: bucket.start.milliseconds) else { continue }
            var sum = bucket
            sum.add(HistoryBucket(self, i, start: bucket.start))
            counts[i] = Int64(sum.count)
            minima[i] = sum.min
            maxima[i] = sum.max
            sums[i] = sum.sum
        }
    }
}
