/// One request. Nothing of it is read from the environment, save a proxy's address for TCP.
public struct HTTPRequest: Sendable {
    public var method: String
    /// `http://` or `https://`. With a Unix socket the host is only what the `Host` header says.
    public var url: String
    public var unixSocket: String?
    public var headers: [(name: String, value: String)]
    public var body: [UInt8]?
    /// Milliseconds for the whole exchange; of a stream, only until it is connected.
    public var timeout: Int
    /// A longer answer is an error, and is not kept in memory.
    public var maximumBodyBytes: Int

    public init(
        _ method: String = "GET", url: String, unixSocket: String? = nil,
        headers: [(name: String, value: String)] = [], body: [UInt8]? = nil, timeout: Int = 10_000,
        maximumBodyBytes: Int = 64 << 20
    ) {
        self.method = method
        self.url = url
        self.unixSocket = unixSocket
        self.headers = headers
        self.body = body
        self.timeout = timeout
        self.maximumBodyBytes = maximumBodyBytes
    }

    /// Where it goes, for messages.
    var target: String { unixSocket ?? url }
}

/// What came back, whatever its status: a 404 is an answer, not an error.
public struct HTTPAnswer: Sendable {
    public let status: Int
    /// In the order in which they came, names as they were written.
    public let headers: [(name: String, value: String)]
    /// Of a stream whose status was 2xx: empty, its chunks went to the closure.
    public let body: [UInt8]

    /// The first header of that name; letter case does not count.
    public func header(_ name: String) -> String? {
        headers.first { $0.name.lowercased() == name.lowercased() }?.value
    }
}
