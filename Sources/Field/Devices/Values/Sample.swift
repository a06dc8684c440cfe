import Metering
import Timekeeping

/// When a sample was true, as far as its source tells.
public enum SampleTime: Hashable, Sendable {
    /// The source gave no time that names an instant: the receive time stands.
    case none
    /// The source's own time, within the bounds of trust.
    case utc(Timestamp)
    /// The source gave a time before 2015 or in the future: the receive time stands, and the reading is flagged.
    case untrusted
}

/// One decoded value, before it is known which device of the home it belongs to.
public struct Sample: Hashable, Sendable {
    public var channel: Channel
    public var quantity: Quantity
    /// Thousandths of the quantity's canonical unit.
    public var value: Int64
    public var time: SampleTime
    /// `retained`, `derived` and `timeUntrusted` are set here; the others are not known yet.
    public var flags: ReadingFlags

    // `[]` would go through the generic array-literal initialiser of another module: 15 % of a message.
    public init(
        channel: Channel, quantity: Quantity, value: Int64, time: SampleTime = .none,
        flags: ReadingFlags = ReadingFlags(rawValue: 0)
    ) {
        self.channel = channel
        self.quantity = quantity
        self.value = value
        self.time = time
        self.flags = flags
    }
}
