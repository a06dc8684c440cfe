import API
import APITypes
import Foundation
import HTTPClient
import Logging
import Metering
import Testing
import Timekeeping

/// A past of 25,000 values at 10 s, and one bucket a step.
private struct FixedPast: HistoryView {
    static let count = 25_000
    static let start = Timestamp(seconds: 1_770_000_000)
    static let key = SeriesKey(device: DeviceID(high: 1, low: 0xAB), channel: .total, quantity: .power)

    func series(_ filter: SeriesFilter) async throws -> [HistorySeries] {
        if let device = filter.device, device != "washer" {
            throw Problem.notFound("no device is called \(device)")
        }
        return [HistorySeries(key: Self.key, device: "washer")]
    }

    func step(points: Int, from: Timestamp, to: Timestamp) -> Int64 { Span.hour }

    func rows(
        _ series: HistorySeries, from: Timestamp, to: Timestamp, step: Int64?, limit: Int, into page: inout HistoryRows
    ) async throws -> Timestamp? {
        let length = step ?? 10_000
        var time = max(from, Self.start - (step.map { Self.start.milliseconds % $0 } ?? 0))
        while time < min(to, Self.start + Int64(Self.count) * 10_000) {
            if page.count == limit { return time }
            let number = (time - Self.start) / 10_000
            if step == nil {
                page.add([time.milliseconds], [number * 1005 - 5])
            } else {
                page.bucket(time, min: -1500, average: 0, max: 7, last: 1000, count: 6)
            }
            time = time + length
        }
        return nil
    }
}

