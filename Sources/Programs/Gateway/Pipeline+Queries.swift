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

    /// The first slot there is; nil before any.
    func firstSlot() throws -> Slot? {
        let kept = try ledger.extent()?.lowerBound
        let live = pending.keys.min()?.slot
        guard let kept, let live else { return kept ?? live }
        return min(kept, live)
    }

    var knownSettings: [HomeSettings] { settings }
    var knownDevices: [Device] { Array(devices.values) }
    var lateIgnored: UInt64 { usage.lateIgnored }
}
