import Glibc
import HTTPClient

/// A day of one series from a running daemon, over its socket and one connection that is kept: how long from the
/// question to the last byte of JSON.
enum QueryBench {
    /// Every ten seconds of 24 hours.
    static let points = 8_640
    private static let count = 200

    /// The daemon must have `points` values of the device's power from `since` on. Prints the median.
    static func run(socket: String, device: String, since: String) throws {
        let client = HTTPClient()
        let request = HTTPRequest(
            url: "http://localhost/v1/history?device=\(device)&quantity=power&since=\(since)&limit=\(points)",
            unixSocket: socket)
        var times: [Double] = []
        // The first answer takes the memory that all others use.
        var body: [UInt8] = []
        for i in 0..<count + 5 {
            let watch = Stopwatch()
            body.removeAll(keepingCapacity: true)
            let answer = try client.stream(request) { piece in
                body += piece
                return true
            }
            let seconds = watch.wall
            guard answer.status == 200 else {
                throw Failure("\(socket): \(String(decoding: answer.body, as: UTF8.self))")
            }
            if i == 0 { try check(body) }
            // The first ones open the connection, and the files.
            if i >= 5 { times.append(seconds) }
        }
        report("api.query_24h_raw_ms", times.sorted()[times.count / 2] * 1000, "ms")
    }

    /// Each row is an array in the array of rows.
    private static func check(_ body: [UInt8]) throws {
        let rows = body.reduce(0) { $0 + ($1 == UInt8(ascii: "[") ? 1 : 0) } - 3
        guard rows == points else { throw Failure("the daemon has \(rows) of \(points) values") }
    }

    struct Failure: Error, CustomStringConvertible {
        let description: String

        init(_ description: String) {
            self.description = description
        }
    }
}
