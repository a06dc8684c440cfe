import Foundation
import Ledger
import Metering
import Records
import Testing
import Timekeeping

/// A ledger whose disk takes no writes.
@Suite struct LedgerWaitingTests {
    private let error = LedgerError.damaged(path: "ledger.db", reason: "the disk is read-only")

    @Test func `it answers with what lies in the write-ahead log as well, and touches nothing`() throws {
        let running = try Scratch()
        let ledger = try Ledger(path: running.path)
        try ledger.commit(changes: [usage(plug, 1, source: 1)], cursor: Cursor(epoch: 1, offset: 1))
        // What a power cut leaves: nothing of it is in the file itself yet, and the log's index is gone.
        let scratch = try Scratch()
        for suffix in ["", "-wal"] {
            try FileManager.default.copyItem(atPath: running.path + suffix, toPath: scratch.path + suffix)
        }
        let before = try contents(scratch)
        #expect(before.keys.sorted() == ["ledger.db", "ledger.db-wal"])
        do {
            let waiting = try Ledger(waiting: scratch.path, because: error)
            #expect(waiting.isWaiting)
            #expect(try waiting.all() == ledger.all())
            #expect(try waiting.cursor() == Cursor(epoch: 1, offset: 1))
            #expect(throws: LedgerError.self) {
                try waiting.commit(changes: [usage(plug, 2, source: 2)], cursor: Cursor(epoch: 1, offset: 2))
            }
            try waiting.settle()
        }
        #expect(try contents(scratch) == before)
        // Opened for writing later, it is all there.
        let again = try Ledger(path: scratch.path)
        #expect(try again.all() == ledger.all())
    }

    @Test(arguments: ["missing", "junk"]) func `where nothing can be read it is empty and waits`(what: String) throws {
        let scratch = try Scratch()
        if what == "junk" {
            try Data(repeating: 0x5A, count: 9000).write(to: URL(fileURLWithPath: scratch.path))
        }
        let before = try contents(scratch)
        let waiting = try Ledger(waiting: scratch.path, because: error)
        #expect(waiting.isWaiting)
        #expect(try waiting.all().isEmpty && waiting.cursor() == nil)
        #expect(throws: LedgerError.self) {
            try waiting.commit(changes: [usage(plug, 2, source: 2)], cursor: Cursor(epoch: 1, offset: 2))
        }
        #expect(try contents(scratch) == before)
    }

    private func contents(_ scratch: Scratch) throws -> [String: Data] {
        let names = try FileManager.default.contentsOfDirectory(atPath: scratch.directory.path)
        return try Dictionary(
            uniqueKeysWithValues: names.map {
                ($0, try Data(contentsOf: scratch.directory.appendingPathComponent($0)))
            })
    }
}
