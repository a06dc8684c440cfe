import Disk
import Metering
import ReadingLog
import Records
import Synchronization
import Timekeeping

/// Every series of the home, as far back as the ring of block files reaches: a consumer of the topic `facts`.
///
/// New values are in memory (the head) until `follow` seals them into one file, whose footer is the cursor: what came
/// after it is read from the log again at the next start. Formats: `BlockFormat.md`.
///
/// `follow` and `seal` belong to one thread, queries come from any. Two locks, always in this order: `consumer` (held
/// while the log is read and a file is written) and `state` (held for memory only), so that no query waits for a disk
/// that writes. Queries read files outside of the locks.
package final class History: Sendable {
    private let directory: String
    private let fileSystem: any FileSystem
    private let log: any Log
    private let options: HistoryOptions
    private let consumer: Mutex<Consumer>
    private let state: Mutex<HistoryState>

    /// The name under which the log keeps what History still needs.
    package static let consumerName = "history"

    private struct Consumer {
        let reader: any LogReader
    }

    /// Opens or begins the files in `directory/raw`. Fails only where the directory cannot be made or listed.
    /// A damaged file is set aside; if it was the newest, the log is asked for what it had.
    package init(
        directory: String, fileSystem: any FileSystem, log: any Log, options: HistoryOptions = HistoryOptions()
    ) throws(DiskError) {
        self.directory = directory + "/raw"
        self.fileSystem = fileSystem
        self.log = log
        self.options = options
        let state = try History.open(directory + "/raw", fileSystem)
        let cursor = state.files.last?.footer.cursor ?? .oldest
        log.hold(History.consumerName, at: cursor)
        self.state = Mutex(state)
        consumer = Mutex(Consumer(reader: log.reader(from: cursor)))
    }

    private static func open(_ directory: String, _ fileSystem: any FileSystem) throws(DiskError) -> HistoryState {
        var state = HistoryState()
        try fileSystem.createDirectory(directory)
        var found: [(file: BlockFile, entries: [BlockEntry])] = []
        for name in try fileSystem.list(directory) {
            let path = directory + "/" + name
            do throws(DiskError) {
                if name.hasSuffix(AtomicFile.temporarySuffix) {
                    try fileSystem.remove(path)
                } else if name.hasSuffix(".blk") {
                    switch try BlockFile.open(path, in: fileSystem) {
                    case .good(let file, let entries): found.append((file, entries))
                    case .newer: state.statistics.newerFiles += 1
                    case .damaged:
                        try fileSystem.rename(path, to: path + ".damaged")
                        state.statistics.setAside.append(name + ".damaged")
                    }
                }
            } catch {
                state.statistics.diskErrors.append(error)
            }
        }
        for (file, entries) in found.sorted(by: { $0.file.footer.sequence < $1.file.footer.sequence }) {
            state.files.append(file)
            for entry in entries { state.take(entry) }
        }
        state.nextSequence = (state.files.last?.footer.sequence ?? 0) + 1
        return state
    }

    /// Reads what has become durable and seals the head when it is due. Values are in queries' answers from then on.
    /// After an error everything up to it is taken over, and the next call goes on.
    package func follow() throws {
        try consumer.withLock { consumer in
            var isDone = false
            var failure: (any Error)?
            while !isDone {
                // With a full head nothing more is read: the log keeps it meanwhile.
                if state.withLock({ $0.isFull(options) }) { try seal(consumer.reader) }
                isDone = try consumer.reader.read(limitBytes: History.step, take)
                if failure == nil, state.withLock({ $0.isDue(options) }) {
                    do { try seal(consumer.reader) } catch { failure = error }
                }
            }
            // Nothing waits for a file, so nothing before is needed again.
            if state.withLock({ $0.headPoints == 0 }) { log.hold(History.consumerName, at: consumer.reader.cursor) }
            if let failure { throw failure }
        }
    }

    private static let step = 256 << 10

    private func take(_ item: LogItem) throws {
        switch item {
        case .frame(let frame):
            do {
                try state.withLock { try $0.take(frame, names: log.key(for:)) }
            } catch is RecordError {
                // Its checksum is right, so reading it again gives the same: it is left out.
                state.withLock { $0.statistics.skippedFrames += 1 }
            }
        case .gap: state.withLock { $0.statistics.gaps += 1 }
        case .rewound: state.withLock { $0.statistics.rewinds += 1 }
        }
    }

    /// Writes the head into a file now.
    package func seal() throws {
        try consumer.withLock { try seal($0.reader) }
    }

    private func seal(_ reader: any LogReader) throws(DiskError) {
        // Only the consumer's thread changes heads, so what is copied here is the head until the end of this call.
        let (series, sequence, wall) = state.withLock { state in
            // Taken whether it succeeds or not: a file whose directory could not be synced may be there all the same,
            // and of two with one number nobody knows which is right.
            defer { state.nextSequence += 1 }
            return (state.series.filter { $0.head.count > 0 }, state.nextSequence, state.wall)
        }
        var builder = BlockFileBuilder()
        for one in series.sorted(by: { $0.key < $1.key }) {
            let points = one.head.sorted()
            builder.add(one.key, times: points.times, values: points.values)
        }
        guard let footer = builder.finish(sequence: sequence, cursor: reader.cursor, wall: wall) else { return }
        let path = directory + "/" + BlockFile.name(footer)
        try AtomicFile.write(builder.bytes, to: path, in: fileSystem)
        let file = BlockFile(path: path, size: Int64(builder.bytes.count), footer: footer)
        state.withLock { $0.noteSealed(file) }
        log.hold(History.consumerName, at: footer.cursor)
        try removeExpired()
    }

    private func removeExpired() throws(DiskError) {
        let expired = state.withLock { $0.expired(options) }
        for file in expired {
            do throws(DiskError) {
                try fileSystem.remove(file.path)
            } catch {
                guard error.isMissing else { throw error }
            }
            state.withLock { state in
                state.files.removeAll { $0 == file }
                state.statistics.removedFiles += 1
            }
        }
    }

    package var statistics: HistoryStatistics {
        state.withLock { state in
            var statistics = state.statistics
            statistics.files = state.files.count
            statistics.bytes = state.files.reduce(0) { $0 + $1.size }
            statistics.headPoints = state.headPoints
            return statistics
        }
    }

    /// The last places that queries found damaged, at most 32.
    package var damage: [BlockError] { state.withLock { $0.damage } }

    /// The newest log time that was read or sealed: the gateway's own wall clock, never a device's. Nil before any.
    package var logTime: Timestamp? {
        let newest = state.withLock { state in max(state.wall, state.files.last?.footer.wall ?? state.wall) }
        return newest.milliseconds > 0 ? newest : nil
    }

    /// What the log has given so far.
    package var cursor: Cursor { consumer.withLock { $0.reader.cursor } }
}

