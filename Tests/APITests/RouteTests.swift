import API
import APITypes
import Foundation
import HTTPClient
import JSONScanner
import Logging
import Testing

/// The real server on a socket of its own, asked by the client that energyctl uses.
@Suite(.timeLimit(.minutes(1))) struct RouteTests {
    struct Answer {
        let status: Int
        let type: String?
        let body: [UInt8]
        /// Those that came after the body, too.
        var fields: [(name: String, value: String)] = []
        var text: String { String(decoding: body, as: UTF8.self) }
    }

    func serve(_ home: FixedHome = FixedHome(), _ body: (String) async throws -> Void) async throws {
        let socket = NSTemporaryDirectory() + "/api-" + UUID().uuidString.prefix(8) + ".sock"
        defer { unlink(socket) }
        let (ready, signal) = AsyncStream<Void>.makeStream()
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let server = APIServer(home: home, socketPath: socket, logger: logger) { signal.yield() }
        let running = Task { try await server.run() }
        for await _ in ready { break }
        do {
            try await body(socket)
        } catch {
            running.cancel()
            throw error
        }
        running.cancel()
        _ = await running.result
    }

    /// On a thread of its own: curl blocks, and the server's handlers need the pool.
    func ask(
        _ socket: String, _ path: String, method: String = "GET", body: [UInt8]? = nil
    ) async throws -> Answer {
        try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread {
                do {
                    let answer = try HTTPClient().send(
                        HTTPRequest(method, url: "http://energyd" + path, unixSocket: socket, body: body))
                    continuation.resume(
                        returning: Answer(
                            status: answer.status, type: answer.header("content-type"), body: answer.body,
                            fields: answer.headers))
                } catch {
                    continuation.resume(throwing: error)
                }
            }
        }
    }

    private static let reading1 =
        #"{"time":"2026-02-02T02:40:01Z","device":"washer","channel":"total","quantity":"power","value":1.5,"unit":"W"}"#

    private static let good: [(path: String, body: String)] = [
        ("/healthz", ""),
        (
            "/v1/status",
            #"{"gateway":"g","version":"1","home":"home","zone":"UTC","started":"2026-02-02T02:40:00Z","#
                + #""now":"2026-02-02T02:40:00.005Z","devices":1,"series":2,"log_end":10,"log_durable":9,"readings":8,"#
                + #""rejected":1,"stages":[{"name":"mqtt","state":"waiting","detail":"a \"broker\""}]}"#
        ),
        (
            "/v1/devices",
            #"[{"device":"washer","id":"000000000000000100000000000000ab","role":"load","family":"tasmota","model":null,"#
                + #""parent":null,"bindings":["mqtt:tasmota:washer"],"available":null,"last_seen":null,"power_w":1.5,"#
                + #""messages":5,"rejected":1,"last_error":"it is no JSON"}]"#
        ),
        (
            "/v1/readings?latest=1",
            "[" + reading1
                + #",{"time":"2026-02-02T02:40:02Z","device":"washer","channel":"total","quantity":"power","value":3,"#
                + #""unit":"W","received":"2026-02-02T02:40:02.250Z","flags":"derived late"}]"#
        ),
        ("/v1/readings?latest=true&limit=1&device=washer&channel=total&quantity=power", "[" + reading1 + "]"),
        ("/v1/readings?latest&channel=l1", "[]"),
        ("/v1/buses/read?bus=tcp://meter:502&unit=1&function=4&address=52&count=2", #"{"words":[52,53]}"#),
        (
            "/v1/buses/read?bus=tcp://meter:502&unit=2&address=52",
            #"{"kind":"exception","error":"illegal data address"}"#
        ),
        (
            "/v1/usage?by=hour&since=2026-02-02T03:40:00%2B01:00&until=2026-02-03T00:00:00Z&device=home",
            #"[{"device":"home","channel":"total","from":"2026-02-02T03:40:00+01:00","to":"2026-02-02T06:40:00+02:00","#
                + #""import_wh":1234.567,"export_wh":null,"cost":"0.396913291","currency":"EUR","coverage":0.5,"#
                + #""estimated_wh":0,"quality":"partial","power_min_w":-1.5,"power_avg_w":230.001,"power_max_w":2000}]"#
        ),
    ]

    @Test func `each route answers exactly`() async throws {
        try await serve { socket in
            for (path, body) in Self.good {
                let answer = try await ask(socket, path)
                #expect(answer.status == 200, "\(path)")
                #expect(answer.text == body, "\(path)")
                if !body.isEmpty { #expect(answer.type == "application/json", "\(path)") }
            }
        }
    }

    @Test func `a mistake is answered with its status and a sentence`() async throws {
        let mistakes: [(path: String, status: Int, detail: String)] = [
            ("/v1/nothing", 404, "there is nothing at /v1/nothing"),
            (
                "/v1/readings?latest=1&devise=washer", 400,
                "devise is not a parameter of /v1/readings; it takes device, channel, quantity, since, until, limit, latest"
            ),
            ("/v1/usage?by=day&by=hour", 400, "by is given twice"),
            ("/v1/usage?by=decade", 400, "by=decade is not slot, hour, day, week, month, bill or year"),
            ("/v1/usage?device=wsher", 404, "no device is called wsher"),
            ("/v1/usage?since=2026-02-02T00:00:00Z&until=2026-02-02T00:00:00Z", 400, "since is not before until"),
            ("/v1/readings", 400, "since is missing: say from when, as in since=2026-03-01T00:00:00Z"),
            ("/v1/readings?latest=maybe", 400, "latest=maybe is neither true nor false"),
            ("/v1/readings?latest=1&since=2026-02-02T00:00:00Z", 400, "latest does not go with since and until"),
            ("/v1/readings?latest=1&limit=0", 400, "limit=0 is not a number from 1 to 1000000"),
            ("/v1/readings?latest=1&limit=1000001", 400, "limit=1000001 is not a number from 1 to 1000000"),
            (
                "/v1/readings?latest=1&limit=99999999999999999999", 400,
                "limit=99999999999999999999 is not a number from 1 to 1000000"
            ),
            ("/v1/readings?latest=1&channel=L1", 400, "channel=L1 is not a channel name"),
            ("/v1/readings?latest=1&device=wsher", 404, "no device is called wsher"),
            ("/v1/readings/follow?device=wsher", 404, "no device is called wsher"),
            ("/v1/readings?since=2026-02-02T00:00:00Z&quantity=gas", 500, "the disk is on fire"),
        ]
        try await serve { socket in
            for (path, status, detail) in mistakes {
                let answer = try await ask(socket, path)
                #expect(answer.status == status, "\(path)")
                #expect(answer.type == "application/problem+json", "\(path)")
                let problem = try JSONDocument(bytes: answer.body).root
                #expect(problem["detail"]?.string() == detail, "\(path)")
                #expect(problem["status"].map { String(decoding: $0.text, as: UTF8.self) } == String(status), "\(path)")
                #expect(problem["type"]?.string() == "about:blank", "\(path)")
            }
            let unknown = try await ask(socket, "/v1/readings?latest=1&quantity=powr")
            #expect(unknown.status == 400)
            #expect(unknown.text.contains("quantity=powr is not known; quantities are power, "))
            let time = try await ask(socket, "/v1/usage?since=yesterday")
            #expect(time.status == 400)
            #expect(time.text.contains("since=yesterday is not a time such as 2026-03-01T00:00:00Z"))
            let method = try await ask(socket, "/v1/status", method: "DELETE")
            #expect([404, 405].contains(method.status))
            #expect(method.type == "application/problem+json")
        }
    }

    @Test(arguments: [0, 1, 1023, 1024, 1025, 2048, 5000])
    func `readings come in pages and are one array`(count: Int) async throws {
        try await serve(FixedHome(readings: count)) { socket in
            let answer = try await ask(socket, "/v1/readings?since=2026-02-02T00:00:00Z&limit=5000")
            #expect(answer.status == 200)
            let values = try JSONDocument(bytes: answer.body).root.elements.map { $0["time"]?.string() }
            #expect(values.count == count)
            #expect(values.first.map { $0 == "2026-02-02T02:40:00Z" } ?? (count == 0))
            #expect(Set(values).count == count)
        }
    }

    @Test func `each followed reading is a line, and the stream ends`() async throws {
        try await serve { socket in
            let answer = try await ask(socket, "/v1/readings/follow")
            #expect(answer.type == "application/x-ndjson")
            let lines = answer.body.split(separator: 0x0A, omittingEmptySubsequences: false)
            #expect(lines.count == 4)
            #expect(lines.last?.isEmpty == true)
            let times = try lines.dropLast().map { try JSONDocument(bytes: Array($0)).root["time"]?.string() }
            #expect(times == ["2026-02-02T02:40:00Z", "2026-02-02T02:40:01Z", "2026-02-02T02:40:02Z"])
        }
    }
}
