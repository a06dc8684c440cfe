import Compression
import Disk
import Timekeeping

/// Finds out what files there are. Reads footers, and the index of the newest file, which names every series.
struct HistoryOpening: ~Copyable {
    private let root: String
    private let reading: BlockReading
    private var state = HistoryState()

    init(root: String, _ reading: BlockReading) {
        self.root = root
        self.reading = reading
    }

    consuming func run() throws(DiskError) -> HistoryState {
        for tier in HistoryTier.allCases {
            let directory = root + "/" + tier.name
            try reading.fileSystem.createDirectory(directory)
            var found: [BlockFile] = []
            for name in try reading.fileSystem.list(directory) {
                do throws(DiskError) {
                    if let file = try look(directory + "/" + name, tier) { found.append(file) }
                } catch {
                    state.statistics.diskErrors.append(error)
                }
            }
            for file in withoutMerged(found) { state.add(file) }
        }
        readNewest()
        removeUnfinished()
        findLacking()
        return state
    }

    private mutating func look(_ path: String, _ tier: HistoryTier) throws(DiskError) -> BlockFile? {
        if path.hasSuffix(AtomicFile.temporarySuffix) {
            try reading.fileSystem.remove(path)
            return nil
        }
        guard path.hasSuffix(".blk") else { return nil }
        switch try BlockFile.open(path, in: reading.fileSystem) {
        case .good(let file) where file.tier == tier: return file
        case .newer:
            state.statistics.newerFiles += 1
            return nil
        case .good, .damaged:
            try setAside(path)
            return nil
        }
    }

    private mutating func setAside(_ path: String) throws(DiskError) {
        try reading.fileSystem.rename(path, to: path + ".damaged")
        let name = path.split(separator: "/").last.map(String.init) ?? path
        state.statistics.setAside.append(name + ".damaged")
    }

    /// Removes files that another one was made of: the crash came between its name and their end. One whose index is
    /// damaged does not replace anything.
    private mutating func withoutMerged(_ files: [BlockFile]) -> [BlockFile] {
        var kept: [BlockFile] = []
        let widestFirst = files.sorted {
            ($0.footer.firstSequence, $1.footer.sequence) < ($1.footer.firstSequence, $0.footer.sequence)
        }
        for file in widestFirst {
            let covering = kept.first(where: file.lies(within:))
            guard let covering, hasIndex(covering) else {
                kept.append(file)
                continue
            }
            do throws(DiskError) {
                try reading.fileSystem.remove(file.path)
            } catch {
                state.statistics.diskErrors.append(error)
            }
        }
        return kept
    }

    private func hasIndex(_ file: BlockFile) -> Bool {
        reading.withScratch { scratch in
            do throws(DiskError) { return try reading.openAnew(file, scratch) != nil } catch { return false }
        }
    }

    /// The newest values of all series. A file of version 1 names only the series that it has values of, so of these
    /// all indexes are read, back to the last file of version 2.
    private mutating func readNewest() {
        for file in state.files(of: .raw).reversed() {
            let isComplete = file.footer.version >= 2
            let entries = reading.withScratch { scratch -> [BlockEntry]? in
                do throws(DiskError) { return try reading.openAnew(file, scratch)?.entries } catch { return nil }
            }
            guard let entries else {
                do throws(DiskError) {
                    try setAside(file.path)
                } catch {
                    state.statistics.diskErrors.append(error)
                }
                state.remove([file])
                continue
            }
            for entry in entries { state.take(entry) }
            if isComplete { break }
        }
    }

    /// Removes roll-ups of a seal whose raw values did not get their name: the log has them, and they are sealed again.
    /// Where the newest raw values are damaged, their roll-ups are all that is left.
    private mutating func removeUnfinished() {
        guard state.statistics.setAside.isEmpty, state.statistics.newerFiles == 0, state.statistics.diskErrors.isEmpty
        else { return }
        // Without any raw file it was the first seal, or somebody has removed years of them.
        let sequences = Set(HistoryTier.rollUps.flatMap { state.files(of: $0) }.map(\.footer.sequence))
        guard let newest = state.files(of: .raw).last?.footer.sequence ?? (sequences.count > 1 ? nil : 0) else {
            return
        }
        for tier in HistoryTier.rollUps {
            let unfinished = state.files(of: tier).filter { $0.footer.firstSequence > newest }
            if unfinished.isEmpty { continue }
            do throws(DiskError) {
                for file in unfinished {
                    try reading.fileSystem.remove(file.path)
                    state.remove([file])
                }
                // Else they may be there again after the next seal, which has a higher sequence.
                try reading.fileSystem.syncDirectory(root + "/" + tier.name)
            } catch {
                state.statistics.diskErrors.append(error)
            }
        }
    }

    /// Files of raw values that were never rolled up, or whose roll-up has been damaged.
    private mutating func findLacking() {
        for tier in HistoryTier.rollUps {
            let covered = state.files(of: tier).map(\.sequences)
            for file in state.files(of: .raw) {
                let sequences = file.sequences
                var next = sequences.lowerBound
                for range in covered where range.contains(next) { next = range.upperBound + 1 }
                if next <= sequences.upperBound { state.lacking[tier, default: []].append(file) }
            }
        }
    }
}
