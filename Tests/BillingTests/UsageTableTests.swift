import Metering
import Testing
import Timekeeping
import Usage

@testable import Billing

struct UsageTableTests {
    private let first = Slot(index: 1_971_936)  // 2026-03-29T00:00:00Z

    private func slot(_ n: Int64) -> Slot { Slot(index: first.index + n) }

    private func rows(_ slots: [SlotUsage], _ grouping: Grouping, slotCount: Int64 = 96) -> [UsageRow] {
        UsageTable.rows(
            slots: slots, devices: devices, settings: [], zone: .utc, by: grouping, from: first.start,
            to: slot(slotCount).start)
    }

    @Test func `periods without data are missing within and absent at the ends`() {
        let result = rows(
            [usage(washer, slot(4), imported: 1), usage(washer, slot(13), imported: 2)], .hour)
        #expect(result.map(\.from) == [slot(4).start, slot(8).start, slot(12).start])
        #expect(result.map(\.quality) == [.partial, .missing, .partial])
        #expect(result.map(\.imported) == [1, nil, 2])
        #expect(result.map(\.cost) == [nil, nil, nil])
        #expect(result.map(\.coverageText) == ["0.25", "0.0", "0.25"])
    }

    @Test func `rows stand by time, the home first, then names, the rest last`() {
        let result = rows(
            [
                usage(meter, slot(0), imported: 100, exported: 0), usage(washer, slot(0), imported: 30),
                usage(roof, slot(0), produced: 50),
                usage(meter, slot(1), imported: 100, exported: 0), usage(washer, slot(1), imported: 30),
            ], .slot)
        #expect(
            result.map(\.name) == [
                "home", "meter", "roof", "washer", "unmetered", "home", "meter", "washer", "unmetered",
            ])
        #expect(result[0].imported == 100)
        #expect(result[0].produced == 50)
        #expect(result[4].imported == 120)
        #expect(result[4].exported == 0)
    }

    @Test func `a slot counts where it starts in the span`() {
        let slots = (0..<4).map { usage(washer, slot($0), imported: 1) }
        let result = UsageTable.rows(
            slots: slots, devices: devices, settings: [], zone: .utc, by: .day,
            from: first.start + 1, to: slot(3).start + 1)
        #expect(result.map(\.imported) == [3])
        // Coverage is that of the whole day, also of what has not come yet.
        #expect(result[0].span == 86_400_000)
        #expect(result[0].coverageText == "0.0312")
    }

    @Test func `slots out of order are left out, not counted twice`() {
        let result = rows([usage(washer, slot(5), imported: 1), usage(washer, slot(4), imported: 9)], .day)
        #expect(result.map(\.imported) == [1])
    }

    @Test func `coverage is rounded down`() {
        let result = rows([usage(washer, slot(0), imported: 1, measured: 899_999)], .slot)
        #expect(result[0].coverageText == "0.9999")
        #expect(result[0].quality == .partial)
    }
}
