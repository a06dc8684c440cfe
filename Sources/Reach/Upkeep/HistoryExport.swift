import Exchange
import History
import Metering
import Timekeeping

/// History as the text of a file, piece by piece, in little memory: csv, jsonl and line protocol in the order of time,
/// OpenMetrics series by series.
///
/// Values are taken as they are when their turn comes, so an export beside a running daemon has each value once and
/// the newest ones up to `until`. Blocks; one thread at a time.
public struct HistoryExport {
    private let history: History
    private let series: [(key: SeriesKey, device: String)]
    private let until: Timestamp
    private var writer: ReadingWriter
    /// Where the next window begins, or for OpenMetrics the values of the series at `place`.
    private var from: Timestamp
    private let since: Timestamp
    private var window = Span.hour
    private var place = 0
    private var isDone = false
    /// Readings written so far.
    public private(set) var count = 0
    /// What could not be read so far; all of it after the last piece.
    public private(set) var damage = ExportDamage()
    /// Damage that History had met when it was last asked, by all its queries.
    private var met = 0

    /// Values of a window of time that are held together at most; a window with more is halved.
    private static let maximumWindow = 1 << 18
    /// About so many bytes are handed out at a time.
    private static let pieceBytes = 256 << 10

    /// `series` with what their devices are called; of several in one order those of the same name stay apart.
    public init(
        _ history: History, series: [(key: SeriesKey, device: String)], since: Timestamp, until: Timestamp,
        format: ExchangeFormat
    ) {
        self.history = history
        self.until = until
        self.since = since
        from = since
        writer = ReadingWriter(format)
        self.series = series.sorted { a, b in
            if format.isBySeries, a.key.quantity != b.key.quantity { return a.key.quantity < b.key.quantity }
            if a.device != b.device { return a.device < b.device }
            return a.key < b.key
        }
    }

    /// The next piece; nil after the last.
    public mutating func next() throws -> [UInt8]? {
        while !isDone, writer.count < HistoryExport.pieceBytes {
            met = history.statistics.damagedBlocks
            if writer.format.isBySeries { try nextOfSeries() } else { try nextWindow() }
        }
        let piece = writer.take()
        return piece.isEmpty ? nil : piece
    }

    private mutating func finish() {
        writer.finish()
        isDone = true
    }

    private mutating func nextOfSeries() throws {
        guard place < series.count else { return finish() }
        let (key, device) = series[place]
        var last: Timestamp?
        var writer = writer
        var written = 0
        let isMore = try history.range(key, from: from, to: until, limit: 4096) { point in
            writer.append(HistoryExport.reading(key, device, point))
            last = point.time
            written += 1
        }
        self.writer = writer
        count += written
        try noteDamage(series[place...place], from, isMore ? last.map { $0 + 1 } ?? until : until)
        if isMore, let last {
            from = last + 1
        } else {
            place += 1
            from = since
        }
    }

    private mutating func nextWindow() throws {
        guard from < until else { return finish() }
        let to = until - from <= window ? until : from + window
        var found: [(series: Int, point: HistoryPoint)] = []
        for (i, one) in series.enumerated() {
            let room = HistoryExport.maximumWindow - found.count
            let isMore = try history.range(one.key, from: from, to: to, limit: room) { found.append((i, $0)) }
            // One millisecond holds at most one value of each series, so a window can always be made small enough.
            if isMore, window > 1 {
                window = max(1, window / 4)
                return
            }
        }
        if found.isEmpty {
            let next = try firstTime()
            try noteDamage(series[...], from, next ?? until)
            guard let next else { return finish() }
            from = next
            return
        }
        found.sort { ($0.point.time, $0.series) < ($1.point.time, $1.series) }
        for (i, point) in found { writer.append(HistoryExport.reading(series[i].key, series[i].device, point)) }
        count += found.count
        try noteDamage(series[...], from, to)
        from = to
        if found.count < HistoryExport.maximumWindow / 8 { window = min(window * 2, 32 * Span.day) }
    }

    /// Notes what could not be read of `series`. History keeps the last places of all its queries: where it met some,
    /// what was read is read once more, a series after the other, so that each is ours and none is missed.
    private mutating func noteDamage(
        _ series: ArraySlice<(key: SeriesKey, device: String)>, _ from: Timestamp, _ to: Timestamp
    ) throws {
        guard history.statistics.damagedBlocks > met else { return }
        for one in series {
            met = history.statistics.damagedBlocks
            try history.range(one.key, from: from, to: to) { _ in }
            let new = history.statistics.damagedBlocks - met
            if new > 0 { for error in history.damage.suffix(new) { damage.note(error) } }
        }
    }

    /// Of the values from `from` on.
    private func firstTime() throws -> Timestamp? {
        var first: Timestamp?
        for one in series {
            try history.range(one.key, from: from, to: first ?? until, limit: 1) { point in
                first = min(first ?? point.time, point.time)
            }
        }
        return first
    }

    private static func reading(_ key: SeriesKey, _ device: String, _ point: HistoryPoint) -> NamedReading {
        NamedReading(
            device: device, channel: key.channel, quantity: key.quantity, time: point.time, value: point.value)
    }
}
