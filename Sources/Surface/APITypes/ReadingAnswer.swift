import JSONText
import Metering
import Timekeeping

/// One reading as it is shown: names instead of identities, canonical units.
public struct ReadingAnswer: JSONEncodable {
    public var device: String
    public var channel: Channel
    public var quantity: Quantity
    public var time: Timestamp
    public var received: Timestamp
    /// Thousandths of the quantity's unit.
    public var value: Int64
    public var flags: ReadingFlags

    public init(
        device: String, channel: Channel, quantity: Quantity, time: Timestamp, received: Timestamp, value: Int64,
        flags: ReadingFlags
    ) {
        self.device = device
        self.channel = channel
        self.quantity = quantity
        self.time = time
        self.received = received
        self.value = value
        self.flags = flags
    }

    public func encode(to json: inout JSONWriter) {
        json.object {
            $0.field("time", text: time.rfc3339())
            $0.field("device", text: device)
            $0.field("channel", text: channel.name)
            $0.field("quantity", text: quantity.name)
            $0.field("value", raw: Thousandths.text(value))
            $0.field("unit", text: quantity.unit)
            if received != time { $0.field("received", text: received.rfc3339()) }
            if !flags.isEmpty { $0.field("flags", text: flags.names.joined(separator: " ")) }
        }
    }
}

extension ReadingFlags {
    /// The names of the set bits, in the order of the bits.
    public var names: [String] {
        let all: [(ReadingFlags, String)] = [
            (.retained, "retained"), (.firstAfterConnect, "first_after_connect"), (.derived, "derived"),
            (.timeUntrusted, "time_untrusted"), (.clockUnsynced, "clock_unsynced"), (.late, "late"),
        ]
        return all.filter { contains($0.0) }.map(\.1)
    }
}
