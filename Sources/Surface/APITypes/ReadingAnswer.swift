import JSONText
import Metering
import Timekeeping

/// One reading as it is shown: names instead of identities, canonical units.
package struct ReadingAnswer: JSONEncodable {
    package var device: String
    package var channel: Channel
    package var quantity: Quantity
    package var time: Timestamp
    package var received: Timestamp
    /// Thousandths of the quantity's unit.
    package var value: Int64
    package var flags: ReadingFlags

    package init(
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

    package func encode(to json: inout JSONWriter) {
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
    package var names: [String] {
        let all: [(ReadingFlags, String)] = [
            (.retained, "retained"), (.firstAfterConnect, "first_after_connect"), (.derived, "derived"),
            (.timeUntrusted, "time_untrusted"), (.clockUnsynced, "clock_unsynced"), (.late, "late"),
        ]
        return all.filter { contains($0.0) }.map(\.1)
    }
}
