import Glibc
import HTTPClient
import Testing

@Suite struct HTTPClientTests {
    static func answer(_ status: String, _ body: String, _ headers: String = "") -> String {
        "HTTP/1.1 \(status)\r\nContent-Length: \(body.utf8.count)\r\n\(headers)\r\n\(body)"
    }

    @Test func `a request goes out whole and the answer comes back whole`() throws {
        let server = HTTPServer { request in [Self.answer("201 Created", request, "X-A:  b c \r\nx-a: d\r\n")] }
        defer { server.stop() }
        let request = HTTPRequest(
            "PUT", url: "http://127.0.0.1:\(server.port)/a?b=c", headers: [("X-One", "1"), ("X-Empty", "")],
            body: Array("the body".utf8))
        let answer = try HTTPClient().send(request)
        #expect(answer.status == 201)
        #expect(answer.header("X-a") == "b c")
        #expect(answer.headers.map(\.name) == ["Content-Length", "X-A", "x-a"])
        let echo = String(decoding: answer.body, as: UTF8.self)
        #expect(echo.hasPrefix("PUT /a?b=c HTTP/1.1\r\n"))
        #expect(echo.contains("\r\nX-One: 1\r\n") && echo.contains("\r\nX-Empty:\r\n"))
        #expect(echo.contains("\r\nContent-Length: 8\r\n") && echo.hasSuffix("\r\n\r\nthe body"))
        #expect(!echo.contains("Expect"))
    }

    @Test func `a Unix socket answers, request after request`() throws {
        let directory = try TemporaryDirectory()
        let socket = directory.path + "/s"
        let server = HTTPServer(unixSocket: socket) { _ in [Self.answer("404 Not Found", "no")] }
        defer { server.stop() }
        let client = HTTPClient()
        for _ in 0..<3 {
            let answer = try client.send(HTTPRequest(url: "http://energyd/x", unixSocket: socket))
            #expect(answer.status == 404 && answer.body == Array("no".utf8))
        }
    }

    @Test func `a missing, a deaf and a forbidden socket are told apart`() throws {
        let directory = try TemporaryDirectory()
        func error(_ socket: String) -> HTTPClientError? {
            do {
                _ = try HTTPClient().send(HTTPRequest(url: "http://energyd/", unixSocket: socket))
                return nil
            } catch { return error }
        }
        func code(_ socket: String) -> Int32? {
            if case .cannotConnect(_, let code, _) = error(socket) { code } else { nil }
        }
        #expect(code(directory.path + "/missing") == ENOENT)
        #expect(error("/nowhere/x")?.description == "Cannot connect to /nowhere/x: No such file or directory.")
        let deaf = directory.path + "/deaf"
        HTTPServer(unixSocket: deaf) { _ in [] }.stop()
        #expect(code(deaf) == ECONNREFUSED)
        #expect(code(String(repeating: "x", count: 200)) == ENAMETOOLONG)
        if geteuid() != 0 {
            chmod(deaf, 0)
            #expect(code(deaf) == EACCES)
        }
    }

    @Test func `a silent server is timed out`() throws {
        let server = HTTPServer { _ in [] }
        defer { server.stop() }
        let url = "http://127.0.0.1:\(server.port)/"
        #expect(throws: HTTPClientError.timedOut(target: url, milliseconds: 50)) {
            try HTTPClient().send(HTTPRequest(url: url, timeout: 50))
        }
    }

    @Test func `an answer beyond the limit is refused, at the limit it is taken`() throws {
        let server = HTTPServer { _ in [Self.answer("200 OK", String(repeating: "x", count: 1000))] }
        defer { server.stop() }
        let url = "http://127.0.0.1:\(server.port)/"
        #expect(throws: HTTPClientError.tooLarge(target: url, maximumBytes: 999)) {
            try HTTPClient().send(HTTPRequest(url: url, maximumBodyBytes: 999))
        }
        #expect(try HTTPClient().send(HTTPRequest(url: url, maximumBodyBytes: 1000)).body.count == 1000)
    }

    @Test func `an answer that breaks off is an error`() throws {
        let server = HTTPServer { _ in ["HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf"] }
        defer { server.stop() }
        let error = #expect(throws: HTTPClientError.self) {
            try HTTPClient().send(HTTPRequest(url: "http://127.0.0.1:\(server.port)/"))
        }
        guard case .failed = error else { return #expect(Bool(false), "\(String(describing: error))") }
    }

    @Test func `a stream comes in pieces and can be stopped`() throws {
        let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
        let server = HTTPServer { _ in [head, "2\r\na\n\r\n", "2\r\nb\n\r\n", "2\r\nc\n\r\n", "0\r\n\r\n"] }
        defer { server.stop() }
        let request = HTTPRequest(url: "http://127.0.0.1:\(server.port)/", maximumBodyBytes: 1)
        var all: [UInt8] = []
        let whole = try HTTPClient().stream(request) {
            all += $0; return true
        }
        #expect(whole.status == 200 && whole.body.isEmpty && all == Array("a\nb\nc\n".utf8))
        var calls = 0
        let stopped = try HTTPClient().stream(request) { _ in
            calls += 1; return false
        }
        #expect(stopped.status == 200 && calls == 1)
    }

    @Test func `a refused stream explains itself in the answer`() throws {
        let server = HTTPServer { _ in [Self.answer("400 Bad Request", "why")] }
        defer { server.stop() }
        let answer = try HTTPClient().stream(HTTPRequest(url: "http://127.0.0.1:\(server.port)/")) { _ in
            Issue.record("an explanation is no stream")
            return true
        }
        #expect(answer.status == 400 && answer.body == Array("why".utf8))
    }

    @Test(arguments: [
        HTTPRequest("GET /\r\nX:", url: "http://localhost/"), HTTPRequest(url: "file:///etc/passwd"),
        HTTPRequest(url: "http://localhost/", headers: [("A", "b\r\nC: d")]), HTTPRequest(url: "no url at all"),
        HTTPRequest(url: "http://localhost/", timeout: 0),
    ])
    func `what cannot be sent is refused before it is`(request: HTTPRequest) {
        let error = #expect(throws: HTTPClientError.self) { try HTTPClient().send(request) }
        guard case .invalidRequest = error else { return #expect(Bool(false), "\(String(describing: error))") }
    }
}
