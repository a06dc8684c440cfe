import API
import APITypes
import Foundation
import HTTPClient
import JSONScanner
import Logging
import Metering
import Testing
import Timekeeping

/// Says back what it was asked for.
struct FixedData: DataView {
    func anomalies(since: Timestamp, until: Timestamp, device: String?, limit: Int) async throws -> [DecisionAnswer] {
        guard device == nil else { throw Problem.notFound("no device is called \(device ?? "")") }
        return []
    }

    func explain(_ series: String, at time: Timestamp) async throws -> ExplanationAnswer {
        ExplanationAnswer(series: series, time: time, readings: [], decisions: [], commands: [], slots: [])
    }

    func correct(_ request: CorrectionRequest, preview: Bool) async throws -> EffectAnswer {
        let change = EffectAnswer.Change(
            slot: Slot(index: 4), device: request.members["series"] ?? request.members["device"] ?? "-",
            channel: .total, flow: "\(request.kind)", before: nil, after: 1_234_567, quality: .estimated)
        return EffectAnswer(id: preview ? nil : "7f", slots: [change])
    }

    func audit(limit: Int) async throws -> [CommandAnswer] {
        [
            CommandAnswer(
                id: "7f", verb: "correct", actor: "me", time: FixedHome.start, active: false,
                arguments: [("series", "a/total/power"), ("from", "x"), ("to", "y"), ("value", "5")])
        ]
    }
}

extension FixedHome {
    var data: (any DataView)? { FixedData() }
}

@Suite(.timeLimit(.minutes(1))) struct DataRouteTests {
    private func ask(_ path: String, post body: [UInt8]? = nil) async throws -> (status: Int, text: String) {
        let socket = NSTemporaryDirectory() + "/api-" + UUID().uuidString.prefix(8) + ".sock"
        defer { unlink(socket) }
        let (ready, signal) = AsyncStream<Void>.makeStream()
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let server = APIServer(home: FixedHome(), socketPath: socket, logger: logger) { signal.yield() }
        let running = Task { try await server.run() }
        for await _ in ready { break }
        let answer: HTTPAnswer = try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread {
                do {
                    let request = HTTPRequest(
                        body == nil ? "GET" : "POST", url: "http://energyd" + path, unixSocket: socket, body: body)
                    continuation.resume(returning: try HTTPClient().send(request))
                } catch {
                    continuation.resume(throwing: error)
                }
            }
        }
        running.cancel()
        _ = await running.result
        return (answer.status, String(decoding: answer.body, as: UTF8.self))
    }

    @Test func `a command goes in by POST and its effect comes back`() async throws {
        let body = Array(#"{"series":"washer","from":"a","to":"b","value":5,"reason":"why"}"#.utf8)
        let given = try await ask("/v1/data/corrections", post: body)
        #expect(given.status == 200)
        #expect(
            given.text == #"{"id":"7f","preview":false,"before_wh":0,"after_wh":1234.567,"cost_before":null,"#
                + #""cost_after":null,"currency":null,"slots":[{"from":"1970-01-01T01:00:00Z","device":"washer","#
                + #""channel":"total","flow":"correct","before_wh":null,"after_wh":1234.567,"#
                + #""quality":"estimated"}],"bills":[]}"#)
        let preview = try await ask("/v1/devices/replace?preview=true", post: Array(#"{"device":"meter"}"#.utf8))
        #expect(preview.text.hasPrefix(#"{"id":null,"preview":true"#))
        #expect(preview.text.contains(#""flow":"replace""#))
        #expect(try await ask("/v1/data/undo", post: Array(#"{"id":"7f"}"#.utf8)).text.contains(#""flow":"undo""#))
    }

    @Test(arguments: [
        ("nonsense", 400, "not JSON"), ("[]", 400, "not a JSON object"), (#"{"serie":"a"}"#, 400, "no member"),
        (#"{"series":"a","series":"b"}"#, 400, "given twice"), (#"{"series":{}}"#, 400, "neither a text nor"),
        (#"{"series":""# + String(repeating: "a", count: 2000) + #""}"#, 400, "longer than"),
        (#"{"series":""# + String(repeating: "a", count: 20_000) + #""}"#, 413, "failed"),
    ])
    func `a body that cannot be meant so is refused`(body: String, status: Int, words: String) async throws {
        let answer = try await ask("/v1/data/corrections", post: Array(body.utf8))
        #expect(answer.status == status)
        #expect(answer.text.contains(words), "\(answer.text)")
    }

    @Test(arguments: [
        ("/v1/data/anomalies", 200, "[]"), ("/v1/data/anomalies?device=x", 404, "no device"),
        ("/v1/data/anomalies?limit=0", 400, "limit"), ("/v1/data/anomalies?form=a", 400, "form"),
        ("/v1/data/explain?series=a", 400, "time is missing"), ("/v1/data/explain?time=x", 400, "series is missing"),
        ("/v1/data/explain?series=a&time=2026-03-01T00:00:00Z", 200, #""readings":[]"#),
        ("/v1/data/audit", 200, #""action":"5 Wh","active":false"#),
    ])
    func `questions are answered, or refused with a reason`(path: String, status: Int, words: String) async throws {
        let answer = try await ask(path)
        #expect(answer.status == status)
        #expect(answer.text.contains(words), "\(answer.text)")
    }
}
