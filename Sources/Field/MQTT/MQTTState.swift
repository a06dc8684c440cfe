/// Where a connection stands.
public enum MQTTState: Sendable, Equatable, CustomStringConvertible {
    /// An attempt has begun.
    case connecting
    /// The broker has accepted; `sessionPresent` when it had kept the session (and perhaps messages for it).
    case connected(sessionPresent: Bool)
    /// Why there is no connection, for a person to read, and in how many milliseconds the next attempt begins.
    case disconnected(reason: String, retryMilliseconds: Int)
    /// The end: `stop()` was called, nothing follows.
    case stopped

    public var description: String {
        switch self {
        case .connecting: "connecting"
        case .connected(let sessionPresent): sessionPresent ? "connected, session resumed" : "connected"
        case .disconnected(let reason, let wait): "disconnected: \(reason); next attempt in \(wait) ms"
        case .stopped: "stopped"
        }
    }
}

/// What a connection has seen since it was made; each only grows.
public struct MQTTCounters: Sendable, Equatable {
    /// Messages given to the handler.
    public var received = 0
    /// Messages withheld from it because their payload was over the limit.
    public var oversized = 0
    /// Accepted connections after the first one.
    public var reconnects = 0
    /// Outgoing messages sent (QoS 0) or acknowledged (QoS 1).
    public var published = 0
    /// Messages that `publish` did not accept because the queue was full.
    public var refused = 0
    /// QoS 0 messages that were on their way when the connection broke.
    public var lost = 0
    /// Subscriptions that the broker refused.
    public var refusedSubscriptions = 0
}
