import Glibc

/// A real server for one test: it takes connections one after another on a free port or a Unix socket, reads a request
/// until it is whole, and sends what `answer` makes of it; then it closes. It ends with the test.
final class HTTPServer: @unchecked Sendable {  // immutable but for the thread that runs it
    let port: UInt16
    private let listener: Int32
    private let answer: @Sendable (String) -> [String]
    private var thread = pthread_t()

    /// `answer` gives the pieces of the answer; an empty list keeps the connection open and silent.
    init(unixSocket: String? = nil, answer: @escaping @Sendable (String) -> [String]) {
        self.answer = answer
        let family = unixSocket == nil ? AF_INET : AF_UNIX
        let listener = socket(family, Int32(SOCK_STREAM.rawValue), 0)
        self.listener = listener
        if let unixSocket {
            var address = sockaddr_un()
            address.sun_family = sa_family_t(AF_UNIX)
            withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: unixSocket.utf8) }
            HTTPServer.bound(listener, &address)
            port = 0
        } else {
            var address = sockaddr_in()
            address.sin_family = sa_family_t(AF_INET)
            address.sin_addr.s_addr = in_addr_t(INADDR_LOOPBACK).bigEndian
            HTTPServer.bound(listener, &address)
            var size = socklen_t(MemoryLayout<sockaddr_in>.size)
            let code = withUnsafeMutablePointer(to: &address) {
                $0.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(listener, $0, &size) }
            }
            precondition(code == 0)
            port = UInt16(bigEndian: address.sin_port)
        }
        precondition(listen(listener, 8) == 0)
        let context = Unmanaged.passRetained(self).toOpaque()
        pthread_create(&thread, nil, serveHTTP, context)
    }

    /// Ends the server and waits for it.
    func stop() {
        shutdown(listener, Int32(SHUT_RDWR))
        pthread_join(thread, nil)
        close(listener)
    }

    fileprivate func serve() {
        var silent: [Int32] = []
        while true {
            let connection = accept(listener, nil, nil)
            guard connection >= 0 else { break }
            let pieces = answer(HTTPServer.request(connection))
            for piece in pieces {
                _ = piece.withCString { send(connection, $0, strlen($0), Int32(MSG_NOSIGNAL)) }
            }
            if pieces.isEmpty { silent.append(connection) } else { close(connection) }
        }
        silent.forEach { close($0) }
    }

    private static func request(_ connection: Int32) -> String {
        var bytes: [UInt8] = []
        var block = [UInt8](repeating: 0, count: 4096)
        while true {
            let text = String(decoding: bytes, as: UTF8.self)
            if let head = text.split(separator: "\r\n\r\n", maxSplits: 1, omittingEmptySubsequences: false).first,
                head.count < text.count
            {
                let line = head.split(separator: "\r\n").first { $0.lowercased().hasPrefix("content-length:") }
                let wanted = line.flatMap { Int($0.split(separator: " ").last ?? "") } ?? 0
                if bytes.count >= head.utf8.count + 4 + wanted { return text }
            }
            let count = recv(connection, &block, block.count, 0)
            guard count > 0 else { return text }
            bytes += block[..<count]
        }
    }

    private static func bound<Address>(_ listener: Int32, _ address: inout Address) {
        let code = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, socklen_t(MemoryLayout<Address>.size))
            }
        }
        precondition(code == 0, "cannot bind: \(errno)")
    }
}

private func serveHTTP(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    Unmanaged<HTTPServer>.fromOpaque(context!).takeRetainedValue().serve()
    return nil
}
