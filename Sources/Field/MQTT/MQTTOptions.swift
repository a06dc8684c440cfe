/// How to reach a broker, and the limits of one connection to it. The protocol is MQTT 3.1.1 over TCP.
package struct MQTTOptions: Sendable {
    /// Host name or numeric address; every address of a name is tried in turn.
    package var host: String
    package var port: UInt16
    /// Must be the same at each start for a session to be kept; at most 65,535 bytes, and brokers may allow 23 only.
    package var clientID: String
    package var username: String?
    /// Without a zero byte: the C library takes a C string.
    package var password: [UInt8]?
    /// Seconds of silence after which the broker is pinged, 5 … 65,535.
    package var keepAlive = 60
    /// `false` asks the broker to keep subscriptions and QoS 1 messages while the connection is away.
    package var cleanSession = false
    /// What the broker publishes when the connection dies without good-bye.
    package var will: Will?
    /// Milliseconds from opening the socket to the broker's answer, for each address.
    package var connectTimeout = 10_000
    package var backoff: MQTTBackoff
    /// A longer payload is counted and never reaches the handler, in bytes.
    package var payloadLimit = 256 * 1024
    /// Messages accepted by `publish` and not yet sent (QoS 0) or acknowledged (QoS 1).
    package var queueLimit = 1_000
    /// Bytes of topics and payloads in the same queue.
    package var queueByteLimit = 4 * 1024 * 1024
    /// Outgoing QoS 1 messages that may wait for their acknowledgement at the same time, 1 … 65,535.
    package var maxInFlight = 20

    /// A message left with the broker.
    package struct Will: Sendable {
        package var topic: String
        package var payload: [UInt8]
        package var qos: MQTTQoS
        package var retain: Bool

        package init(topic: String, payload: [UInt8], qos: MQTTQoS = .atLeastOnce, retain: Bool = true) {
            self.topic = topic
            self.payload = payload
            self.qos = qos
            self.retain = retain
        }
    }

    /// `seed` decides the jitter of the back-off only.
    package init(host: String, port: UInt16 = 1883, clientID: String, seed: UInt64) {
        self.host = host
        self.port = port
        self.clientID = clientID
        self.backoff = MQTTBackoff(seed: seed)
    }
}

/// The promise about delivery. QoS 2 is left out: readings carry their own identity, so twice is harmless.
package enum MQTTQoS: Int32, Sendable {
    case atMostOnce = 0
    case atLeastOnce = 1
}
