import Disk
import Timekeeping

/// Brings one series' points from several files and the head into the order of time. Where several have a value for
/// one instant, the latest file's is right, and the head's before all. Blocks are read when their time has come, so
/// memory holds those that overlap and no more.
struct PointMerge {
    /// A block that is still on disk.
    struct Source {
        let entry: BlockEntry
        let rank: UInt64
        let file: BlockFile
    }

    private struct Run {
        let rank: UInt64
        let times: [Int64]
        let values: [Int64]
        var next = 0
    }

    private let fileSystem: any FileSystem
    private let from: Int64
    private let to: Int64
    /// The one that begins first is at the end.
    private var sources: [Source]
    private var runs: [Run] = []
    /// Places of blocks that could not be used.
    private(set) var damaged: [BlockError] = []

    /// Points in `from ..< to`; `head` is sorted.
    init(
        sources: [Source], head: (times: [Int64], values: [Int64]), from: Timestamp, to: Timestamp,
        fileSystem: any FileSystem
    ) {
        self.fileSystem = fileSystem
        self.from = from.milliseconds
        self.to = to.milliseconds
        self.sources = sources.sorted { ($0.entry.first, $0.rank) > ($1.entry.first, $1.rank) }
        add(Run(rank: .max, times: head.times, values: head.values))
    }

    /// The next point; nil at the end.
    mutating func next() throws(DiskError) -> HistoryPoint? {
        while true {
            let time = runs.lazy.map { $0.times[$0.next] }.min() ?? .max
            // A block that begins later cannot have anything to say about this instant.
            if let source = sources.last, source.entry.first.milliseconds <= time {
                sources.removeLast()
                try load(source)
                continue
            }
            guard !runs.isEmpty, time < to else { return nil }
            return take(time)
        }
    }

    private mutating func take(_ time: Int64) -> HistoryPoint {
        var best: (rank: UInt64, value: Int64)?
        for i in runs.indices.reversed() where runs[i].times[runs[i].next] == time {
            if best.map({ runs[i].rank > $0.rank }) ?? true { best = (runs[i].rank, runs[i].values[runs[i].next]) }
            runs[i].next += 1
            if runs[i].next == runs[i].times.count { runs.remove(at: i) }
        }
        return HistoryPoint(time: Timestamp(milliseconds: time), value: best?.value ?? 0)
    }

    private mutating func load(_ source: Source) throws(DiskError) {
        do throws(DiskError) {
            let file = try fileSystem.open(source.file.path, .read)
            defer { file.close() }
            if let points = try BlockFile.points(source.entry, file) {
                return add(Run(rank: source.rank, times: points.times, values: points.values))
            }
        } catch {
            // The ring has taken the file since the query began.
            if error.isMissing { return }
            throw error
        }
        damaged.append(
            BlockError(
                path: source.file.path, position: source.entry.position,
                reason: "the block of \(source.entry.key) is damaged and left out"))
    }

    private mutating func add(_ run: Run) {
        var run = run
        run.next = PointMerge.lowerBound(run.times, from)
        if run.next < run.times.count { runs.append(run) }
    }

    /// The index of the first time that is not before `time`.
    static func lowerBound(_ times: [Int64], _ time: Int64) -> Int {
        var low = 0
        var high = times.count
        while low < high {
            let middle = (low + high) / 2
            if times[middle] < time { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
