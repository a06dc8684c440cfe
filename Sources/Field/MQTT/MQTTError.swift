/// Why a call to `MQTTConnection` was not accepted. Troubles with the broker are states, not errors.
public enum MQTTError: Error, Equatable, CustomStringConvertible {
    /// An option that cannot work; which one, and what would.
    case badOption(String)
    /// Not a topic that can be published to: empty, too long, with a wildcard or a control character.
    case badTopic(String)
    /// Not a filter that can be subscribed to.
    case badFilter(String)
    /// A payload over MQTT's limit of 268,435,455 bytes less the header, or over the queue's.
    case payloadTooLong(topic: String, bytes: Int, limit: Int)
    /// The outgoing queue is full: the broker is away or slower than the publisher. Counted as `refused`.
    case queueFull(limit: String)
    /// `stop()` was called.
    case stopped
    /// The C library or the system refused, with its own words.
    case system(String)

    public var description: String {
        switch self {
        case .badOption(let text): "MQTT option: \(text)"
        case .badTopic(let text): "MQTT topic “\(text)”: must be 1 to 65535 bytes without +, # or control characters"
        case .badFilter(let text):
            "MQTT filter “\(text)”: + and # must stand for whole levels, # last; 1 to 65535 bytes, "
                + "no control characters"
        case .payloadTooLong(let topic, let bytes, let limit):
            "MQTT payload for “\(topic)”: \(bytes) bytes, at most \(limit) fit"
        case .queueFull(let limit): "MQTT outgoing queue is full (\(limit))"
        case .stopped: "MQTT connection is stopped"
        case .system(let text): "MQTT: \(text)"
        }
    }
}
