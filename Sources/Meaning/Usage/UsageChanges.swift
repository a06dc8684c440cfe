import Metering
import Timekeeping

extension UsageState {
    /// Every slot that changed since the last call, as it is now, in the order of device, channel and slot.
    public mutating func takeChanges() -> [SlotUsage] {
        var changes = ready
        ready = []
        changes.reserveCapacity(changes.count + touched.count)
        for channel in touched {
            for touch in Touch.merged(touches(of: Int(channel))) {
                compose(Int(channel), touch.from...touch.to, touch.source, into: &changes)
            }
            replaceTouches(of: Int(channel), with: [])
        }
        touched.removeAll(keepingCapacity: true)
        changes.sort { a, b in
            if a.device != b.device { return a.device < b.device }
            if a.channel != b.channel { return a.channel < b.channel }
            return a.slot != b.slot ? a.slot < b.slot : a.source < b.source
        }
        return changes
    }

    /// The decisions since the last call, in the order in which they were made.
    public mutating func takeDecisions() -> [Decision] {
        defer { decisions = [] }
        return decisions
    }

    /// What must be worked out again from the readings, one entry a channel, in the order of channels. Whoever takes
    /// them answers each with a `Recomputation`.
    public mutating func takeRecomputes() -> [Recompute] {
        defer { recomputes = [:] }
        return recomputes.values.sorted { ($0.device, $0.channel) < ($1.device, $1.channel) }
    }

    /// Whether something must be worked out again.
    public var wantsRecompute: Bool { !recomputes.isEmpty }

    /// The slots from `start` on that readings to come can still change, as they are now, whether taken or not; in
    /// the order of device, channel and slot. For live views: their `source` is 0.
    public func openSlots(from start: Slot) -> [SlotUsage] {
        var result: [SlotUsage] = []
        for channel in table.channels.indices.sorted(by: { table.key($0) < table.key($1) }) {
            guard let last = lastSlot(of: channel) else { continue }
            let first = max(start.index, table.channels[channel].floor, last - UsageLimits.longestRun)
            if first <= last { compose(channel, first...last, 0, into: &result) }
        }
        return result
    }

    /// One slot as it is now; nil when nothing is known about it or it is closed.
    public func openSlot(device: DeviceID, channel: Channel, slot: Slot) -> SlotUsage? {
        let key = ChannelKey(device: device, channel: channel)
        guard let index = channelNumber(key), slot.index >= table.channels[index].floor else { return nil }
        return usage(index, slot.index, 0)
    }
}
