import Metering
import SQLite
import Timekeeping

/// All energy of one channel of one device, in mWh; nil: never known.
public struct ChannelTotal: Hashable, Sendable {
    public var device: DeviceID
    public var channel: Channel
    public var imported: Int64?
    public var exported: Int64?
    public var produced: Int64?
    public var charged: Int64?
    public var discharged: Int64?

    public init(device: DeviceID, channel: Channel) {
        self.device = device
        self.channel = channel
    }

    /// Puts `new` in the place of `old`, which is what the total holds of that slot.
    public mutating func replace(_ old: SlotUsage?, with new: SlotUsage) {
        func moved(_ total: Int64?, _ old: Int64?, _ new: Int64?) -> Int64? {
            guard total != nil || new != nil else { return nil }
            return (total ?? 0) &- (old ?? 0) &+ (new ?? 0)
        }
        imported = moved(imported, old?.imported, new.imported)
        exported = moved(exported, old?.exported, new.exported)
        produced = moved(produced, old?.produced, new.produced)
        charged = moved(charged, old?.charged, new.charged)
        discharged = moved(discharged, old?.discharged, new.discharged)
    }
}

extension Ledger {
    /// The sums over all slots that were committed, in the order of device and channel.
    public func totals() throws(LedgerError) -> [ChannelTotal] {
        try reading { () throws(SQLiteError) in
            let statement = try database.prepare(
                """
                SELECT device, channel, imported, exported, produced, charged, discharged
                FROM total JOIN meter ON meter.key = total.meter ORDER BY device, channel
                """)
            defer { statement.reset() }
            var totals: [ChannelTotal] = []
            while try statement.step() {
                guard let device = DeviceID(blob: statement.blob(0)), let channel = Channel(statement.text(1) ?? "")
                else { throw .damaged("a total has no identity", statement.sql) }
                var total = ChannelTotal(device: device, channel: channel)
                total.imported = statement.integer(2)
                total.exported = statement.integer(3)
                total.produced = statement.integer(4)
                total.charged = statement.integer(5)
                total.discharged = statement.integer(6)
                totals.append(total)
            }
            return totals
        }
    }

    /// One slot as it was committed; nil where there is none.
    public func slot(_ slot: Slot, device: DeviceID, channel: Channel) throws(LedgerError) -> SlotUsage? {
        try reading { () throws(SQLiteError) in
            let statement = try database.prepare(
                """
                SELECT imported, exported, produced, charged, discharged, source, unmeasured, filled, estimated
                FROM slot JOIN meter ON meter.key = slot.meter
                WHERE slot = ? AND device = ? AND channel = ?
                """)
            defer { statement.reset() }
            try statement.bind(1, slot.index)
            try statement.bind(2, device.blob)
            try statement.bind(3, channel.name)
            guard try statement.step() else { return nil }
            return SlotUsage(
                device: device, channel: channel, slot: slot, imported: statement.integer(0),
                exported: statement.integer(1), produced: statement.integer(2), charged: statement.integer(3),
                discharged: statement.integer(4), estimated: try statement.whole(8),
                measuredTime: Slot.length - max(0, min(try statement.whole(6), Slot.length)),
                filledTime: try statement.whole(7), source: UInt64(clamping: try statement.whole(5)))
        }
    }
}
