import Ledger
import Metering
import Records
import SQLite
import Simulation
import Testing
import Timekeeping
import Usage

@Suite struct LedgerTotalsTests {
    private func summed(_ slots: [SlotUsage]) -> [ChannelTotal] {
        var totals: [ChannelTotal] = []
        for slot in slots.sorted(by: { ($0.device, $0.channel) < ($1.device, $1.channel) }) {
            if totals.last?.device != slot.device || totals.last?.channel != slot.channel {
                totals.append(ChannelTotal(device: slot.device, channel: slot.channel))
            }
            totals[totals.count - 1].replace(nil, with: slot)
        }
        return totals
    }

    private func known(_ total: ChannelTotal) -> [Int64] {
        [total.imported, total.exported, total.produced, total.charged, total.discharged].map { $0 ?? 0 }
    }

    private func random(_ generator: inout SplitMix64, source: UInt64) -> SlotUsage {
        func energy() -> Int64? {
            Bool.random(using: &generator) ? Int64.random(in: -5...1_000_000, using: &generator) : nil
        }
        return SlotUsage(
            device: Bool.random(using: &generator) ? plug : meter,
            channel: Bool.random(using: &generator) ? .total : .phase(1),
            slot: Slot(index: begin.index + Int64.random(in: 0..<12, using: &generator)), imported: energy(),
            exported: energy(), produced: energy(), charged: energy(), discharged: energy(), source: source)
    }

    @Test(arguments: 1...8 as ClosedRange<UInt64>)
    func `totals are the sums of the slots, however often these change`(seed: UInt64) throws {
        var generator = SplitMix64(seed: seed)
        let scratch = try Scratch()
        let ledger = try Ledger(path: scratch.path)
        for round in 1...30 as ClosedRange<UInt64> {
            // Some come late: an older source never replaces a newer one.
            let source = UInt64.random(in: max(round, 4) - 3...round, using: &generator)
            let changes = (0..<6).map { _ in random(&generator, source: source) }
            try ledger.commit(changes: changes, cursor: Cursor(epoch: 1, offset: round))
            let slots = try ledger.all()
            let totals = try ledger.totals()
            #expect(totals.map(known) == summed(slots).map(known), "seed \(seed), round \(round)")
            // What was known once and is not any more stays a sum: nothing.
            for (total, sum) in zip(totals, summed(slots)) where total.imported == nil {
                #expect(sum.imported == nil, "seed \(seed)")
            }
            for slot in slots.prefix(3) {
                #expect(try ledger.slot(slot.slot, device: slot.device, channel: slot.channel) == slot, "seed \(seed)")
            }
        }
        let other = Slot(index: begin.index + 99)
        #expect(try ledger.slot(other, device: plug, channel: .total) == nil)
    }

    @Test func `a ledger from before there were totals gets them when it is opened`() throws {
        let scratch = try Scratch()
        do {
            let ledger = try Ledger(path: scratch.path)
            try ledger.commit(
                changes: [
                    usage(plug, 0, source: 1), usage(plug, 1, source: 1), usage(meter, 0, source: 1, imported: nil),
                ],
                cursor: Cursor(epoch: 1, offset: 1))
            try ledger.settle()
        }
        let database = try Database(path: scratch.path, access: .readWrite, durability: .full)
        for name in ["slot_new", "slot_changed", "slot_gone"] { try database.execute("DROP TRIGGER \(name)") }
        for table in ["total", "command", "price", "price_list"] { try database.execute("DROP TABLE \(table)") }
        try database.execute("PRAGMA user_version = 1")
        let again = try Ledger(path: scratch.path)
        #expect(again.opening == .kept)
        #expect(try again.totals().map(\.imported) == [nil, 500_000])
        try again.commit(changes: [usage(plug, 1, source: 2, imported: 10)], cursor: Cursor(epoch: 1, offset: 2))
        #expect(try again.totals().map(\.imported) == [nil, 250_010])
    }
}
