import API
import Billing
import Ledger
import Metering
import ReadingLog
import Records
import Timekeeping
import Usage

// What the API asks. On the pipeline's thread, because the ledger belongs to it.
extension Pipeline {
    /// Usage rows of `from ..< to`; without a grouping one for the whole.
    func rows(by grouping: Grouping?, from: Timestamp, to: Timestamp, zone: Zone) throws -> [UsageRow] {
        let pricing = Pricing(settings: settings, zone: zone, prices: prices)
        var table = UsageTable(
            devices: Array(devices.values), pricing: pricing, by: grouping, span: Period(from: from, to: to),
            totalCounters: facts.dictionary.totalCounters)
        try eachSlot(from: pricing.start(toPrice: from), to: to) { table.add($0) }
        return table.finish()
    }

    /// Bills of the slots in `from ..< to`, under the settings in force or others.
    /// `replacing`: slots that stand in the place of those that are.
    func bills(
        from: Timestamp, to: Timestamp, zone: Zone, under other: [HomeSettings]? = nil, replacing: [SlotUsage] = []
    ) throws -> [Bill] {
        var bills = Bills(
            devices: Array(devices.values), pricing: Pricing(settings: other ?? settings, zone: zone, prices: prices),
            span: Period(from: from, to: to), totalCounters: facts.dictionary.totalCounters)
        try eachSlot(from: from, to: to, replacing: replacing) { bills.add($0) }
        return bills.finish()
    }

    /// The ledger's slots in their order, with those that changed since in their place.
    private func eachSlot(
        from: Timestamp, to: Timestamp, replacing: [SlotUsage] = [], _ body: (SlotUsage) -> Void
    ) throws {
        let first = Slot(containing: from)
        let end = Slot(containing: to + (Slot.length - 1))
        var changed = pending
        for slot in replacing { changed[SlotKey(slot)] = slot }
        var live = changed.filter { $0.key.slot >= first && $0.key.slot < end }.sorted { $0.key < $1.key }[...]
        try asking {
            try ledger.slots(from: first, until: end) { slot in
                let key = SlotKey(slot)
                while let next = live.first, next.key < key {
                    body(next.value)
                    live.removeFirst()
                }
                if let next = live.first, next.key == key {
                    body(next.value)
                    live.removeFirst()
                } else {
                    body(slot)
                }
                return true
            }
        }
        for (_, slot) in live { body(slot) }
    }

    var knownSettings: [HomeSettings] { settings }
    var knownDevices: [Device] { Array(devices.values) }
    /// What Usage makes of the log, and what it left out: every drop shows.
    var usageSummary: String {
        var parts = ["up to date"]
        if usage.late > 0 { parts.append("\(usage.late) late readings, their slots worked out again") }
        if usage.commandsRefused > 0 { parts.append("\(usage.commandsRefused) corrections refused") }
        if usage.refused > 0 { parts.append("\(usage.refused) readings refused") }
        if usage.decisionsDropped > 0 { parts.append("\(usage.decisionsDropped) decisions dropped") }
        if skippedFrames > 0 { parts.append("\(skippedFrames) frames could not be read") }
        return parts.joined(separator: "; ")
    }
}
