import Compression
import Disk
import Metering
import ReadingLog
import Synchronization
import Timekeeping

extension History {
    /// What one seal writes.
    private struct Sealing {
        let raw: BlockFileWriter
        let minute: BlockFileWriter
        let quarter: BlockFileWriter
        let scratch: DecodingScratch
        var sealed: [(slot: Int, through: Int64, open: OpenBuckets?)] = []

        func abandon() {
            raw.abandon()
            minute.abandon()
            quarter.abandon()
        }
    }

    private func writer(_ tier: HistoryTier, _ compressor: ZstdCompressor) -> BlockFileWriter {
        BlockFileWriter(tier, directory: directory(of: tier), reading.fileSystem, compressor)
    }

    /// Writes the head into a file of each tier. The one of raw values comes last: its footer is the cursor, and what
    /// a crash leaves without it is written again, with a higher sequence.
    func seal(_ reader: any LogReader) throws(DiskError) {
        try removeUnfinished()
        // Only the consumer's thread changes heads, so what is read here is the head until the end of this call.
        let (order, sequence, wall, since) = state.withLock { state in
            (
                state.heads.count > 0 ? state.keys.ordered : [], state.nextSequence, state.wall,
                state.files(of: .raw).last?.footer.wall ?? state.headSince ?? state.wall
            )
        }
        if order.isEmpty { return }
        let cursor = reader.cursor
        let (files, sealed) = try reading.withScratch { (scratch) throws(DiskError) in
            let compressor = ZstdCompressor()
            var sealing = Sealing(
                raw: writer(.raw, compressor), minute: writer(.minute, compressor),
                quarter: writer(.quarter, compressor), scratch: scratch)
            do throws(DiskError) {
                for (slot, key) in order { try seal(key, slot, &sealing) }
                var files: [BlockFile] = []
                for writer in [sealing.minute, sealing.quarter, sealing.raw] {
                    let file = try writer.finish(
                        sequences: sequence...sequence, cursor: cursor, since: min(since, wall), wall: wall)
                    if let file { files.append(file) }
                }
                return (files, sealing.sealed)
            } catch {
                sealing.abandon()
                // A tier's file may have its name already: the next attempt must not have the same sequence.
                state.withLock {
                    $0.nextSequence += 1
                    $0.unfinished = $0.unfinished ?? sequence
                }
                throw error
            }
        }
        state.withLock {
            $0.noteSealed(files, sealed)
            $0.unfinished = nil
        }
        log.hold(History.consumerName, at: cursor)
        try removeExpired()
        try mergeFiles()
        // Sealing and merging took more than the heads' next two hours will.
        reading.giveBack()
        AllocatorMemory.giveBack()
    }

    /// Of a file that one seal made: `…-<sequence>.<sequence>.blk`.
    private static func sequence(ofSeal name: String) -> UInt64? {
        guard let dash = name.lastIndex(of: "-") else { return nil }
        let parts = name[name.index(after: dash)...].split(separator: ".")
        guard parts.count == 3, parts[0] == parts[1], parts[2] == "blk" else { return nil }
        return UInt64(parts[0])
    }

    /// Removes what seals that failed have left under a name: files of one tier without the others', which would look
    /// as if the others had been given up. Again before each attempt, since a disk that is away shows none of them.
    private func removeUnfinished() throws(DiskError) {
        guard let (first, next) = state.withLock({ state in state.unfinished.map { ($0, state.nextSequence) } }) else {
            return
        }
        let unfinished = first..<next
        for tier in HistoryTier.allCases {
            let directory = directory(of: tier)
            let names = try reading.fileSystem.list(directory).filter { name in
                History.sequence(ofSeal: name).map(unfinished.contains) ?? false
            }
            if names.isEmpty { continue }
            for name in names { try reading.fileSystem.remove(directory + "/" + name) }
            try reading.fileSystem.syncDirectory(directory)
        }
    }

    private func seal(_ key: SeriesKey, _ slot: Int, _ sealing: inout Sealing) throws(DiskError) {
        let (one, head) = state.withLock { ($0.series[slot], $0.heads.points(slot)) }
        guard !head.isEmpty else {
            if let newest = one.sealedNewest { sealing.raw.addNewest(key, newest) }
            return
        }
        let points = try sealing.raw.add(key, head.sorted())
        if let newest = one.sealedNewest, newest.time.milliseconds > points.times[points.count - 1] {
            // Only late values: the index has to tell the newest all the same.
            sealing.raw.addNewest(key, newest)
        }
        let (rollUp, open) = try rollUp(
            key, points, sealedThrough: one.sealedThrough, open: one.open, sealing.scratch)
        try sealing.minute.add(key, rollUp.minutes)
        try sealing.quarter.add(key, rollUp.quarters)
        sealing.sealed.append((slot, points.times[points.count - 1], open))
    }

    /// The buckets that `points`, which no file has yet, change, whole: what files have in them besides is read where
    /// it is not known. Also the buckets that are open after it, if they can be told.
    private func rollUp(
        _ key: SeriesKey, _ points: PointColumns, sealedThrough: Int64, open: OpenBuckets?, _ scratch: DecodingScratch
    ) throws(DiskError) -> (RollUp, OpenBuckets?) {
        let (first, last) = (points.times[0], points.times[points.count - 1])
        let isNewer = first > sealedThrough
        let goesOn = isNewer && RollUp.start(first).milliseconds <= sealedThrough
        if isNewer, !goesOn || open != nil {
            // The usual case. A minute that ended with the last file is written again as it was, which changes nothing.
            var rollUp = RollUp(open: goesOn ? open : nil)
            rollUp.add(points, 0..<points.count)
            let after = rollUp.open
            rollUp.close()
            return (rollUp, after)
        }
        let (rollUp, after) = try recompute(key, points, isInFiles: false, isNewer: isNewer, scratch)
        return (rollUp, last >= sealedThrough ? after : nil)
    }

    func removeExpired() throws(DiskError) {
        for tier in HistoryTier.allCases {
            for file in state.withLock({ $0.expired(tier, options) }) {
                try remove(file)
                state.withLock { state in
                    state.remove([file])
                    state.statistics.removedFiles += 1
                }
            }
        }
    }

    func remove(_ file: BlockFile) throws(DiskError) {
        reading.forget(file)
        do throws(DiskError) {
            try reading.fileSystem.remove(file.path)
        } catch {
            guard error.isMissing else { throw error }
        }
    }
}
