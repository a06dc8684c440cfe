import Compression
import Disk
import Metering
import Synchronization
import Timekeeping

/// The files that one query reads, held open, and the head as it was at the same instant.
struct QueryView {
    /// By tier; those whose span touches the query's.
    var files: [HistoryTier: [(file: BlockFile, open: BlockReading.Open)]] = [:]
    var head: PointColumns?
    var damaged: [BlockError] = []
    /// Somebody waits for an answer; else files are made of it. As for `UnreadablePlaces`.
    var isQuery = false

    /// The series' columns of one tier in order. The head has raw values only.
    func merge<Columns: BlockColumns>(
        _ tier: HistoryTier, _ key: SeriesKey, _ from: Timestamp, _ to: Timestamp
    ) -> RunMerge<Columns> {
        var sources: [RunMerge<Columns>.Source] = []
        let (low, high) = (from - TimeGrid.farthestMove, to + TimeGrid.farthestMove)
        for (file, open) in files[tier] ?? [] {
            for entry in open.entries(of: key) where entry.isBlock && entry.last >= low && entry.first < high {
                sources.append(RunMerge.Source(entry: entry, rank: file.footer.sequence, tier: tier, open: open))
            }
        }
        return RunMerge(
            sources: sources, head: tier == .raw ? head as? Columns : nil, from: from, to: to,
            isQuery: isQuery)
    }
}

extension History {
    /// Opens what a query needs. Files may be merged or given up meanwhile; then it looks again.
    func view(
        _ key: SeriesKey, _ from: Timestamp, _ to: Timestamp, _ tiers: [HistoryTier], isQuery: Bool = false,
        _ scratch: DecodingScratch
    ) throws(DiskError) -> QueryView {
        let (low, high) = (from - TimeGrid.farthestMove, to + TimeGrid.farthestMove)
        while true {
            let (files, head) = state.withLock { state in
                let files = tiers.map { tier in
                    state.files(of: tier).filter { $0.footer.last >= low && $0.footer.first < high }
                }
                return (files, state.headPoints(of: key, before: to))
            }
            guard let head else { return QueryView() }
            var view = QueryView()
            view.isQuery = isQuery
            view.head = head.sorted()
            var isCurrent = true
            for (tier, files) in zip(tiers, files) {
                for file in files where isCurrent { isCurrent = try add(file, tier, to: &view, scratch) }
            }
            if isCurrent {
                noteDamage(view.damaged)
                return view
            }
        }
    }

    /// False when the file is no longer one of History's.
    private func add(
        _ file: BlockFile, _ tier: HistoryTier, to view: inout QueryView, _ scratch: DecodingScratch
    ) throws(DiskError) -> Bool {
        do throws(DiskError) {
            if let open = try reading.open(file, isQuery: view.isQuery, scratch) {
                view.files[tier, default: []].append((file, open))
            } else {
                view.damaged.append(BlockError(noIndexIn: file))
            }
        } catch {
            guard error.isMissing else { throw error }
            // Somebody else removed it: then there is nothing to wait for.
            return state.withLock { $0.files(of: tier).contains { $0 === file } }
        }
        return true
    }

    /// Calls `body` with stretches of raw values in the order of time; `newer`: what no file and not the head has yet,
    /// in place of the head.
    func forEachPoint(
        _ key: SeriesKey, _ from: Timestamp, _ to: Timestamp, newer: PointColumns?, _ scratch: DecodingScratch,
        _ body: (PointColumns, Range<Int>) -> Void
    ) throws(DiskError) {
        var view = try view(key, from, to, [.raw], scratch)
        view.head = newer
        try forEach(.raw, key, from, to, view, scratch) { (columns: PointColumns, range) in body(columns, range) }
    }

    /// The buckets of a tier as files have them.
    func buckets(
        _ tier: HistoryTier, _ key: SeriesKey, _ from: Timestamp, _ to: Timestamp, _ scratch: DecodingScratch
    ) throws(DiskError) -> [HistoryBucket] {
        var found: [HistoryBucket] = []
        let view = try view(key, from, to, [tier], scratch)
        try forEach(tier, key, from, to, view, scratch) { (columns: BucketColumns, range) in
            for i in range {
                found.append(HistoryBucket(columns, i, start: Timestamp(milliseconds: columns.starts[i])))
            }
        }
        return found
    }

    private func forEach<Columns: BlockColumns>(
        _ tier: HistoryTier, _ key: SeriesKey, _ from: Timestamp, _ to: Timestamp, _ view: QueryView,
        _ scratch: DecodingScratch, _ body: (Columns, Range<Int>) -> Void
    ) throws(DiskError) {
        var merge: RunMerge<Columns> = view.merge(tier, key, from, to)
        defer { noteDamage(merge.damaged) }
        try merge.forEachColumn(scratch, body)
    }
}
