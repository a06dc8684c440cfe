import APITypes
import Hummingbird
import JSONText
import Metering
import NIOCore
import Synchronization
import Timekeeping

// Values of series over time, raw or in steps.
extension Routes {
    static func addHistory(_ router: Router<BasicRequestContext>, _ routes: Routes) {
        router.get("/v1/history") { request, _ in try await routes.history(request) }
    }

    /// Series of one answer: a chart has a few, and each costs a look into files.
    private static let maximumSeries = 200
    private static let maximumPoints = 10_000
    private static let longestStep = 366 * Span.day
    /// Rows that are in memory at one time, at the most.
    private static let pageRows = 10_000
    /// An answer is sent in pieces of this length and more: few series have many rows, or many have few.
    private static let pieceBytes = 32 << 10

    /// Each series as an object with its rows, written page by page. With `step` (a duration such as 15m) or `points`
    /// (the most rows that are wanted) a row is a step's minimum, mean, maximum, last value and count; steps lie on
    /// multiples of their length, so the first may begin before `since`. `limit` is for each series.
    private func history(_ request: Request) async throws -> Response {
        let query = try Query(
            request, known: ["device", "channel", "quantity", "since", "until", "step", "points", "limit"])
        guard let past = home.past else { throw Problem.notFound("this home keeps no history") }
        let (since, until) = try query.span()
        guard let since else {
            throw Problem.badRequest("since is missing: say from when, as in since=2026-03-01T00:00:00Z")
        }
        let end = until ?? Timestamp.validRange.upperBound
        guard since < end else { throw Problem.badRequest("since is not before until") }
        let step = try step(query, past, since, until)
        let limit = try query.integer("limit", 1...Routes.maximumLimit) ?? Routes.maximumLimit
        let series = try await past.series(try query.filter())
        guard series.count <= Routes.maximumSeries else {
            throw Problem.badRequest(
                "that is \(series.count) series, more than \(Routes.maximumSeries): name a device or a quantity")
        }
        let start = step.map { since - since.milliseconds % $0 } ?? since
        let body = ResponseBody { [room] writer in
            var rows = room.take()
            var answer = ByteBuffer(string: "[")
            for (i, one) in series.enumerated() {
                answer.writeBytes(Routes.head(one, step, isFirst: i == 0))
                var (from, rest, isFirst) = (Optional(start), limit, true)
                while let begin = from, rest > 0 {
                    from = try await past.rows(
                        one, from: begin, to: end, step: step, limit: min(rest, Routes.pageRows), into: &rows)
                    if !isFirst, rows.count > 0 { answer.writeString(",") }
                    answer.writeBytes(rows.bytes)
                    (rest, isFirst) = (rest - rows.count, isFirst && rows.count == 0)
                    rows.removeAll()
                    if answer.readableBytes >= Routes.pieceBytes {
                        try await writer.write(answer)
                        answer = ByteBuffer()
                    }
                }
                answer.writeString("],\"more\":\(from != nil)}")
            }
            room.put(rows)
            answer.writeString("]")
            try await writer.write(answer)
            try await writer.finish(nil)
        }
        return Response(status: .ok, headers: [.contentType: "application/json"], body: body)
    }

    private func step(
        _ query: Query, _ past: any HistoryView, _ since: Timestamp, _ until: Timestamp?
    ) throws(Problem) -> Int64? {
        let points = try query.integer("points", 1...Routes.maximumPoints)
        guard let text = query.text("step") else {
            guard let points else { return nil }
            guard let until else { throw .badRequest("points needs until: how long a step is follows from the span") }
            return past.step(points: points, from: since, to: until)
        }
        if points != nil { throw .badRequest("step does not go with points") }
        do {
            let step = try DurationText.parse(text)
            if (1...Routes.longestStep).contains(step) { return step }
        } catch {
            throw .badRequest("step: \(error)")
        }
        throw .badRequest("step=\(text) is not from 1ms to 366d")
    }

    /// The object up to its rows.
    private static func head(_ series: HistorySeries, _ step: Int64?, isFirst: Bool) -> [UInt8] {
        var json = JSONWriter()
        json.object {
            $0.field("device", text: series.device)
            $0.field("channel", text: series.key.channel.name)
            $0.field("quantity", text: series.key.quantity.name)
            $0.field("unit", text: series.key.quantity.unit)
            $0.field("step", number: step)
            $0.key("columns")
            $0.array { json in
                for name in step == nil ? HistoryRows.pointColumns : HistoryRows.bucketColumns { json.text(name) }
            }
        }
        let comma = isFirst ? [] : [UInt8(ascii: ",")]
        return comma + json.bytes.dropLast() + Array(",\"rows\":[".utf8)
    }
}

/// Memory of one page that goes from answer to answer: taken from the system anew each time, clearing it would take
/// longer than writing the rows.
final class PageRoom: Sendable {
    private let kept = Mutex<HistoryRows?>(nil)

    func take() -> HistoryRows {
        kept.withLock { kept in
            defer { kept = nil }
            return kept
        } ?? HistoryRows(room: 64 << 10)
    }

    /// `rows` is empty.
    func put(_ rows: consuming HistoryRows) {
        kept.withLock { [rows] in $0 = rows }
    }
}