// Queries. Times are half open: from `from` on, before `to`.
extension History {
    /// The newest value of a series by its time.
    package func latest(_ key: SeriesKey) -> HistoryPoint? {
        state.withLock { $0.series(key)?.latest }
    }

    /// Every series with its newest value, in the order of keys.
    package func latestAll() -> [(key: SeriesKey, point: HistoryPoint)] {
        let all = state.withLock { $0.series.compactMap { one in one.latest.map { (key: one.key, point: $0) } } }
        return all.sorted { $0.key < $1.key }
    }

    /// Calls `body` with the series' values in the order of time, `limit` of them at the most; returns whether there
    /// are more. Damaged blocks are left out, counted and listed in `damage`.
    @discardableResult
    package func range(
        _ key: SeriesKey, from: Timestamp, to: Timestamp, limit: Int = .max, _ body: (HistoryPoint) throws -> Void
    ) throws -> Bool {
        var merge = try merge(key, from, to)
        defer { noteDamage(merge.damaged) }
        var count = 0
        while let point = try merge.next() {
            if count >= limit { return true }
            try body(point)
            count += 1
        }
        return false
    }

    /// Calls `body` with each step that has values, in the order of time; steps begin at `from` and every `step` ms
    /// after it. `step` is at least 1.
    package func downsample(
        _ key: SeriesKey, from: Timestamp, to: Timestamp, step: Int64, _ body: (HistoryBucket) throws -> Void
    ) throws {
        let step = max(1, step)
        var merge = try merge(key, from, to)
        defer { noteDamage(merge.damaged) }
        var bucket: HistoryBucket?
        while let point = try merge.next() {
            let start = from + (point.time - from) / step * step
            if bucket?.start == start {
                bucket?.add(point.value)
                continue
            }
            if let bucket { try body(bucket) }
            bucket = HistoryBucket(start: start, first: point.value)
        }
        if let bucket { try body(bucket) }
    }

    private func merge(_ key: SeriesKey, _ from: Timestamp, _ to: Timestamp) throws(DiskError) -> PointMerge {
        let (files, series) = state.withLock { state in
            let files = state.files.filter { $0.footer.last >= from && $0.footer.first < to }
            return (files, state.series(key))
        }
        var sources: [PointMerge.Source] = []
        var damaged: [BlockError] = []
        for file in files where series != nil {
            switch try entry(of: key, in: file) {
            case .some(let entry?) where entry.last >= from && entry.first < to:
                sources.append(PointMerge.Source(entry: entry, rank: file.footer.sequence, file: file))
            case .some: continue
            case nil:
                damaged.append(BlockError(path: file.path, position: 0, reason: "the index is damaged"))
            }
        }
        if !damaged.isEmpty { noteDamage(damaged) }
        return PointMerge(
            sources: sources, head: series?.head.sorted() ?? ([], []), from: from, to: to, fileSystem: fileSystem)
    }

    /// Where the series lies in the file, if it does; nil for a damaged index.
    private func entry(of key: SeriesKey, in file: BlockFile) throws(DiskError) -> BlockEntry?? {
        do throws(DiskError) {
            let opened = try fileSystem.open(file.path, .read)
            defer { opened.close() }
            guard let entries = try file.entries(opened) else { return nil }
            return .some(entries.first { $0.key == key })
        } catch {
            if error.isMissing { return .some(nil) }
            throw error
        }
    }

    private func noteDamage(_ errors: [BlockError]) {
        if !errors.isEmpty { state.withLock { $0.noteDamage(errors) } }
    }
}
