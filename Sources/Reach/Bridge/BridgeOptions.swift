import Metering

/// Where the bridge publishes.
public struct BridgeOptions: Hashable, Sendable {
    /// The first levels of our own topics.
    public var topic: String
    /// The home's name; becomes one level.
    public var home: String
    /// First levels of Home Assistant's discovery topics; nil: devices are not announced.
    public var discovery: String?
    public var gateway: GatewayID
    /// Of the program.
    public var version: String

    public init(topic: String, home: String, discovery: String?, gateway: GatewayID, version: String) {
        self.topic = topic
        self.home = home
        self.discovery = discovery
        self.gateway = gateway
        self.version = version
    }

    /// `online` while the gateway is connected, its last will otherwise. Retained.
    public var stateTopic: String { "\(topic)/bridge/state" }
    /// Where Home Assistant says that it has started; nil without discovery.
    public var birthTopic: String? { discovery.map { "\($0)/status" } }

    public static let online = Array("online".utf8)
    public static let offline = Array("offline".utf8)

    /// One level of a topic that reads like `name`: without what separates levels, stands for many, or is no graph.
    static func level(_ name: String) -> String {
        let text = String(
            String.UnicodeScalarView(
                name.unicodeScalars.map { scalar in
                    let isPlain = scalar.properties.isWhitespace || "/+#".unicodeScalars.contains(scalar)
                    let isShown = scalar.value >= 0x20 && !(0x7F...0x9F).contains(scalar.value)
                    return isPlain || !isShown ? "_" : scalar
                }))
        // A first level with a dollar sign is the broker's own, and an empty one is easily overlooked.
        return text.isEmpty || text.hasPrefix("$") ? "_" + text : text
    }
}

/// A message for the broker. All are retained: whoever comes later sees the last word.
public struct Publication: Hashable, Sendable {
    public var topic: String
    /// Empty: the broker forgets the topic.
    public var payload: [UInt8]
    /// Whether the broker has to confirm it: what describes and what counts; a momentary value comes again soon.
    public var isConfirmed: Bool
}
