import Disk
import History
import Metering
import ReadingLog
import Records
import Simulation
import Timekeeping

// What must be true after each opening.
extension FuzzRun {
    func check(_ session: Session) throws {
        let log = session.log
        try require(log.report.diskErrors.isEmpty, "opening met \(log.report.diskErrors)")
        let isStrict = !isLenient && mood != .rotten
        // Offsets that were passed over after a lie are not records, and the next epoch may begin below them.
        try require(
            !isStrict || !isExact || log.end.offset >= model.promised,
            "the log ends at \(log.end), \(model.promised) was durable")
        let found = try verify(log, isStrict: isStrict)
        model.settle(found, from: log.oldest.offset, end: log.end.offset)
        isLenient = false
        flushes.removeAll { $0.offsets.upperBound <= log.oldest.offset }
        try checkSizes(session)
        // Before History makes files in the place of those that it has lost.
        try settleSurvivors(session, found)
        try follow(session)
        model.advance(oldest: log.oldest.offset)
        guard isExact else {
            return try checkSurvivors(session, series: Int(random.between(0, Int64(FuzzRun.seriesCount) - 1)))
        }
        try require(
            session.consumer.fold == model.fold,
            "the consumer has \(session.consumer.fold), from the beginning it is \(model.fold)")
        try checkHistory(session, series: Int(random.between(0, Int64(FuzzRun.seriesCount) - 1)))
    }

    /// At the end of a run: every series, all of its time.
    func checkAll(_ session: Session) throws {
        for i in 0..<FuzzRun.seriesCount {
            if isExact {
                try checkHistory(session, series: i, whole: true)
            } else {
                try checkSurvivors(session, series: i)
            }
        }
    }

    /// Reads the whole log and compares; returns what it has of what was appended.
    private func verify(_ log: ReadingLog, isStrict: Bool) throws -> [FactModel.Entry] {
        let oldest = log.oldest
        var i = model.index(of: oldest.offset)
        var found: [FactModel.Entry] = []
        let damage = mood == .rotten ? disk.damage : [:]
        func pass(to offset: UInt64) throws {
            while i < model.entries.count, model.entries[i].offset < offset {
                let missing = model.entries[i].offset
                try require(
                    missing >= model.promised || !isStrict && (isLenientOrDamaged(missing, damage)),
                    "\(missing) is gone, everything below \(model.promised) was durable")
                i += 1
            }
        }
        try log.reader(from: oldest).readAll { item in
            switch item {
            case .frame(let frame):
                try frame.records { offset, record in
                    try pass(to: offset)
                    try require(
                        i < model.entries.count && model.entries[i].offset == offset, "\(offset) was never appended")
                    try require(model.entries[i].record == record, "another record at \(offset)")
                    found.append(model.entries[i])
                    i += 1
                }
            case .gap(let gap) where gap.reason == .dropped:
                try pass(to: gap.first)
                let from = i
                while i < model.entries.count, model.entries[i].offset < gap.end { i += 1 }
                try require(
                    from == i || model.entries[from].offset >= model.verified, "dropped what was durable: \(gap)")
            case .gap(let gap):
                // Of a write that was not synced the end may have arrived without the beginning.
                try pass(to: gap.end)
            case .rewound(let from, let to): throw Finding("rewound from \(from) to \(to)")
            }
        }
        try pass(to: .max)
        return found
    }

    private func isLenientOrDamaged(_ offset: UInt64, _ damage: [String: [Range<Int>]]) -> Bool {
        isLenient || mood != .rotten || flushes.contains { $0.offsets.contains(offset) && $0.isHit(damage) }
    }

    private func checkSizes(_ session: Session) throws {
        let place = "/data/log/facts/0"
        let names = try disk.list(place)
        let bytes = names.filter { $0.hasSuffix(".log") }.reduce(0) {
            $0 + (disk.contents(place + "/" + $1)?.count ?? 0)
        }
        try require(bytes <= options.budget, "segments take \(bytes) bytes, the budget is \(options.budget)")
        try require(names.filter { $0.hasPrefix("torn-") }.count <= 8, "too many torn copies")
        try require(names.filter { $0.hasSuffix(".damaged") }.count <= 4, "too many damaged files")
    }

    /// Brings the consumers to the durable end, the batches split at random.
    private func follow(_ session: Session) throws {
        let limit = Int(random.between(64, 64 << 10))
        do {
            while try !session.consumer.follow(limitBytes: limit) {}
            try session.history.follow()
        } catch {
            throw Finding("a consumer cannot read: \(error)")
        }
        try require(!isExact || !session.consumer.isRewound, "a consumer of durable records was ahead of the log")
        for gap in session.consumer.takeGaps() {
            try require(gap.reason != .overwritten || !isExact, "a held ring took \(gap)")
        }
        let statistics = session.history.statistics
        try require(!isExact || statistics.setAside.isEmpty, "history set aside \(statistics.setAside)")
        try require(!isExact || statistics.rewinds == 0, "history was ahead of the log")
        try require(statistics.diskErrors.isEmpty, "history met \(statistics.diskErrors)")
    }

    /// What queries answer is what the records say.
    private func checkHistory(_ session: Session, series: Int, whole: Bool = false) throws {
        let key = FuzzRun.key(series)
        guard let number = session.log.dictionary[key] else { return }
        let index = Int(number.value)
        let values = index < model.points.count ? model.points[index] : [:]
        let now = clock.now().wall
        var from = Timestamp(milliseconds: 0)
        var to = now + Span.day
        if !whole {
            from = now - random.between(0, 1800) * 1000
            to = from + random.between(1, 1800) * 1000
        }
        let wanted = values.filter { $0.key >= from.milliseconds && $0.key < to.milliseconds }.sorted {
            $0.key < $1.key
        }
        var i = 0
        try session.history.range(key, from: from, to: to) { point in
            try require(
                i < wanted.count && point.time.milliseconds == wanted[i].key && point.value == wanted[i].value,
                "history of series \(series) has \(point), not \(i < wanted.count ? "\(wanted[i])" : "an end")")
            i += 1
        }
        try require(i == wanted.count, "history of series \(series) has \(i) of \(wanted.count) values, from \(from)")
        try checkBuckets(session, key, from, to, wanted)
        let newest = values.max { $0.key < $1.key }
        let latest = session.history.latest(key)
        try require(
            latest?.time.milliseconds == newest?.key && latest?.value == newest?.value,
            "the latest of series \(series) is \(String(describing: latest)), not \(String(describing: newest))")
    }

    private func checkBuckets(
        _ session: Session, _ key: SeriesKey, _ from: Timestamp, _ to: Timestamp, _ wanted: [(key: Int64, value: Int64)]
    ) throws {
        let step = random.between(1, 120) * 1000
        var next = wanted[...]
        try session.history.downsample(key, from: from, to: to, step: step) { bucket in
            let values = next.prefix { $0.key < bucket.start.milliseconds + step }.map(\.value)
            next = next.dropFirst(values.count)
            try require(
                bucket.count == values.count && bucket.min == values.min() && bucket.max == values.max()
                    && bucket.last == values.last && bucket.sum == values.reduce(Int128(0)) { $0 + Int128($1) },
                "a step of \(step) ms at \(bucket.start) has \(bucket), not what \(values) make")
        }
        try require(next.isEmpty, "\(next.count) values are in no step")
    }
}
