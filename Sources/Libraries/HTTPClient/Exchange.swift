import CCurl

/// What has arrived of one answer. libcurl's callbacks fill it, on the thread that performs the request.
final class Exchange {
    enum Outcome {
        case running, stopped, tooLarge
    }

    private static let maximumHeaderBytes = 64 << 10

    var handle: UnsafeMutableRawPointer?
    private(set) var headers: [(name: String, value: String)] = []
    private(set) var body: [UInt8] = []
    private(set) var outcome = Outcome.running
    private var headerBytes = 0
    private let maximumBodyBytes: Int
    private let chunk: ((UnsafeRawBufferPointer) -> Bool)?

    init(maximumBodyBytes: Int, chunk: ((UnsafeRawBufferPointer) -> Bool)?) {
        self.maximumBodyBytes = maximumBodyBytes
        self.chunk = chunk
    }

    var isStream: Bool { chunk != nil }

    var status: Int {
        var status = 0
        ccurl_get_long(handle, CURLINFO_RESPONSE_CODE, &status)
        return status
    }

    /// False ends the exchange.
    fileprivate func takeHeader(_ line: UnsafeRawBufferPointer) -> Bool {
        headerBytes += line.count
        guard headerBytes <= Exchange.maximumHeaderBytes else {
            outcome = .tooLarge
            return false
        }
        // A status line begins a new head: what an interim answer said does not count.
        guard !line.starts(with: "HTTP/".utf8) else {
            headers.removeAll()
            return true
        }
        guard let colon = line.firstIndex(of: UInt8(ascii: ":")) else { return true }
        let name = String(decoding: line[..<colon], as: UTF8.self)
        let value = line[(colon + 1)...].split { $0 <= 0x20 }.joined(separator: [0x20])
        headers.append((name, String(decoding: Array(value), as: UTF8.self)))
        return true
    }

    fileprivate func takeBody(_ bytes: UnsafeRawBufferPointer) -> Bool {
        if let chunk, (200..<300).contains(status) {
            guard chunk(bytes) else {
                outcome = .stopped
                return false
            }
            return true
        }
        guard bytes.count <= maximumBodyBytes - body.count else {
            outcome = .tooLarge
            return false
        }
        body.append(contentsOf: bytes)
        return true
    }
}

/// C callbacks: free functions, so that they belong to no actor. Returning another count than was given ends the
/// exchange with a write error.
func takeHeader(
    _ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?
) -> Int {
    take(bytes, size * count, context) { $0.takeHeader($1) }
}

func takeBody(
    _ bytes: UnsafeMutablePointer<CChar>?, _ size: Int, _ count: Int, _ context: UnsafeMutableRawPointer?
) -> Int {
    take(bytes, size * count, context) { $0.takeBody($1) }
}

private func take(
    _ bytes: UnsafeMutablePointer<CChar>?, _ count: Int, _ context: UnsafeMutableRawPointer?,
    _ body: (Exchange, UnsafeRawBufferPointer) -> Bool
) -> Int {
    guard let context, count > 0 else { return 0 }
    let exchange = Unmanaged<Exchange>.fromOpaque(context).takeUnretainedValue()
    // -1 is never the count that was given, so it always ends the exchange.
    return body(exchange, UnsafeRawBufferPointer(start: bytes, count: count)) ? count : -1
}
