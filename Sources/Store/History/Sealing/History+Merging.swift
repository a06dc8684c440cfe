import Compression
import Disk
import Metering
import Synchronization
import Timekeeping

extension History {
    /// Makes one file of neighbours as long as there are enough of them, in every tier.
    func mergeFiles() throws(DiskError) {
        for tier in HistoryTier.allCases {
            // What the roll-ups lack has to stay until they have it.
            var refused = state.withLock { Set($0.lacking.values.joined().map(\.path)) }
            while let files = state.withLock({ $0.mergeable(tier, options, except: refused) }) {
                // Where nothing of them can be read there is nothing to write; they go with their age.
                if try !merge(files, tier) { refused.formUnion(files.map(\.path)) }
            }
        }
    }

    /// The new file has its name before the old ones go, and says whose place it takes: a crash between leaves both,
    /// and the next start removes the old ones.
    private func merge(_ files: [BlockFile], _ tier: HistoryTier) throws(DiskError) -> Bool {
        guard let first = files.first, let last = files.last else { return false }
        let writer = BlockFileWriter(tier, directory: directory(of: tier), reading.fileSystem)
        var damaged: [BlockError] = []
        let merged: BlockFile?
        do throws(DiskError) {
            try reading.withScratch { (scratch) throws(DiskError) in
                damaged = try copy(files, to: writer, scratch)
            }
            let lowest = files.map(\.footer.firstSequence).min() ?? first.footer.firstSequence
            merged = try writer.finish(
                sequences: lowest...last.footer.sequence, cursor: last.footer.cursor,
                since: first.footer.since, wall: last.footer.wall)
        } catch {
            writer.abandon()
            throw error
        }
        noteDamage(damaged)
        guard let merged else { return false }
        state.withLock { state in
            state.remove(files)
            state.add(merged)
            state.statistics.mergedFiles += 1
            state.statistics.mergedAway += files.count
            state.statistics.writtenBytes += merged.size
        }
        let damagedPaths = Set(damaged.map(\.path))
        for file in files {
            guard damagedPaths.contains(file.path) else {
                try remove(file)
                continue
            }
            reading.forget(file)
            let path = file.path + ".damaged"
            try reading.fileSystem.rename(file.path, to: path)
            state.withLock { $0.statistics.setAside.append(path.split(separator: "/").last.map(String.init) ?? path) }
        }
        return true
    }

    /// Returns the places that could not be read.
    private func copy(
        _ files: [BlockFile], to writer: BlockFileWriter, _ scratch: DecodingScratch
    ) throws(DiskError) -> [BlockError] {
        var damaged: [BlockError] = []
        var opened: [(file: BlockFile, open: BlockReading.Open)] = []
        for file in files {
            if let open = try reading.openAnew(file, scratch) {
                opened.append((file, open))
            } else {
                damaged.append(BlockError(noIndexIn: file))
            }
        }
        let keys = Set(opened.flatMap { $0.open.entries.map(\.key) }).sorted()
        for key in keys {
            var view = QueryView()
            view.files[writer.tier] = opened
            if writer.tier == .raw {
                damaged += try copyPoints(key, view, to: writer, scratch)
            } else {
                damaged += try copyBuckets(key, view, to: writer, scratch)
            }
        }
        return damaged
    }

    private static let (start, end) = (Timestamp(milliseconds: .min), Timestamp(milliseconds: .max))
    /// Rows of one series in memory at one time, in whole blocks: an import can bring years within minutes.
    private static let copiedPoints = 8 * BlockFileWriter.pointsPerBlock
    private static let copiedBuckets = 32 * BucketBlock.maximumCount

    private func copyPoints(
        _ key: SeriesKey, _ view: QueryView, to writer: BlockFileWriter, _ scratch: DecodingScratch
    ) throws(DiskError) -> [BlockError] {
        var points = PointColumns.toCopy
        var last = Int64.min
        let damaged = try forAll(.raw, key, view, scratch) { (columns: PointColumns, range) throws(DiskError) in
            points.append(columns, range)
            last = columns.times[range.upperBound - 1]
            guard points.count >= History.copiedPoints else { return }
            let whole = points.count / BlockFileWriter.pointsPerBlock * BlockFileWriter.pointsPerBlock
            var rest = PointColumns.toCopy
            if whole < points.count { rest.append(points, whole..<points.count) }
            points.keepFirst(whole)
            _ = try writer.add(key, points)
            points = rest
        }
        if points.count > 0 || last == .min { _ = try writer.add(key, points) }
        if let newest = view.newest(key), newest.time.milliseconds > last {
            writer.addNewest(key, newest)
        }
        return damaged
    }

