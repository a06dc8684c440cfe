import Metering

/// The channels of a state, and their numbers by key: numbers in an open hash table, keys only where they are anyway.
/// Five to nine bytes a channel, where a dictionary with keys of its own takes sixty.
struct ChannelTable: Sendable {
    private(set) var names: [Channel] = []
    var channels: [ChannelUsage] = []
    private var slots: [Int32] = []

    /// Names of channels that one state can tell apart; a home has a few dozen.
    private static let maximumNames = 4096

    func key(_ channel: Int) -> UsageState.ChannelKey {
        UsageState.ChannelKey(device: channels[channel].device, channel: names[Int(channels[channel].name)])
    }

    func find(_ key: UsageState.ChannelKey) -> Int32? {
        if slots.isEmpty { return nil }
        var i = start(of: key)
        while slots[i] >= 0 {
            if self.key(Int(slots[i])) == key { return slots[i] }
            i = (i + 1) & (slots.count - 1)
        }
        return nil
    }

    /// Adds a channel whose key is not in the table; nil when it has a name too many.
    mutating func add(_ key: UsageState.ChannelKey) -> Int32? {
        if names.firstIndex(of: key.channel) == nil {
            guard names.count < ChannelTable.maximumNames else { return nil }
            names.append(key.channel)
        }
        guard let name = names.firstIndex(of: key.channel) else { return nil }
        let number = Int32(channels.count)
        channels.append(ChannelUsage(device: key.device, name: UInt16(name)))
        if 8 * channels.count > 7 * slots.count {
            slots = [Int32](repeating: -1, count: max(16, 2 * slots.count))
            for known in channels.indices { place(Int32(known)) }
        } else {
            place(number)
        }
        return number
    }

    private mutating func place(_ number: Int32) {
        var i = start(of: key(Int(number)))
        while slots[i] >= 0 { i = (i + 1) & (slots.count - 1) }
        slots[i] = number
    }

    /// Seeded by the process, so that nobody can choose identities that fall on one place.
    private func start(of key: UsageState.ChannelKey) -> Int {
        var hasher = Hasher()
        key.hash(into: &hasher)
        return hasher.finalize() & (slots.count - 1)
    }
}
