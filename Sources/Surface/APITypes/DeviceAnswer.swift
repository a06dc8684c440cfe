import JSONText
import Metering
import Timekeeping

/// One device of `GET /v1/devices`.
public struct DeviceAnswer: JSONEncodable {
    public var device: Device
    /// Nil: nothing heard since the gateway started and nothing kept.
    public var lastSeen: Timestamp?
    /// What its availability topic or its bus says; nil where there is neither.
    public var available: Bool?
    /// Taken in since the start.
    public var messages: UInt64
    /// Messages that could not be read, and the reason of the last one.
    public var rejected: UInt64
    public var lastError: String?
    /// Current power in mW, where known.
    public var power: Int64?
    /// The device whose energy includes this one's.
    public var parentName: String?

    public init(
        device: Device, lastSeen: Timestamp?, available: Bool?, messages: UInt64, rejected: UInt64,
        lastError: String?, power: Int64?, parentName: String?
    ) {
        self.device = device
        self.lastSeen = lastSeen
        self.available = available
        self.messages = messages
        self.rejected = rejected
        self.lastError = lastError
        self.power = power
        self.parentName = parentName
    }

    public func encode(to json: inout JSONWriter) {
        json.object {
            $0.field("device", text: device.name)
            $0.field("id", text: device.id.description)
            $0.field("role", text: device.role.name)
            $0.field("family", text: device.family)
            $0.field("model", text: device.model.isEmpty ? nil : device.model)
            $0.field("parent", text: parentName)
            $0.key("bindings")
            $0.array { json in
                for binding in device.bindings { json.text(binding.address) }
            }
            $0.key("available")
            if let available { $0.bool(available) } else { $0.null() }
            $0.field("last_seen", text: lastSeen?.rfc3339())
            $0.field("power_w", raw: power.map(Thousandths.text))
            $0.field("messages", number: messages)
            $0.field("rejected", number: rejected)
            $0.field("last_error", text: lastError)
        }
    }
}