    private func copyBuckets(
        _ key: SeriesKey, _ view: QueryView, to writer: BlockFileWriter, _ scratch: DecodingScratch
    ) throws(DiskError) -> [BlockError] {
        var buckets = BucketColumns()
        let damaged = try forAll(writer.tier, key, view, scratch) { (columns: BucketColumns, range) throws(DiskError) in
            buckets.append(columns, range)
            guard buckets.count >= History.copiedBuckets else { return }
            try writer.add(key, buckets)
            buckets = BucketColumns()
        }
        try writer.add(key, buckets)
        return damaged
    }

    private func forAll<Columns: BlockColumns>(
        _ tier: HistoryTier, _ key: SeriesKey, _ view: QueryView, _ scratch: DecodingScratch,
        _ body: (Columns, Range<Int>) throws(DiskError) -> Void
    ) throws(DiskError) -> [BlockError] {
        var merge: RunMerge<Columns> = view.merge(tier, key, History.start, History.end)
        try merge.forEachColumn(scratch, body)
        return merge.damaged
    }

    /// Makes the roll-ups of one file of raw values that a tier lacks; one a call, so that a start does not wait.
    func fillRollUps() throws(DiskError) {
        for tier in HistoryTier.rollUps {
            guard let file = state.withLock({ $0.lacking[tier]?.first }) else { continue }
            try reading.withScratch { (scratch) throws(DiskError) in try fill(tier, from: file, scratch) }
            state.withLock { _ = $0.lacking[tier]?.removeFirst() }
            return
        }
    }

    private func fill(_ tier: HistoryTier, from file: BlockFile, _ scratch: DecodingScratch) throws(DiskError) {
        let opened: BlockReading.Open?
        do throws(DiskError) {
            opened = try reading.openAnew(file, scratch)
        } catch {
            // Merged or given up meanwhile; then what it had has been rolled up or is not wanted.
            if error.isMissing { return }
            throw error
        }
        guard let opened else { return }
        let writer = BlockFileWriter(tier, directory: directory(of: tier), reading.fileSystem)
        var view = QueryView()
        view.files[.raw] = [(file, opened)]
        for key in Set(opened.entries.map(\.key)).sorted() {
            var points = PointColumns()
            let damaged = try forAll(.raw, key, view, scratch) { (columns: PointColumns, range) in
                points.times.append(contentsOf: columns.times[range])
                points.values.append(contentsOf: columns.values[range])
            }
            noteDamage(damaged)
            guard points.count > 0 else { continue }
            let rollUp = try recompute(key, points, isInFiles: true, scratch).0
            try writer.add(key, tier == .minute ? rollUp.minutes : rollUp.quarters)
        }
        let footer = file.footer
        let made = try writer.finish(
            sequences: file.sequences, cursor: footer.cursor, since: footer.since, wall: footer.wall)
        guard let made else { return }
        // It has all of what lies within its sequences, so files that had parts of it are no longer needed.
        let within = state.withLock { state in
            let within = state.files(of: tier).filter { $0.lies(within: made) }
            state.remove(within)
            state.add(made)
            state.statistics.writtenBytes += made.size
            return within
        }
        for file in within { try remove(file) }
    }
}

extension PointColumns {
    /// What nothing has been added to; its divisor is not known yet.
    fileprivate static var toCopy: PointColumns {
        var points = PointColumns()
        points.divisor = 0
        return points
    }

    fileprivate mutating func keepFirst(_ count: Int) {
        times.removeLast(times.count - count)
        values.removeLast(values.count - count)
    }

    /// Takes in what comes later.
    fileprivate mutating func append(_ other: PointColumns, _ range: Range<Int>) {
        var common = CommonDivisor()
        common.add(divisor)
        common.add(other.divisor)
        if let last = values.last { common.add((other.values[range.lowerBound] &- last).magnitude) }
        divisor = common.value
        times.append(contentsOf: other.times[range])
        values.append(contentsOf: other.values[range])
        moved = max(moved, other.moved)
    }
}

extension QueryView {
    /// The newest value that the files' indexes tell of a series.
    fileprivate func newest(_ key: SeriesKey) -> HistoryPoint? {
        var newest: HistoryPoint?
        for (_, open) in files[.raw] ?? [] {
            for entry in open.entries(of: key) where newest.map({ $0.time <= entry.last }) ?? true {
                newest = HistoryPoint(time: entry.last, value: entry.lastValue)
            }
        }
        return newest
    }
}
