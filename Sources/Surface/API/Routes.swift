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
        var query = try Query(request, known: ["device", "channel", "quantity", "since", "until", "limit", "latest"])
        let filter = try query.filter()
        let since = try query.time("since")
        let until = try query.time("until")
        let limit = try query.integer("limit", 1...Routes.maximumLimit) ?? Routes.defaultLimit
        if try query.flag("latest") {
            let all = try await home.latest(filter)
            return Routes.answer(list: Array(all.prefix(limit)))
        }
        guard let since else {
            throw Problem.badRequest("since is missing: say from when, as in since=2026-03-01T00:00:00Z")
        }
        let home = home
        let body = ResponseBody { writer in
            // The body closure owns its writer; batches arrive one after the other, so a box is enough.
            let output = ReadingStream(writer: writer)
            try await home.readings(filter, since: since, until: until ?? Timestamp.validRange.upperBound, limit: limit)
            {
                try await output.write($0)
            }
            try await output.finish()
        }
        return Response(status: .ok, headers: [.contentType: "application/json"], body: body)
    }

    /// Newline-delimited JSON, one reading a line, until the client goes away.
    func follow(_ request: Request) async throws -> Response {
        var query = try Query(request, known: ["device", "channel", "quantity"])
        let stream = await home.follow(try query.filter())
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
        var query = try Query(request, known: ["by", "since", "until", "device"])
        let by = query.text("by") ?? UsagePeriod.day.rawValue
        guard let period = UsagePeriod(rawValue: by) else {
            throw Problem.badRequest("by=\(by) is not slot, hour, day or month")
        }
        let rows = try await home.usage(
            by: period, since: try query.time("since"), until: try query.time("until"), device: query.text("device"))
        return Routes.answer(list: rows)
    }
}

/// Writes batches of readings as one JSON array.
final class ReadingStream {
    private var writer: any ResponseBodyWriter
    private var isFirst = true

    init(writer: any ResponseBodyWriter) {
        self.writer = writer
    }

    func write(_ batch: [ReadingAnswer]) async throws {
        var bytes: [UInt8] = []
        for reading in batch {
            var json = JSONWriter()
            reading.encode(to: &json)
            bytes.append(isFirst ? UInt8(ascii: "[") : UInt8(ascii: ","))
            bytes.append(contentsOf: json.bytes)
            isFirst = false
        }
        if !bytes.isEmpty { try await writer.write(ByteBuffer(bytes: bytes)) }
    }

    func finish() async throws {
        try await writer.write(ByteBuffer(string: isFirst ? "[]" : "]"))
        try await writer.finish(nil)
    }
}
