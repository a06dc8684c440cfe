import Metering

/// Who of those that are heard over MQTT becomes a device, and how often it may speak. Pure.
public struct Admission: Hashable, Sendable {
    public enum Policy: String, Hashable, Sendable, CaseIterable {
        /// Whoever publishes as a profile says.
        case auto
        /// Only what a `[[device]]` names or binds.
        case listed
    }

    public var policy = Policy.auto
    /// Addresses that are left out, such as `mqtt:tasmota:bench`; a `*` at the end stands for anything.
    public var ignored: [String] = []
    /// Bindings and names of the configured devices.
    public var listed: Set<String> = []
    /// Messages a second that one device may send in the long run; 0: any number.
    public var messageLimit: Int64 = 500

    public init() {}

    /// `address` as in `Binding`: its last part is the name by which a device without a configured binding is listed.
    public func admits(_ address: String) -> Bool {
        for pattern in ignored {
            let isMatch = pattern.hasSuffix("*") ? address.hasPrefix(pattern.dropLast()) : address == pattern
            if isMatch { return false }
        }
        switch policy {
        case .auto: return true
        case .listed: return listed.contains(address) || listed.contains(DeviceRegistry.name(from: address))
        }
    }
}

/// Lets a device speak `limit` times a second in the long run, and a minute's worth at once: whoever brings the past
/// after a night without network does not flood, a broken sensor that never pauses does.
struct MessageAllowance: Sendable {
    /// Messages × 1000 that may come now.
    private var left: Int64
    private var refilled: Int64

    static let burstSeconds: Int64 = 60

    init(limit: Int64, at monotonic: Int64) {
        left = limit * MessageAllowance.burstSeconds * 1000
        refilled = monotonic
    }

    /// Whether one more message is taken at `monotonic`, in ms.
    mutating func take(limit: Int64, at monotonic: Int64) -> Bool {
        let full = limit * MessageAllowance.burstSeconds * 1000
        let elapsed = min(max(0, monotonic - refilled), MessageAllowance.burstSeconds * 1000)
        refilled = max(refilled, monotonic)
        left = min(full, left + elapsed * limit)
        guard left >= 1000 else { return false }
        left -= 1000
        return true
    }
}
