import CCurl
import Glibc

/// HTTP requests over TCP or a Unix socket, one after another. Blocking, one thread at a time; never on the
/// cooperative pool. Redirections are not followed. The connection is kept for the next request where it can be.
public final class HTTPClient {
    private let handle: UnsafeMutableRawPointer

    /// Traps when there is no memory for a handle.
    public init() {
        precondition(globallyReady, "libcurl cannot be used")
        guard let handle = curl_easy_init() else { preconditionFailure("no memory for an HTTP client") }
        self.handle = handle
    }

    deinit { curl_easy_cleanup(handle) }

    /// The whole answer, in memory.
    public func send(_ request: HTTPRequest) throws(HTTPClientError) -> HTTPAnswer {
        try perform(request, Exchange(maximumBodyBytes: request.maximumBodyBytes, chunk: nil))
    }

    /// Gives the body of a 2xx answer to `chunk` piece by piece as it comes, without limit of length or time, until the
    /// server ends it or `chunk` returns false. The bytes are valid only inside the call. The body of any other answer,
    /// which explains it, is in the result.
    public func stream(
        _ request: HTTPRequest, _ chunk: (UnsafeRawBufferPointer) -> Bool
    ) throws(HTTPClientError) -> HTTPAnswer {
        let result = withoutActuallyEscaping(chunk) { chunk in
            Result { () throws(HTTPClientError) in
                try perform(request, Exchange(maximumBodyBytes: request.maximumBodyBytes, chunk: chunk))
            }
        }
        return try result.get()
    }

    private func perform(_ request: HTTPRequest, _ exchange: Exchange) throws(HTTPClientError) -> HTTPAnswer {
        try check(request)
        curl_easy_reset(handle)
        let list = try headerList(request)
        defer { curl_slist_free_all(list) }
        setUp(request, isStream: exchange.isStream)
        ccurl_set_list(handle, CURLOPT_HTTPHEADER, list)
        exchange.handle = handle
        let context = Unmanaged.passUnretained(exchange).toOpaque()
        ccurl_set_data_function(handle, CURLOPT_HEADERFUNCTION, takeHeader)
        ccurl_set_pointer(handle, CURLOPT_HEADERDATA, context)
        ccurl_set_data_function(handle, CURLOPT_WRITEFUNCTION, takeBody)
        ccurl_set_pointer(handle, CURLOPT_WRITEDATA, context)
        var body = request.body ?? []
        // curl reads the body from where it lies until the exchange has ended.
        let code = body.withUnsafeMutableBytes { bytes in
            if request.body != nil {
                ccurl_set_offset(handle, CURLOPT_POSTFIELDSIZE_LARGE, curl_off_t(bytes.count))
                ccurl_set_const_pointer(handle, CURLOPT_POSTFIELDS, bytes.baseAddress)
            }
            if request.body?.isEmpty == true { ccurl_set_string(handle, CURLOPT_COPYPOSTFIELDS, "") }
            ccurl_set_string(handle, CURLOPT_CUSTOMREQUEST, request.method)
            return withExtendedLifetime(exchange) { curl_easy_perform(handle) }
        }
        guard code == CURLE_OK || exchange.outcome == .stopped else {
            throw error(code, request, exchange.outcome)
        }
        return HTTPAnswer(status: exchange.status, headers: exchange.headers, body: exchange.body)
    }

    private func setUp(_ request: HTTPRequest, isStream: Bool) {
        ccurl_set_string(handle, CURLOPT_URL, request.url)
        ccurl_set_string(handle, CURLOPT_PROTOCOLS_STR, "http,https")
        ccurl_set_long(handle, CURLOPT_NOSIGNAL, 1)
        if request.method == "HEAD" { ccurl_set_long(handle, CURLOPT_NOBODY, 1) }
        if let socket = request.unixSocket {
            ccurl_set_string(handle, CURLOPT_UNIX_SOCKET_PATH, socket)
            ccurl_set_string(handle, CURLOPT_PROXY, "")
            // Who is on the same machine sends faster than 16 KB at a time can be taken.
            ccurl_set_long(handle, CURLOPT_BUFFERSIZE, 64 << 10)
        }
        let limit = isStream ? CURLOPT_CONNECTTIMEOUT_MS : CURLOPT_TIMEOUT_MS
        ccurl_set_long(handle, limit, request.timeout)
    }

    private func check(_ request: HTTPRequest) throws(HTTPClientError) {
        guard !request.method.isEmpty, request.method.utf8.allSatisfy({ (0x41...0x5A).contains($0) }) else {
            throw .invalidRequest(reason: "the method is \"\(request.method)\"")
        }
        guard request.timeout > 0 else { throw .invalidRequest(reason: "the timeout is \(request.timeout) ms") }
        for (name, value) in request.headers {
            let text = (name + value).utf8
            guard !name.isEmpty, !name.contains(":"), !text.contains(where: { $0 < 0x20 && $0 != 0x09 }) else {
                throw .invalidRequest(reason: "the header \"\(name)\" is malformed")
            }
        }
        // The address of a Unix socket has room for 107 bytes.
        if let socket = request.unixSocket, socket.utf8.count > 107 {
            throw .cannotConnect(target: socket, errno: ENAMETOOLONG, reason: "the path is too long")
        }
    }

    private func headerList(
        _ request: HTTPRequest
    ) throws(HTTPClientError) -> UnsafeMutablePointer<curl_slist>? {
        // Without an "Expect" header the body is sent at once: there is no reason to wait for leave.
        var list = curl_slist_append(nil, "Expect:")
        for (name, value) in request.headers {
            // A header without a value is written with a semicolon, a colon would remove it.
            guard let longer = curl_slist_append(list, value.isEmpty ? "\(name);" : "\(name): \(value)") else {
                curl_slist_free_all(list)
                throw .failed(target: request.target, code: Int32(ENOMEM), reason: "out of memory")
            }
            list = longer
        }
        return list
    }

    private func error(_ code: CURLcode, _ request: HTTPRequest, _ outcome: Exchange.Outcome) -> HTTPClientError {
        let reason = String(cString: curl_easy_strerror(code))
        if outcome == .tooLarge { return .tooLarge(target: request.target, maximumBytes: request.maximumBodyBytes) }
        switch code {
        case CURLE_COULDNT_CONNECT, CURLE_COULDNT_RESOLVE_HOST, CURLE_COULDNT_RESOLVE_PROXY:
            var code = 0
            ccurl_get_long(handle, CURLINFO_OS_ERRNO, &code)
            return .cannotConnect(target: request.target, errno: Int32(truncatingIfNeeded: code), reason: reason)
        case CURLE_OPERATION_TIMEDOUT:
            return .timedOut(target: request.target, milliseconds: request.timeout)
        case CURLE_URL_MALFORMAT, CURLE_UNSUPPORTED_PROTOCOL:
            return .invalidRequest(reason: "the address is \"\(request.url)\"")
        default:
            return .failed(target: request.target, code: Int32(bitPattern: code.rawValue), reason: reason)
        }
    }
}

/// libcurl's own set-up, once for the process; Swift runs a global's initialiser under a lock.
private let globallyReady: Bool = curl_global_init(Int(CURL_GLOBAL_DEFAULT)) == CURLE_OK
