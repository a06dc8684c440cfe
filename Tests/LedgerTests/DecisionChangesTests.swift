import Ledger
import Metering
import Records
import Testing
import Timekeeping
import Usage

@Suite struct DecisionChangesTests {
    private let device = DeviceID(high: 1, low: 2)

    private func decision(
        _ seconds: Int64, _ kind: Decision.Kind, _ channel: Channel = .total, _ quantity: Quantity = .energyImport
    ) -> Decision {
        Decision(
            series: SeriesKey(device: device, channel: channel, quantity: quantity), time: Timestamp(seconds: seconds),
            kind: kind, from: 5, to: 0, rule: "fall confirmed")
    }

    @Test func `a decision that no longer holds after late readings is not kept, here or in the ledger`() throws {
        let scratch = try Scratch()
        let ledger = try Ledger(path: scratch.path)
        let before = [
            decision(10, .reset), decision(20, .reset), decision(20, .reset, .phase(1)), decision(25, .late),
            decision(30, .reset),
        ]
        try ledger.commit(changes: [], decisions: before, cursor: Cursor(epoch: 1, offset: 1))
        var changes = DecisionChanges()
        changes.add([decision(22, .suspect), decision(40, .reset)])
        // 20 s … 30 s of one channel is decided again, once more the same and then otherwise.
        let span = DecisionChanges.Span(
            device: device, channel: .total, from: Timestamp(seconds: 20), until: Timestamp(seconds: 30))
        for made in [[decision(21, .rollover)], [decision(23, .jitter)]] { changes.replace(span, with: made) }
        #expect(changes.made == [decision(40, .reset), decision(23, .jitter)])
        #expect(changes.withdrawn == [span])
        #expect(before.map(changes.withdraws) == [false, true, false, false, false])

        try ledger.commit(
            changes: [], decisions: changes.made, withdrawn: changes.withdrawn, cursor: Cursor(epoch: 1, offset: 2))
        let kept = try ledger.decisions(
            from: Timestamp(seconds: 0), until: Timestamp(seconds: 100), device: device, limit: 100)
        #expect(
            Set(kept)
                == Set([before[0], before[2], before[3], before[4], decision(40, .reset), decision(23, .jitter)]))
        #expect(kept.count == 6)
    }
}