@Suite(.timeLimit(.minutes(1))) struct HistoryRouteTests {
    /// Asks a server of its own; status and body.
    private func ask(_ query: String, _ home: FixedHome = FixedHome(past: FixedPast())) async throws -> (Int, String) {
        let socket = NSTemporaryDirectory() + "/history-" + UUID().uuidString.prefix(8) + ".sock"
        defer { unlink(socket) }
        let (ready, signal) = AsyncStream<Void>.makeStream()
        let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
        let server = APIServer(home: home, socketPath: socket, logger: logger) { signal.yield() }
        let running = Task { try await server.run() }
        for await _ in ready { break }
        // On a thread of its own: curl blocks, and the server's handlers need the pool.
        let answer: HTTPAnswer = try await withCheckedThrowingContinuation { continuation in
            Thread.detachNewThread {
                continuation.resume(
                    with: Result {
                        try HTTPClient().send(
                            HTTPRequest("GET", url: "http://energyd/v1/history" + query, unixSocket: socket))
                    })
            }
        }
        running.cancel()
        _ = await running.result
        return (answer.status, String(decoding: answer.body, as: UTF8.self))
    }

    private static let head =
        #"[{"device":"washer","channel":"total","quantity":"power","unit":"W","step":"#

    @Test func `values come as rows of time and value, page after page`() async throws {
        let (status, body) = try await ask("?device=washer&since=2026-02-02T02:40:00Z")
        #expect(status == 200)
        #expect(
            body.hasPrefix(
                Self.head + #"null,"columns":["time","value"],"rows":[[1770000000000,-0.005],[1770000010000,1],"#
                    + "[1770000020000,2.005],"))
        #expect(body.hasSuffix(#",[1770249990000,25123.99]],"more":false}]"#))
        #expect(body.split(separator: "[17").count == FixedPast.count + 1)
        #expect(!body.contains(",,") && !body.contains("[,"))
    }

    @Test func `a limit cuts each series and says that there is more`() async throws {
        let (_, body) = try await ask("?since=2026-02-02T02:40:00Z&limit=2")
        #expect(body.hasSuffix(#""rows":[[1770000000000,-0.005],[1770000010000,1]],"more":true}]"#))
        #expect(try await ask("?since=2027-02-02T02:40:00Z").1.hasSuffix(#""rows":[],"more":false}]"#))
    }

    @Test func `steps lie on multiples of their length`() async throws {
        let (_, body) = try await ask("?since=2026-02-02T02:40:00Z&until=2026-02-02T04:00:00Z&step=1h")
        #expect(
            body == Self.head
                + #"3600000,"columns":["time","min","average","max","last","count"],"rows":"#
                + "[[1769997600000,-1.5,0,0.007,1,6],[1770001200000,-1.5,0,0.007,1,6]],\"more\":false}]")
        let byPoints = try await ask("?since=2026-02-02T02:40:00Z&until=2026-02-02T04:00:00Z&points=50")
        #expect(byPoints.1 == body)
    }

    @Test(arguments: [
        ("", 400, "since is missing"), ("?since=2026-02-02T02:40:00Z&step=0s", 400, "from 1ms to 366d"),
        ("?since=2026-02-02T02:40:00Z&step=soon", 400, "is not a duration"),
        ("?since=2026-02-02T02:40:00Z&points=9", 400, "points needs until"),
        (
            "?since=2026-02-02T02:40:00Z&until=2026-02-03T00:00:00Z&points=9&step=1h", 400,
            "step does not go with points"
        ),
        ("?since=2026-02-02T02:40:00Z&device=nobody", 404, "nobody"),
        ("?since=2026-02-02T02:40:00Z&resolution=1h", 400, "resolution is not a parameter"),
    ])
    func `what cannot be meant is refused with the reason`(query: String, status: Int, text: String) async throws {
        let answer = try await ask(query)
        #expect(answer.0 == status && answer.1.contains(text), "\(answer)")
    }

    @Test func `a home without history says so`() async throws {
        #expect(try await ask("?since=2026-02-02T02:40:00Z", FixedHome()).0 == 404)
    }

    @Test func `a row has the digits that a reading has`() {
        var values: [Int64] = [0, 1, -1, 10, 999, 1000, -1001, 1_234_500, .min, .max]
        values += (0..<19).map { Int64(bitPattern: 1 << UInt64($0 * 3)) }
        for value in values {
            var rows = HistoryRows()
            rows.add([5, value], [value, 7])
            #expect(
                String(decoding: rows.bytes, as: UTF8.self) == "[5,\(Thousandths.text(value))],[\(value),0.007]")
        }
    }

    @Test func `a time has all its digits, next to one of the same day and of another`() {
        var times: [Int64] = [0, 7, 99_999_999, 100_000_000, 100_000_001, 9_999_999_999_999_999, .max, .min, -5]
        times += [1_790_000_000_000, 1_790_000_009_999, 1_790_099_999_999, 1_790_100_000_000, 1_790_100_000_001]
        times += (0..<19).map { Int64(bitPattern: 1 << UInt64($0 * 3)) }
        for time in times {
            for other in times {
                var rows = HistoryRows()
                rows.add([time, other, time], [1, 2000, 1_230])
                #expect(
                    String(decoding: rows.bytes, as: UTF8.self) == "[\(time),0.001],[\(other),2],[\(time),1.23]")
            }
        }
    }

    @Test func `rows that are removed leave room and nothing else`() {
        var rows = HistoryRows()
        rows.add([1, 2], [3000, 4000])
        rows.removeAll()
        #expect(rows.bytes.isEmpty && rows.count == 0 && rows.bytes.capacity > 0)
        rows.add([5], [6000])
        #expect(String(decoding: rows.bytes, as: UTF8.self) == "[5,6]")
    }

    @Test func `a page of rows is the same in one piece and in many`() {
        let times = (0..<1000).map { Int64($0) * 10_000 + 1_714_953_600_000 }
        let values = times.map { $0 % 7919 * 1000 / 7 }
        var (whole, pieces) = (HistoryRows(), HistoryRows())
        whole.add(times, values)
        for i in times.indices { pieces.add([times[i]], [values[i]]) }
        #expect(whole.bytes == pieces.bytes && whole.count == 1000 && pieces.count == 1000)
        let text = zip(times, values).map { "[\($0),\(Thousandths.text($1))]" }.joined(separator: ",")
        #expect(String(decoding: whole.bytes, as: UTF8.self) == text)
    }
}

extension HistoryRows {
    fileprivate mutating func add(_ times: [Int64], _ values: [Int64]) {
        times.withUnsafeBufferPointer { times in values.withUnsafeBufferPointer { points(times, $0) } }
    }
}
