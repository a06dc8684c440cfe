import CMosquitto
import Glibc
import Threads

/// A connection to one broker that keeps itself up.
///
/// **Threads.** Each connection has one thread of its own; only that thread ever touches the C library's handle, and
/// `handler`, `onBatchEnd` and `onState` are called on it, one at a time. They may call `publish` and `subscribe`,
/// and should be quick: while one runs, nothing is read from this broker. All methods may be called from any thread.
///
/// **Lifetime.** The thread owns the handle and frees it after the last callback. `stop()` returns after that; when
/// the connection is released without it, the thread is told to end and nobody waits.
///
/// **Acknowledgement.** A QoS 1 message is acknowledged to the broker as soon as `handler` returns.
public final class MQTTConnection: Sendable {
    private let mailbox: MQTTMailbox

    /// Starts the thread, which tries to connect until `stop()`; a broker that is not there is a state, no error.
    /// Throws when an option cannot work.
    ///
    /// - Parameters:
    ///   - onState: each change of state, from `connecting` to `stopped`.
    ///   - onBatchEnd: after one or more calls of `handler`, when the socket is drained or 256 packets have been
    ///     read: the place to wake a consumer once for all of them.
    ///   - handler: each message, in the broker's order.
    public init(
        options: MQTTOptions, onState: @escaping @Sendable (MQTTState) -> Void = { _ in },
        onBatchEnd: @escaping @Sendable () -> Void = {},
        handler: @escaping @Sendable (borrowing MQTTMessage) -> Void
    ) throws(MQTTError) {
        try options.check()
        mailbox = try MQTTMailbox(queueLimit: options.queueLimit, queueByteLimit: options.queueByteLimit)
        let loop = try MQTTLoop(
            options: options, mailbox: mailbox, onState: onState, onBatchEnd: onBatchEnd, handler: handler)
        try loop.startThread()
    }

    deinit {
        mailbox.requestStop()
    }

    /// What has been seen so far.
    public var counters: MQTTCounters { mailbox.counters }

    /// Subscribes now or when connected, and again after each reconnect. A filter given before gets the new QoS.
    public func subscribe(_ filters: [(filter: String, qos: MQTTQoS)]) throws(MQTTError) {
        for (filter, _) in filters {
            guard isTopicText(filter), mosquitto_sub_topic_check(filter) == MOSQ_ERR_SUCCESS.rawValue else {
                throw .badFilter(filter)
            }
        }
        try mailbox.subscribe(filters.map { MQTTMailbox.Subscription(filter: $0.filter, qos: $0.qos) })
    }

    /// Queues a message. It is sent when connected; QoS 1 again after a broken connection, QoS 0 is then lost and
    /// counted. Throws `queueFull` at the limits of the options and never waits.
    public func publish(
        topic: String, payload: [UInt8], qos: MQTTQoS = .atMostOnce, retain: Bool = false
    ) throws(MQTTError) {
        guard isTopicText(topic), mosquitto_pub_topic_check(topic) == MOSQ_ERR_SUCCESS.rawValue else {
            throw .badTopic(topic)
        }
        try mailbox.publish(.init(topic: topic, payload: payload, qos: qos, retain: retain))
    }

    /// True as soon as all that `publish` accepted has been sent (QoS 0) or acknowledged (QoS 1); false when that
    /// has not happened after `milliseconds`, or the connection is stopped first.
    public func drained(within milliseconds: Int) async -> Bool {
        await mailbox.drained(within: milliseconds)
    }

    /// Says good-bye to the broker and returns when the thread has made its last call. What is still queued is
    /// dropped: `drained` comes before. Takes one turn of the loop, or the rest of a name lookup.
    public func stop() async {
        mailbox.requestStop()
        await mailbox.ended()
    }
}

/// What MQTT allows in a topic or filter: the C library also refuses control characters and non-characters.
private func isTopicText(_ text: String) -> Bool {
    (1...65_535).contains(text.utf8.count) && !text.utf8.contains(0)
        && mosquitto_validate_utf8(text, Int32(text.utf8.count)) == MOSQ_ERR_SUCCESS.rawValue
}

extension MQTTOptions {
    /// The C library takes C strings and small numbers; what it would cut or refuse is refused here by name.
    func check() throws(MQTTError) {
        let largest = 268_435_455 - 65_540  // what MQTT's length can say, less the longest topic
        let texts = [("host", host), ("client_id", clientID), ("username", username ?? "")]
        for (name, text) in texts where text.utf8.count > 65_535 || text.utf8.contains(0) {
            throw .badOption("\(name) must be at most 65535 bytes and have no zero byte")
        }
        guard !host.isEmpty, !clientID.isEmpty, port > 0 else { throw .badOption("host, port or client_id is empty") }
        guard password.map({ $0.count <= 65_535 && !$0.contains(0) }) ?? true else {
            throw .badOption("password must be at most 65535 bytes and have no zero byte")
        }
        guard will.map({ isTopicText($0.topic) && $0.payload.count <= largest }) ?? true else {
            throw .badOption("the will's topic or payload is not one that can be published")
        }
        guard password == nil || username != nil else { throw .badOption("a password needs a username") }
        if let tls {
            guard (tls.certificateFile == nil) == (tls.keyFile == nil) else {
                throw .badOption("a certificate file and a key file go together")
            }
            for file in [tls.authorityFile, tls.certificateFile, tls.keyFile].compactMap({ $0 })
            where access(file, R_OK) != 0 {
                throw .badOption("\(file) cannot be read: \(systemText(errno))")
            }
        }
        let ranges = [
            ("keep_alive", keepAlive, 5...65_535), ("connect_timeout", connectTimeout, 1...600_000),
            ("payload_limit", payloadLimit, 0...largest), ("queue_limit", queueLimit, 1...10_000_000),
            ("queue_byte_limit", queueByteLimit, 1...largest), ("max_in_flight", maxInFlight, 1...65_535),
        ]
        for (name, value, range) in ranges where !range.contains(value) {
            throw .badOption("\(name) is \(value), must be \(range.lowerBound) to \(range.upperBound)")
        }
    }
}
