import Metering
import Timekeeping

// Files: which there are, which go, and which become one.
extension HistoryState {
    func files(of tier: HistoryTier) -> [BlockFile] { files[tier.rawValue] }

    /// Log time without its leaps: what separates two files counts as no more than one file may span. A clock that was
    /// years ahead, if only for a moment, must not make all that there is look old.
    private func steadyWall(of tier: HistoryTier) -> Timestamp {
        var leaps: Int64 = 0
        var before: Timestamp?
        for wall in files(of: tier).map(\.footer.wall) + [wall] {
            if let before { leaps += max(0, wall - before - tier.longestFile) }
            before = max(before ?? wall, wall)
        }
        return wall - leaps
    }

    /// The files that the ring of a tier gives up now, oldest values first; never the one with the cursor.
    func expired(_ tier: HistoryTier, _ options: HistoryOptions) -> [BlockFile] {
        let limit = options.limit(of: tier)
        let oldestKept = steadyWall(of: tier) - limit.retention
        let files = files(of: tier)
        let oldest = files.dropLast().sorted {
            ($0.footer.last, $0.footer.sequence) < ($1.footer.last, $1.footer.sequence)
        }
        var bytes = files.reduce(0) { $0 + $1.size }
        var expired: [BlockFile] = []
        for file in oldest where file.footer.last < oldestKept || bytes > limit.budget {
            expired.append(file)
            bytes -= file.size
        }
        return expired
    }

    /// Neighbours that are to become one file: `mergeCount` of about one size whose span one file may have.
    func mergeable(_ tier: HistoryTier, _ options: HistoryOptions, except: Set<String>) -> [BlockFile]? {
        let files = files(of: tier)
        let count = options.mergeCount
        var start = 0
        while start + count <= files.count {
            let window = files[start..<start + count]
            start += 1
            guard let first = window.first, let last = window.last,
                last.footer.wall - first.footer.since <= tier.longestFile
            else { continue }
            let sizes = window.map { HistoryState.level($0, count) }
            if sizes.allSatisfy({ $0 == sizes[0] }), !window.contains(where: { except.contains($0.path) }) {
                return Array(window)
            }
        }
        return nil
    }

    /// How often a file has been merged, from the number of seals in it.
    private static func level(_ file: BlockFile, _ count: Int) -> Int {
        var seals = file.footer.sequence - file.footer.firstSequence + 1
        var level = 0
        while seals >= UInt64(count) {
            seals /= UInt64(count)
            level += 1
        }
        return level
    }

    /// From here on a tier has all that came: files before have been given up.
    func begin(of tier: HistoryTier, _ options: HistoryOptions) -> Timestamp {
        guard let oldest = files(of: tier).first else {
            let hasOthers = HistoryTier.allCases.contains { !files(of: $0).isEmpty }
            return Timestamp(milliseconds: hasOthers ? .max : .min)
        }
        let lowest = HistoryTier.allCases.compactMap { files(of: $0).first?.footer.firstSequence }.min()
        let begin =
            oldest.footer.firstSequence == lowest ? Timestamp(milliseconds: .min) : oldest.footer.since
        // What was imported into the distant past was given up out of turn: a coarser tier tells that it was there.
        let oldestKept = steadyWall(of: tier) - options.limit(of: tier).retention
        let staying = files(of: tier).filter { $0.footer.last >= oldestKept }
        guard let earliest = staying.map(\.footer.first).min() else { return begin }
        let isRolledUp = HistoryTier.rollUps.contains { coarser in
            guard coarser.rawValue > tier.rawValue, let step = coarser.step else { return false }
            return files(of: coarser).contains { $0.footer.first < earliest.floored(to: step) }
        }
        return isRolledUp ? max(begin, earliest) : begin
    }

    /// Raw values in this span are not in the roll-ups of the tier yet.
    func lacks(_ tier: HistoryTier, _ from: Timestamp, _ to: Timestamp) -> Bool {
        lacking[tier]?.contains { $0.footer.last >= from && $0.footer.first < to } ?? false
    }
}
