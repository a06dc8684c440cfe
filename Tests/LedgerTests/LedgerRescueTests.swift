import Foundation
import Ledger
import Metering
import Records
import Testing
import Timekeeping

/// One bad page of a ledger that holds years.
@Suite struct LedgerRescueTests {
    @Test func `a page that turns bad costs its own rows and no others`() throws {
        let scratch = try Scratch()
        let before: [SlotUsage]
        do {
            let ledger = try Ledger(path: scratch.path)
            for first in stride(from: Int64(0), to: 4000, by: 500) {
                let changes = (first..<first + 500).map { usage(plug, $0, source: UInt64($0)) }
                try ledger.commit(changes: changes, cursor: Cursor(epoch: 1, offset: UInt64(first + 500)))
            }
            try ledger.settle()
            before = try ledger.all()
        }
        var bytes = try Data(contentsOf: URL(fileURLWithPath: scratch.path))
        let pages = bytes.count / 4096
        try #require(pages > 20)
        bytes.replaceSubrange(pages / 2 * 4096..<(pages / 2 + 1) * 4096, with: Data(count: 4096))
        try bytes.write(to: URL(fileURLWithPath: scratch.path))
        // Opening looks at a row of each table and sees nothing.
        #expect(try Ledger(path: scratch.path).opening == .kept)

        let ledger = try Ledger.replace(scratch.path, because: "a test")
        #expect(ledger.opening == .replaced(setAside: scratch.path + ".damaged-1", reason: "a test"))
        let rescued = try ledger.all()
        #expect(rescued.count < before.count && rescued.count > before.count * 8 / 10, "\(rescued.count)")
        #expect(Set(rescued.map(\.slot)).isSubset(of: Set(before.map(\.slot))))
        #expect(rescued.allSatisfy { before.contains($0) })
        #expect(rescued.last == before.last, "the newest are behind the page")
        // It asks for a replay, and what is then said again takes its place; sums are those of the rows.
        #expect(try ledger.cursor() == nil)
        try ledger.commit(changes: before, cursor: Cursor(epoch: 1, offset: 4000))
        #expect(try ledger.all() == before)
        let total = try #require(try ledger.totals().first)
        #expect(total.imported == before.compactMap(\.imported).reduce(0, +))
    }

    @Test func `what is no database at all gives an empty ledger`() throws {
        let scratch = try Scratch()
        try Data(repeating: 0x5A, count: 9000).write(to: URL(fileURLWithPath: scratch.path))
        let ledger = try Ledger.replace(scratch.path, because: "a test")
        #expect(try ledger.all().isEmpty && ledger.cursor() == nil)
    }
}
