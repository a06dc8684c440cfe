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
    /// Usage rows of `from ..< to`: the ledger's slots, with those that changed since in their place.
    func rows(by grouping: Grouping, from: Timestamp, to: Timestamp, zone: Zone) throws -> [UsageRow] {
        var table = UsageTable(
            devices: Array(devices.values), settings: settings, zone: zone, by: grouping,
            span: Period(from: from, to: to), totalCounters: facts.dictionary.totalCounters)
        let first = Slot(containing: from)
        let end = Slot(containing: to + (Slot.length - 1))
        var live = pending.filter { $0.key.slot >= first && $0.key.slot < end }.sorted { $0.key < $1.key }[...]
        try ledger.slots(from: first, until: end) { slot in
            let key = SlotKey(slot)
            while let next = live.first, next.key < key {
                table.add(next.value)
                live.removeFirst()
            }
            if let next = live.first, next.key == key {
                table.add(next.value)
                live.removeFirst()
            } else {
                table.add(slot)
            }
            return true
        }
        for (_, slot) in live { table.add(slot) }
        return table.finish()
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
