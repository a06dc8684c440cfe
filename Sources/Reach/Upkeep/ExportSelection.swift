import History
import Metering

/// Which series an export has: all, or those with the names that are given.
public struct ExportSelection: Hashable, Sendable {
    /// Nothing is stored under these names.
    public struct Nothing: Error, Hashable, Sendable, CustomStringConvertible {
        public let description: String
    }

    /// What people call the device.
    public var device: String?
    public var channel: Channel?
    public var quantity: Quantity?

    public init(device: String? = nil, channel: Channel? = nil, quantity: Quantity? = nil) {
        self.device = device
        self.channel = channel
        self.quantity = quantity
    }

    /// Series that History has or the log names (either can have lost what the other still has), with what their
    /// devices are called; `name` is nil for one that nobody knows any more, whose identity stands for it then.
    public func series(
        _ history: History, log: some Sequence<SeriesKey>, name: (DeviceID) -> String?
    ) throws(Nothing) -> [(key: SeriesKey, device: String)] {
        var keys = Set(log)
        for one in history.latestAll() { keys.insert(one.key) }
        let found = keys.map { (key: $0, device: name($0.device) ?? $0.device.description) }.filter {
            (device == nil || $0.device == device) && (channel == nil || $0.key.channel == channel)
                && (quantity == nil || $0.key.quantity == quantity)
        }
        let names = [
            device.map { "device \($0)" }, channel.map { "channel \($0.name)" },
            quantity.map { "quantity \($0.name)" },
        ].compactMap { $0 }
        guard !found.isEmpty || names.isEmpty else {
            throw Nothing(
                description: "nothing is stored of \(names.joined(separator: ", ")); `energyctl readings` shows what is"
            )
        }
        return found
    }
}
