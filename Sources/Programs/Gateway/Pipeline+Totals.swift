import Bridge
import Ledger
import Logging
import Metering
import ReadingLog
import Records

// Sums since the beginning, of what is durable: what the bridge tells as totals.
extension Pipeline {
    struct ChannelKey: Hashable {
        let device: DeviceID
        let channel: Channel
    }

    /// The sums of each channel that has any, in no order.
    func channelTotals() throws -> [ChannelTotal] {
        if let totals { return Array(totals.values) }
        let kept = try asking { try ledger.totals() }
        totals = [:]
        for total in kept {
            totals?[ChannelKey(device: total.device, channel: total.channel)] = total
        }
        for slot in pending.values {
            try add(slot, instead: ledger.slot(slot.slot, device: slot.device, channel: slot.channel))
        }
        return totals.map { Array($0.values) } ?? []
    }

    /// A slot has changed and is not in `pending` yet.
    func addToTotals(_ slot: SlotUsage) throws {
        guard totals != nil else { return }
        if let known = pending[SlotKey(slot)] { return add(slot, instead: known) }
        add(slot, instead: try ledger.slot(slot.slot, device: slot.device, channel: slot.channel))
    }

    private func add(_ slot: SlotUsage, instead old: SlotUsage?) {
        let key = ChannelKey(device: slot.device, channel: slot.channel)
        totals?[key, default: ChannelTotal(device: slot.device, channel: slot.channel)].replace(old, with: slot)
    }

    /// What the bridge kept before the last stop; nothing where that cannot be read.
    func keptBridge() -> BridgeSnapshot {
        let found = snapshots.read(BridgeSnapshot.name)
        for problem in found.problems { logger.error("a snapshot cannot be used", metadata: ["reason": "\(problem)"]) }
        guard let snapshot = found.snapshot, snapshot.version == BridgeSnapshot.version else { return BridgeSnapshot() }
        do {
            return try BridgeSnapshot(decoding: snapshot.payload)
        } catch {
            logger.error("a snapshot cannot be used", metadata: ["reason": "\(error)"])
            return BridgeSnapshot()
        }
    }

    /// On this thread, because it blocks.
    func keep(_ bridge: BridgeSnapshot) throws {
        try snapshots.write(
            Snapshot(version: BridgeSnapshot.version, cursor: .oldest, payload: bridge.encoded()),
            as: BridgeSnapshot.name)
    }
}
