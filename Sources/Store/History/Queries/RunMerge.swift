import Compression
import Disk
import Timekeeping

/// Brings one series' columns from several blocks and the head into the order of time. Where several have something for
/// one instant, the latest file's is right, and the head's before all. Blocks are read when their time has come, so
/// memory holds those that overlap and no more. What lies alone is handed out in stretches.
struct RunMerge<Columns: BlockColumns> {
    /// A block that is still on disk.
    struct Source {
        let entry: BlockEntry
        let rank: UInt64
        let tier: HistoryTier
        let open: BlockReading.Open
    }

    private struct Run {
        let rank: UInt64
        let columns: Columns
        let instants: [Int64]
        let moved: Int64
        var next = 0

        var current: Int64 { instants[next] }
    }

    private let from: Int64
    private let to: Int64
    private let isQuery: Bool
    /// The one that begins first is at the end.
    private var sources: [Source]
    private var runs: [Run] = []
    /// The last instant that was handed out: what comes lies behind it, whatever blocks say.
    private var done = Int64.min
    /// Places of blocks that could not be used.
    private(set) var damaged: [BlockError] = []

    /// No time in a block was moved farther, ms.
    static var margin: Int64 { TimeGrid.farthestMove }

    /// What lies in `from ..< to`; `head` is newer than all files. `isQuery`: as for `UnreadablePlaces`.
    init(sources: [Source], head: Columns?, from: Timestamp, to: Timestamp, isQuery: Bool) {
        self.isQuery = isQuery
        self.from = from.milliseconds
        self.to = to.milliseconds
        self.sources = sources.sorted { ($0.entry.first, $0.rank) > ($1.entry.first, $1.rank) }
        if let head { add(head, rank: .max) }
    }

    /// Calls `body` with stretches of columns until it returns false or all has been handed out.
    mutating func forEach(
        _ scratch: DecodingScratch, _ body: (Columns, Range<Int>) throws -> Bool
    ) throws {
        while true {
            let first = earliest()
            let time = first.map { runs[$0].current } ?? .max
            // A block that begins later cannot have anything to say about this instant.
            if let source = sources.last, source.start <= time {
                sources.removeLast()
                let count = runs.count
                try load(source, scratch)
                if runs.count > count { check(source, scratch) }
                continue
            }
            guard let first, time < to else { return }
            if time <= done {
                // So near to an instant of another file's that it is the same.
                advance(first, to: runs[first].next + 1, scratch)
                continue
            }
            let limit = min(to, horizon(of: first))
            let isOn =
                time < limit ? try stretch(first, to: limit, scratch, body) : try conflict(first, scratch, body)
            if !isOn { return }
        }
    }

    /// The same for a body that takes all.
    mutating func forEachColumn(
        _ scratch: DecodingScratch, _ body: (Columns, Range<Int>) throws(DiskError) -> Void
    ) throws(DiskError) {
        do {
            try forEach(scratch) { columns, range in
                try body(columns, range)
                return true
            }
        } catch let error as DiskError {
            throw error
        } catch {
            preconditionFailure("a merge threw \(error)")
        }
    }

    private func earliest() -> Int? {
        var found: Int?
        for i in runs.indices {
            guard let best = found else {
                found = i
                continue
            }
            let (a, b) = (runs[i].current, runs[best].current)
            if a < b || (a == b && runs[i].rank > runs[best].rank) { found = i }
        }
        return found
    }

    /// Up to where no other run or block has a say.
    private func horizon(of first: Int) -> Int64 {
        var limit = Int64.max
        for i in runs.indices where i != first {
            limit = min(limit, runs[i].current &- max(runs[i].moved, runs[first].moved))
        }
        if let source = sources.last { limit = min(limit, source.start) }
        return limit
    }

    private mutating func stretch(
        _ i: Int, to limit: Int64, _ scratch: DecodingScratch, _ body: (Columns, Range<Int>) throws -> Bool
    ) rethrows -> Bool {
        var start = runs[i].next
        let end = limit == .max ? runs[i].instants.count : lowerBound(runs[i].instants, limit, from: start)
        while start < end, runs[i].instants[start] < from { start += 1 }
        if start < end { done = runs[i].instants[end - 1] }
        let isOn = start < end ? try body(runs[i].columns, start..<end) : true
        advance(i, to: end, scratch)
        return isOn
    }

    /// Several have something for one instant: one of them is handed out, all go on.
    private mutating func conflict(
        _ first: Int, _ scratch: DecodingScratch, _ body: (Columns, Range<Int>) throws -> Bool
    ) rethrows -> Bool {
        let (time, moved) = (runs[first].current, runs[first].moved)
        var winner = first
        var group: [Int] = []
        for i in runs.indices where runs[i].current - time <= (i == first ? 0 : max(moved, runs[i].moved)) {
            group.append(i)
            if runs[i].rank > runs[winner].rank { winner = i }
        }
        let (index, instant) = (runs[winner].next, runs[winner].current)
        let isAsked = instant >= from && instant < to
        if isAsked { done = instant }
        let isOn = isAsked ? try body(runs[winner].columns, index..<index + 1) : true
        for i in group.reversed() { advance(i, to: runs[i].next + 1, scratch) }
        return isOn
    }

    private mutating func advance(_ i: Int, to next: Int, _ scratch: DecodingScratch) {
        runs[i].next = next
        if next == runs[i].instants.count { runs.remove(at: i).columns.giveBack(to: scratch) }
    }

    private mutating func load(_ source: Source, _ scratch: DecodingScratch) throws(DiskError) {
        if let columns: Columns = try source.open.columns(source.entry, isQuery: isQuery, scratch) {
            return add(columns, rank: source.rank)
        }
        damaged.append(
            BlockError(
                path: source.open.file.path, position: source.entry.position,
                reason: "the block of \(source.entry.key) is damaged or cannot be read, and is left out"))
    }

    /// Takes back the run that was added last where it is not what its index says: the order of blocks depends on that.
    private mutating func check(_ source: Source, _ scratch: DecodingScratch) {
        guard let run = runs.last, !run.columns.fits(source.entry, source.tier) else { return }
        runs.removeLast()
        damaged.append(
            BlockError(
                path: source.open.file.path, position: source.entry.position,
                reason: "the block of \(source.entry.key) is not what the index says and left out"))
    }

    private mutating func add(_ columns: Columns, rank: UInt64) {
        let instants = columns.instants
        let begin = (Timestamp(milliseconds: from) - Self.margin).milliseconds
        let next = lowerBound(instants, begin, from: 0)
        guard next < instants.count else { return }
        runs.append(Run(rank: rank, columns: columns, instants: instants, moved: columns.moved, next: next))
    }
}

extension RunMerge.Source {
    /// From here on the block may have a say.
    fileprivate var start: Int64 { (entry.first - RunMerge.margin).milliseconds }
}

/// The index of the first of `instants` from `start` on that is not before `time`.
func lowerBound(_ instants: [Int64], _ time: Int64, from start: Int) -> Int {
    var low = start
    var high = instants.count
    while low < high {
        let middle = (low + high) / 2
        if instants[middle] < time { low = middle + 1 } else { high = middle }
    }
    return low
}
