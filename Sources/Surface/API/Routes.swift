import APITypes
import Hummingbird
import JSONText
import Metering
import NIOCore
import Timekeeping

/// The handlers: read the query, ask the home, write JSON. An answer is `[…]` or `{…}` on one line.
struct Routes: Sendable {
    let home: any HomeView
    let room = PageRoom()

    /// A request may ask for this many readings at most; more comes in pages by `since` and `until`.
    static let maximumLimit = 1_000_000
    static let defaultLimit = 10_000

    static func answer(_ value: some JSONEncodable) -> Response {
        var json = JSONWriter()
        value.encode(to: &json)
        return response(json.bytes)
    }

    static func answer(list: [some JSONEncodable]) -> Response {
        var json = JSONWriter()
        json.array { json in
            for item in list { item.encode(to: &json) }
        }
        return response(json.bytes)
    }

    private static func response(_ bytes: [UInt8]) -> Response {
        Response(
            status: .ok, headers: [.contentType: "application/json"],
            body: ResponseBody(byteBuffer: ByteBuffer(bytes: bytes)))
    }

    /// The newest reading of each series, or a span of readings, streamed page by page.
    func readings(_ request: Request) async throws -> Response {
        let query = try Query(request, known: ["device", "channel", "quantity", "since", "until", "limit", "latest"])
        let filter = try query.filter()
        let (since, until) = try query.span()
        let limit = try query.integer("limit", 1...Routes.maximumLimit) ?? Routes.defaultLimit
        if try query.flag("latest") {
            guard since == nil, until == nil else {
                throw Problem.badRequest("latest does not go with since and until")
            }
            let all = try await home.latest(filter)
            return Routes.answer(list: Array(all.prefix(limit)))
        }
        guard let since else {
            throw Problem.badRequest("since is missing: say from when, as in since=2026-03-01T00:00:00Z")
        }
        let end = until ?? Timestamp.validRange.upperBound
        guard since < end else { throw Problem.badRequest("since is not before until") }
        let page = try await home.readings(filter, since: since, until: end, limit: limit)
        let body = ResponseBody { writer in
            var json = JSONWriter()
            json.beginArray()
            var number = 0
            while let readings = page(number) {
                for reading in readings { reading.encode(to: &json) }
                try await writer.write(ByteBuffer(bytes: json.take()))
                number += 1
            }
            json.endArray()
            try await writer.write(ByteBuffer(bytes: json.take()))
            try await writer.finish(nil)
        }
        return Response(status: .ok, headers: [.contentType: "application/json"], body: body)
    }

    /// Newline-delimited JSON, one reading a line, until the client goes away.
    func follow(_ request: Request) async throws -> Response {
        let query = try Query(request, known: ["device", "channel", "quantity"])
        let filter = try query.filter()
        let stream = try await home.follow(filter)
        let body = ResponseBody { writer in
            for await batch in stream where !batch.isEmpty {
                var json = JSONWriter()
                for reading in batch {
                    reading.encode(to: &json)
                    json.newline()
                }
                try await writer.write(ByteBuffer(bytes: json.bytes))
            }
            try await writer.finish(nil)
        }
        return Response(status: .ok, headers: [.contentType: "application/x-ndjson"], body: body)
    }

    /// Energy and cost, summed.
    func usage(_ request: Request) async throws -> Response {
        let query = try Query(request, known: ["by", "since", "until", "device"])
        let by = query.text("by") ?? UsagePeriod.day.rawValue
        guard let period = UsagePeriod(rawValue: by) else {
            throw Problem.badRequest("by=\(by) is not slot, hour, day, week, month, bill or year")
        }
        let (since, until) = try query.span()
        let rows = try await home.usage(by: period, since: since, until: until, device: query.text("device"))
        return Routes.answer(list: rows)
    }
}
