import APITypes
import Hummingbird
import Metering
import NIOCore
import Timekeeping

/// The handlers: read the query, ask the home, write JSON.
struct Routes: Sendable {
    let home: any HomeView

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

    func readings(_ request: Request) async throws -> Response {
        let query = try Query(request, known: ["device", "channel", "quantity", "since", "until", "limit", "latest"])
        let filter = try query.filter()
        let (since, until) = try query.span()
        let limit = try query.integer("limit", 1...Routes.maximumLimit) ?? Routes.defaultLimit
        if try query.flag("latest") {
            let all = try await home.latest(filter)
            return Routes.answer(list: Array(all.prefix(limit)))
        }
        guard let since else {
            throw Problem.badRequest("since is missing: say from when, as in since=2026-03-01T00:00:00Z")
        }
        let page = try await home.readings(
            filter, since: since, until: until ?? Timestamp.validRange.upperBound, limit: limit)
        let body = ResponseBody { writer in
            var number = 0
            while let readings = page(number) {
                try await writer.write(Routes.part(readings, isFirst: number == 0))
                number += 1
            }
            try await writer.write(ByteBuffer(string: number == 0 ? "[]" : "]"))
            try await writer.finish(nil)
        }
        return Response(status: .ok, headers: [.contentType: "application/json"], body: body)
    }

    /// A page of one JSON array.
    private static func part(_ readings: [ReadingAnswer], isFirst: Bool) -> ByteBuffer {
        var bytes: [UInt8] = []
        for (i, reading) in readings.enumerated() {
            var json = JSONWriter()
            reading.encode(to: &json)
            bytes.append(isFirst && i == 0 ? UInt8(ascii: "[") : UInt8(ascii: ","))
            bytes.append(contentsOf: json.bytes)
        }
        return ByteBuffer(bytes: bytes)
    }

    /// Newline-delimited JSON, one reading a line, until the client goes away.
    func follow(_ request: Request) async throws -> Response {
        let query = try Query(request, known: ["device", "channel", "quantity"])
        let stream = try await home.follow(query.filter())
        let body = ResponseBody { writer in
            for await batch in stream {
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

    func usage(_ request: Request) async throws -> Response {
        let query = try Query(request, known: ["by", "since", "until", "device"])
        let by = query.text("by") ?? UsagePeriod.day.rawValue
        guard let period = UsagePeriod(rawValue: by) else {
            throw Problem.badRequest("by=\(by) is not slot, hour, day or month")
        }
        let (since, until) = try query.span()
        let rows = try await home.usage(by: period, since: since, until: until, device: query.text("device"))
        return Routes.answer(list: rows)
    }
}
