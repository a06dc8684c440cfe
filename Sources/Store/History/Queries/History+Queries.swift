import Compression
import Disk
import Metering
import Synchronization
import Timekeeping

// Times are half open: from `from` on, before `to`. Queries come from any thread.
extension History {
    /// The newest value of a series by its time.
    public func latest(_ key: SeriesKey) -> HistoryPoint? {
        state.withLock { $0.latest(key) }
    }

    /// Every series with its newest value, in the order of keys.
    public func latestAll() -> [(key: SeriesKey, point: HistoryPoint)] {
        let all = state.withLock { state in
            state.newestOfAll()
        }
        return all.sorted { $0.key < $1.key }
    }

    /// From here on there are raw values of everything; what came before is in the roll-ups only.
    public var rawBegin: Timestamp { state.withLock { $0.begin(of: .raw, options) } }

    /// Calls `body` with the series' values in the order of time, `limit` of them at the most; returns whether there
    /// are more. Memory holds the blocks that overlap at one instant and no more. Damaged blocks are left out, counted
    /// and listed in `damage`.
    @discardableResult
    public func range(
        _ key: SeriesKey, from: Timestamp, to: Timestamp, limit: Int = .max, _ body: (HistoryPoint) throws -> Void
    ) throws -> Bool {
        var rest = limit
        var isMore = false
        try columns(key, from: from, to: to) { times, values in
            let count = min(rest, times.count)
            for i in 0..<count {
                try body(HistoryPoint(time: Timestamp(milliseconds: times[i]), value: values[i]))
            }
            rest -= count
            isMore = count < times.count
            return !isMore
        }
        return isMore
    }

    /// The same in stretches: times in ms and values, equally many. Stops when `body` returns false.
    public func columns(
        _ key: SeriesKey, from: Timestamp, to: Timestamp,
        _ body: (UnsafeBufferPointer<Int64>, UnsafeBufferPointer<Int64>) throws -> Bool
    ) throws {
        try reading.withScratch { scratch in
            let view = try view(key, from, to, [.raw], isQuery: true, scratch)
            var merge: RunMerge<PointColumns> = view.merge(.raw, key, from, to)
            defer { noteDamage(merge.damaged) }
            try merge.forEach(scratch) { columns, range in
                try columns.times.withUnsafeBufferPointer { times in
                    try columns.values.withUnsafeBufferPointer { values in
                        try body(.init(rebasing: times[range]), .init(rebasing: values[range]))
                    }
                }
            }
        }
    }

    /// Calls `body` with each step that has values, in the order of time; steps begin at `from` and every `step` ms
    /// after it. `step` is at least 1.
    ///
    /// The coarsest tier that gives the exact answer gives it. Where raw values have been given up, steps that cut a
    /// minute or a quarter of an hour get all of it where it begins.
    public func downsample(
        _ key: SeriesKey, from: Timestamp, to: Timestamp, step: Int64, _ body: (HistoryBucket) throws -> Void
    ) throws {
        let step = max(1, step)
        let plan = state.withLock { state in
            QueryPlan(
                from: from, to: to, step: step,
                QueryPlan.Holdings(
                    begins: HistoryTier.allCases.map { state.begin(of: $0, options) },
                    headFirst: state.headFirst(of: key),
                    lacking: Set(HistoryTier.rollUps.filter { state.lacks($0, from, to) })))
        }
        var steps = Steps(from: from, step: step)
        try reading.withScratch { scratch in
            for part in plan.parts { try add(part, key, to: &steps, scratch, body) }
        }
        if let bucket = steps.current { try body(bucket) }
    }

    private func add(
        _ part: QueryPlan.Part, _ key: SeriesKey, to steps: inout Steps, _ scratch: DecodingScratch,
        _ body: (HistoryBucket) throws -> Void
    ) throws {
        let view = try view(key, part.from, part.to, [part.tier], isQuery: true, scratch)
        guard part.tier != .raw else {
            var merge: RunMerge<PointColumns> = view.merge(.raw, key, part.from, part.to)
            defer { noteDamage(merge.damaged) }
            return try merge.forEach(scratch) { columns, range in
                for i in range {
                    if let done = steps.add(columns.times[i], columns.values[i]) { try body(done) }
                }
                return true
            }
        }
        var merge: RunMerge<BucketColumns> = view.merge(part.tier, key, part.from, part.to)
        defer { noteDamage(merge.damaged) }
        try merge.forEach(scratch) { columns, range in
            for i in range {
                if let done = steps.add(columns, i) { try body(done) }
            }
            return true
        }
    }

    /// The same with a step from `HistoryStep` that gives at most `maximumBuckets` (at least 1), one for each pixel of
    /// a chart; steps lie on multiples of it, so the first may begin before `from`. Returns the step.
    @discardableResult
    public func downsample(
        _ key: SeriesKey, from: Timestamp, to: Timestamp, maximumBuckets: Int, _ body: (HistoryBucket) throws -> Void
    ) throws -> Int64 {
        let step = HistoryStep.fitting(from: from, to: to, maximumBuckets: maximumBuckets)
        try downsample(key, from: from.floored(to: step), to: to, step: step, body)
        return step
    }

    func noteDamage(_ errors: [BlockError]) {
        if !errors.isEmpty { state.withLock { $0.noteDamage(errors) } }
    }
}

/// Steps that people read off a chart.
public enum HistoryStep {
    private static let usual: [Int64] = [
        1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400,
    ].map { $0 * Span.second }

    /// The shortest with which `from ..< to` has at most `maximumBuckets`; beyond a day whole numbers of days.
    public static func fitting(from: Timestamp, to: Timestamp, maximumBuckets: Int) -> Int64 {
        let count = Int64(max(1, maximumBuckets))
        func fits(_ step: Int64) -> Bool {
            let (low, high) = (from.floored(to: step), to.ceiled(to: step))
            return high <= low || (high - low) / step <= count
        }
        if let step = usual.first(where: fits) { return step }
        var days = max(1, (to - from) / count / Span.day)
        // An end cut on both sides needs one step more than the quotient says; a single bucket can need the double.
        while !fits(days * Span.day), days < 1 << 24 { days += max(1, days / 8) }
        return days * Span.day
    }
}

/// The step that a downsampling query is in.
private struct Steps {
    let from: Timestamp
    let step: Int64
    private(set) var current: HistoryBucket?
    private var end = Int64.min

    init(from: Timestamp, step: Int64) {
        self.from = from
        self.step = step
    }

    /// Returns the bucket before when the point begins another.
    @inline(__always)
    mutating func add(_ time: Int64, _ value: Int64) -> HistoryBucket? {
        if time < end {
            current?.add(value)
            return nil
        }
        let done = current
        current = HistoryBucket(start: begin(time), first: value)
        return done
    }

    mutating func add(_ columns: BucketColumns, _ i: Int) -> HistoryBucket? {
        let time = columns.starts[i]
        if time < end {
            current?.add(HistoryBucket(columns, i, start: Timestamp(milliseconds: time)))
            return nil
        }
        let done = current
        current = HistoryBucket(columns, i, start: begin(time))
        return done
    }

    private mutating func begin(_ time: Int64) -> Timestamp {
        let start = from + (Timestamp(milliseconds: time) - from) / step * step
        end = (start + step).milliseconds
        return start
    }
}
