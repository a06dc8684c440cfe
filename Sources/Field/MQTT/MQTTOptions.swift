/// How to reach a broker, and the limits of one connection to it. MQTT 3.1.1 or 5, over TCP or TLS.
public struct MQTTOptions: Sendable {
    /// Host name or numeric address; every address of a name is tried in turn.
    public var host: String
    public var port: UInt16
    /// Must be the same at each start for a session to be kept; at most 65,535 bytes, and brokers may allow 23 only.
    public var clientID: String
    public var username: String?
    /// Without a zero byte: the C library takes a C string.
    public var password: [UInt8]?
    /// Seconds of silence after which the broker is pinged, 5 … 65,535.
    public var keepAlive = 60
    /// `false` asks the broker to keep subscriptions and QoS 1 messages while the connection is away.
    public var cleanSession = false
    public var version = Version.v311
    /// Nil: in the clear.
    public var tls: TLS?
    /// What the broker publishes when the connection dies without good-bye.
    public var will: Will?
    /// Milliseconds from opening the socket to the broker's answer, for each address.
    public var connectTimeout = 10_000
    public var backoff: MQTTBackoff
    /// A longer payload is counted and never reaches the handler, in bytes.
    public var payloadLimit = 256 * 1024
    /// Messages accepted by `publish` and not yet sent (QoS 0) or acknowledged (QoS 1).
    public var queueLimit = 1_000
    /// Bytes of topics and payloads in the same queue.
    public var queueByteLimit = 4 * 1024 * 1024
    /// Outgoing QoS 1 messages that may wait for their acknowledgement at the same time, 1 … 65,535.
    public var maxInFlight = 20

    /// Seconds for which a broker of version 5 keeps the session of a client that is away; version 3.1.1 has no word
    /// for it, and brokers keep those as they are configured.
    public static let sessionExpiry: UInt32 = 7 * 86_400

    /// The protocol's version.
    public enum Version: Sendable {
        case v311, v5
    }

    /// Who is believed to be the broker, and who this client is. The broker's certificate has to be for `host`.
    /// Files are PEM, and the key has no password.
    public struct TLS: Sendable {
        /// Certificates of the authorities that are believed; nil: those of the system.
        public var authorityFile: String?
        /// The client's own certificate and key, for brokers that ask for one: both or none.
        public var certificateFile: String?
        public var keyFile: String?

        static let systemAuthorities = "/etc/ssl/certs"

        public init(authorityFile: String? = nil, certificateFile: String? = nil, keyFile: String? = nil) {
            self.authorityFile = authorityFile
            self.certificateFile = certificateFile
            self.keyFile = keyFile
        }
    }

    /// A message left with the broker.
    public struct Will: Sendable {
        public var topic: String
        public var payload: [UInt8]
        public var qos: MQTTQoS
        public var retain: Bool

        public init(topic: String, payload: [UInt8], qos: MQTTQoS = .atLeastOnce, retain: Bool = true) {
            self.topic = topic
            self.payload = payload
            self.qos = qos
            self.retain = retain
        }
    }

    /// `seed` decides the jitter of the back-off only.
    public init(host: String, port: UInt16 = 1883, clientID: String, seed: UInt64) {
        self.host = host
        self.port = port
        self.clientID = clientID
        self.backoff = MQTTBackoff(seed: seed)
    }
}

/// The promise about delivery. QoS 2 is left out: readings carry their own identity, so twice is harmless.
public enum MQTTQoS: Int32, Sendable {
    case atMostOnce = 0
    case atLeastOnce = 1
}
