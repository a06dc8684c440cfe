import APITypes
import ArgumentParser
import Glibc
import HTTPClient
import JSONScanner
import JSONText
import Timekeeping

/// Where energyd listens.
struct ConnectionOptions: ParsableArguments {
    @Option(help: ArgumentHelp("Path of energyd's socket, else $ENERGYD_SOCKET.", valueName: "path"))
    var socket: String = getenv("ENERGYD_SOCKET").map { String(cString: $0) } ?? "/run/energyd/energyd.sock"

    @Option(help: ArgumentHelp("Give up after this time.", valueName: "duration"))
    var timeout = "30s"
}

/// Asks energyd over its socket and turns what goes wrong into a sentence and a status.
struct DaemonClient {
    let socket: String
    let timeout: Int

    /// The largest answer that is read.
    static let maximumAnswer = 512 << 20
    /// The longest line of a stream.
    private static let maximumLine = 1 << 20

    init(_ options: ConnectionOptions) throws {
        socket = options.socket
        guard let timeout = try? DurationText.parse(options.timeout), (1...Span.day).contains(timeout) else {
            throw Failure(.usage, "--timeout \(options.timeout) is not a duration such as 30s or 2m, up to a day")
        }
        self.timeout = Int(timeout)
    }

    /// The body of a good answer; any other is a `Failure` with energyd's own words.
    func get(_ path: String, _ parameters: [(String, String?)] = []) throws -> [UInt8] {
        try send(request(path, parameters))
    }

    /// As `get`, with a body.
    func post(_ path: String, _ parameters: [(String, String?)] = [], body: [UInt8]) throws -> [UInt8] {
        var request = request(path, parameters)
        request.method = "POST"
        request.body = body
        return try send(request)
    }

    private func send(_ request: HTTPRequest) throws -> [UInt8] {
        do {
            let answer = try HTTPClient().send(request)
            guard answer.status == 200 else { throw problem(answer.status, answer.body) }
            return answer.body
        } catch let error as HTTPClientError {
            throw failure(error)
        }
    }

    /// Sends a JSON object of texts; nil values are left out. The body of a good answer; any other is a `Failure`.
    func post(_ path: String, _ parameters: [(String, String?)], body: [(StaticString, String?)]) throws -> [UInt8] {
        var json = JSONWriter()
        json.object { json in
            for (name, value) in body where value != nil { json.field(name, text: value) }
        }
        var request = request(path, parameters)
        request.method = "POST"
        request.headers = [("Content-Type", "application/json")]
        request.body = json.bytes
        do {
            let answer = try HTTPClient().send(request)
            guard answer.status == 200 else { throw problem(answer.status, answer.body) }
            return answer.body
        } catch let error as HTTPClientError {
            throw failure(error)
        }
    }

    /// Calls `line` for each line of a stream, until the stream ends.
    func follow(_ path: String, _ parameters: [(String, String?)], _ line: (ArraySlice<UInt8>) throws -> Void) throws {
        var pending: [UInt8] = []
        var failed: (any Error)?
        do {
            let answer = try HTTPClient().stream(request(path, parameters)) { chunk in
                pending.append(contentsOf: chunk)
                do {
                    while let end = pending.firstIndex(of: 0x0A) {
                        try line(pending[..<end])
                        pending.removeSubrange(...end)
                    }
                    guard pending.count <= DaemonClient.maximumLine else {
                        throw Failure(.failed, "energyd sent a line of more than \(DaemonClient.maximumLine) bytes")
                    }
                    return true
                } catch {
                    failed = error
                    return false
                }
            }
            if let failed { throw failed }
            guard answer.status == 200 else { throw problem(answer.status, answer.body) }
        } catch let error as HTTPClientError {
            throw failure(error)
        }
    }

    func request(
        _ path: String, _ parameters: [(String, String?)], method: String = "GET", body: [UInt8]? = nil
    ) -> HTTPRequest {
        HTTPRequest(
            method, url: "http://energyd" + DaemonClient.query(path, parameters), unixSocket: socket, body: body,
            timeout: timeout, maximumBodyBytes: DaemonClient.maximumAnswer)
    }

    private static func query(_ path: String, _ parameters: [(String, String?)]) -> String {
        let given = parameters.compactMap { name, value in value.map { "\(name)=\(escape($0))" } }
        return given.isEmpty ? path : path + "?" + given.joined(separator: "&")
    }

    /// Percent-encodes all but the unreserved characters of RFC 3986.
    private static func escape(_ text: String) -> String {
        var result = ""
        for byte in text.utf8 {
            let character = Character(UnicodeScalar(byte))
            if byte < 0x80, character.isLetter || character.isNumber || "-._~".contains(character) {
                result.append(character)
            } else {
                result += "%" + (byte < 16 ? "0" : "") + String(byte, radix: 16, uppercase: true)
            }
        }
        return result
    }

    func problem(_ status: Int, _ body: [UInt8]) -> Failure {
        let detail = (try? JSONDocument(bytes: body))?.root["detail"]?.string()
        let text = detail ?? "energyd answered with status \(status)"
        switch status {
        case 400: return Failure(.usage, text)
        case 404: return Failure(.notFound, text)
        case 408, 504: return Failure(.timeout, text)
        default: return Failure(.failed, text)
        }
    }

    func failure(_ error: HTTPClientError) -> Failure {
        switch error {
        case .cannotConnect(_, let code, _) where code == EACCES || code == EPERM:
            return Failure(
                .permission,
                "no permission to use \(socket): join the group energyd (usermod -aG energyd $USER), or use sudo")
        case .cannotConnect:
            return Failure(
                .unreachable,
                "energyd does not answer at \(socket): is it running (systemctl status energyd)? "
                    + "--socket names another place"
            )
        case .timedOut:
            return Failure(.timeout, "energyd did not answer within \(DurationText.format(Int64(timeout)))")
        default:
            return Failure(.failed, "asking energyd failed: \(error)")
        }
    }
}
