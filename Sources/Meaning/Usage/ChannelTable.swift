/// Finds a channel's number by its key: numbers in an open hash table, keys only where they are anyway. Eight to
/// sixteen bytes a channel, where a dictionary with keys of its own takes sixty.
struct ChannelTable: Sendable {
    private var slots: [Int32] = []
    private var count = 0

    func find(_ key: UsageState.ChannelKey, in channels: [ChannelUsage]) -> Int32? {
        if slots.isEmpty { return nil }
        var i = start(of: key)
        while slots[i] >= 0 {
            if channels[Int(slots[i])].key == key { return slots[i] }
            i = (i + 1) & (slots.count - 1)
        }
        return nil
    }

    /// Adds the channel `number`, whose key is not in the table.
    mutating func insert(_ number: Int32, in channels: [ChannelUsage]) {
        if 4 * (count + 1) > 3 * slots.count {
            let old = slots
            slots = [Int32](repeating: -1, count: max(16, 2 * old.count))
            for known in old where known >= 0 { place(known, channels) }
        }
        place(number, channels)
        count += 1
    }

    private mutating func place(_ number: Int32, _ channels: [ChannelUsage]) {
        var i = start(of: channels[Int(number)].key)
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
