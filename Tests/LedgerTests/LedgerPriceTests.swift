import Foundation
import Ledger
import Metering
import Records
import Testing
import Timekeeping

struct LedgerPriceTests {
    private func run(_ list: String, _ first: Int64, _ prices: [Int64], slots: Int = 1, _ code: String = "EUR")
        -> PriceRun
    {
        PriceRun(
            list: list, currency: Currency(code)!, first: Slot(index: first), slotsPerPrice: slots, prices: prices)
    }

    private func all(_ ledger: Ledger) throws -> [PriceRun] {
        var runs: [PriceRun] = []
        try ledger.prices { runs.append($0) }
        return runs
    }

    @Test func `prices stay, the later one in the place of the earlier, and a hole stays a hole`() throws {
        let scratch = try Scratch()
        do {
            let ledger = try Ledger(path: scratch.path)
            #expect(try all(ledger).isEmpty)
            try ledger.commit(
                changes: [], prices: [run("spot", 100, [5, -7], slots: 2), run("a", 3, [1])],
                cursor: Cursor(epoch: 1, offset: 1))
            try ledger.commit(
                changes: [], prices: [run("spot", 103, [9, 8]), run("spot", 110, [4])],
                cursor: Cursor(epoch: 1, offset: 2))
            try ledger.settle()
        }
        let again = try Ledger(path: scratch.path)
        #expect(
            try all(again) == [run("spot", 100, [5, 5, -7, 9, 8]), run("spot", 110, [4]), run("a", 3, [1])])
    }

    @Test func `a list that changes its currency starts over`() throws {
        let scratch = try Scratch()
        let ledger = try Ledger(path: scratch.path)
        try ledger.commit(
            changes: [], prices: [run("spot", 1, [1, 2]), run("spot", 2, [3], slots: 1, "CHF")],
            cursor: Cursor(epoch: 1, offset: 1))
        #expect(try all(ledger) == [run("spot", 2, [3], slots: 1, "CHF")])
    }
}
