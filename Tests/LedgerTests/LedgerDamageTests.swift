import Foundation
import Ledger
import Metering
import Records
import Simulation
import Testing
import Timekeeping

@Suite struct LedgerDamageTests {
    private func filled(_ scratch: Scratch, slots: Int64 = 2000) throws {
        let ledger = try Ledger(path: scratch.path)
        for first in stride(from: 0, to: slots, by: 500) {
            let changes = (first..<min(slots, first + 500)).map { usage(plug, $0, source: UInt64($0)) }
            try ledger.commit(changes: changes, cursor: Cursor(epoch: 1, offset: UInt64(first + 500)))
        }
    }

    @Test(arguments: ["garbage", "header", "first page"])
    func `a damaged file is set aside whole and a new one asks for a replay`(what: String) throws {
        let scratch = try Scratch()
        try filled(scratch)
        var bytes = try Data(contentsOf: URL(fileURLWithPath: scratch.path))
        switch what {
        case "garbage": bytes = Data(repeating: 0x5A, count: 9000)
        case "header": bytes.replaceSubrange(0..<16, with: Data(count: 16))
        default: bytes.replaceSubrange(100..<4096, with: Data(repeating: 0xFF, count: 3996))
        }
        try bytes.write(to: URL(fileURLWithPath: scratch.path))
        let ledger = try Ledger(path: scratch.path)
        guard case .replaced(let aside, _) = ledger.opening else {
            Issue.record("opened as \(ledger.opening)")
            return
        }
        #expect(aside == scratch.path + ".damaged-1")
        #expect(try Data(contentsOf: URL(fileURLWithPath: aside)) == bytes)
        #expect(try ledger.cursor() == nil)
        try ledger.commit(changes: [usage(plug, 0, source: 1)], cursor: Cursor(epoch: 1, offset: 1))
        #expect(try ledger.all().count == 1)
    }

    @Test func `only the newest three damaged files are kept`() throws {
        let scratch = try Scratch()
        for _ in 0..<6 {
            try Data(repeating: 1, count: 5000).write(to: URL(fileURLWithPath: scratch.path))
            for suffix in ["-wal", "-shm"] { try? FileManager.default.removeItem(atPath: scratch.path + suffix) }
            _ = try Ledger(path: scratch.path)
        }
        let names = try FileManager.default.contentsOfDirectory(atPath: scratch.directory.path)
        #expect(names.filter { $0.contains("damaged") }.sorted() == [4, 5, 6].map { "ledger.db.damaged-\($0)" })
    }

    @Test func `pages overwritten at random give right rows or a typed error, and never a trap`() throws {
        let whole = try Scratch()
        try filled(whole)
        let expected = try Ledger(path: whole.path).all()
        let bytes = try Data(contentsOf: URL(fileURLWithPath: whole.path))
        var generator = SplitMix64(seed: 77)
        print("seed 77")
        var errors = 0
        for _ in 0..<40 {
            let scratch = try Scratch()
            var damaged = bytes
            let at = Int.random(in: 0..<bytes.count - 600, using: &generator)
            for i in at..<at + 600 { damaged[i] = .random(in: 0...255, using: &generator) }
            try damaged.write(to: URL(fileURLWithPath: scratch.path))
            do {
                let ledger = try Ledger(path: scratch.path)
                if try ledger.all() != expected { errors += 1 }
            } catch is LedgerError {
                errors += 1
            }
        }
        #expect(errors > 10)
    }

    @Test func `a newer file is read and never written`() throws {
        let scratch = try Scratch()
        try filled(scratch)
        var bytes = try Data(contentsOf: URL(fileURLWithPath: scratch.path))
        // The user version is a big-endian number at byte 60 of the file.
        bytes[63] = 99
        try bytes.write(to: URL(fileURLWithPath: scratch.path))
        let ledger = try Ledger(path: scratch.path)
        #expect(ledger.opening == .readOnly)
        #expect(try ledger.all().count == 2000)
        #expect(throws: LedgerError.readOnly(path: scratch.path)) {
            try ledger.commit(changes: [], cursor: Cursor(epoch: 9, offset: 9))
        }
        #expect(try Data(contentsOf: URL(fileURLWithPath: scratch.path)) == bytes)
    }

    @Test func `a directory that is not there is an error and not a damaged file`() throws {
        #expect(throws: LedgerError.self) { try Ledger(path: "/nonexistent/ledger.db") }
    }

    @Test func `a copy taken at any length of the write-ahead log holds exactly one commit's state`() throws {
        let scratch = try Scratch()
        let ledger = try Ledger(path: scratch.path)
        // Commit n writes value n to every slot, so that a mixture would show.
        for n in 1...6 {
            let changes = (0..<40).map { usage(plug, $0, source: UInt64(n), imported: Int64(n)) }
            try ledger.commit(changes: changes, cursor: Cursor(epoch: 1, offset: UInt64(n)))
        }
        let log = try Data(contentsOf: URL(fileURLWithPath: scratch.path + "-wal"))
        var seen: Set<UInt64> = []
        for length in Array(stride(from: 0, to: log.count, by: 2039)) + [log.count] {
            let cut = try Scratch()
            try scratch.copy(to: cut)
            try log.prefix(length).write(to: URL(fileURLWithPath: cut.path + "-wal"))
            let reopened = try Ledger(path: cut.path)
            let cursor = try reopened.cursor()
            let values = Set(try reopened.all().map { $0.imported ?? -1 })
            if let cursor {
                #expect(values == [Int64(cursor.offset)])
                seen.insert(cursor.offset)
            } else {
                #expect(values.isEmpty)
            }
        }
        #expect(seen == [1, 2, 3, 4, 5, 6])
    }

    @Test func `a slot costs at most 40 bytes and a day of commits at most 3 MB`() throws {
        let scratch = try Scratch()
        var generator = SplitMix64(seed: 3)
        let devices = (0..<20).map { _ in DeviceID(using: &generator) }
        let days: Int64 = 4
        let written = try self.days(days, devices, scratch.path, &generator)
        // Closed, so that the write-ahead log is in the file.
        let size = try FileManager.default.attributesOfItem(atPath: scratch.path)[.size] as? Int
        let perSlot = Double(try #require(size)) / Double(days * 96 * 20)
        let perDay = Double(written) / Double(days)
        print("ledger: \(Int(perDay)) bytes written a day, \(perSlot) bytes a slot")
        #expect(perDay <= 3_000_000)
        #expect(perSlot <= 40)
    }

    /// Commits every slot of so many days, and returns the bytes written meanwhile, fixed costs of opening left out.
    private func days(
        _ days: Int64, _ devices: [DeviceID], _ path: String, _ generator: inout SplitMix64
    ) throws -> Int64 {
        func written() throws -> Int64 {
            let text = try String(contentsOfFile: "/proc/thread-self/io", encoding: .utf8)
            let line = try #require(text.split(separator: "\n").first { $0.hasPrefix("wchar:") })
            return try #require(Int64(line.dropFirst(7)))
        }
        let ledger = try Ledger(path: path)
        let before = try written()
        var source: UInt64 = 50_000_000
        for slot in 0..<days * 96 {
            // The slot that ended, and the one before it again, as late readings make it.
            var changes: [SlotUsage] = []
            for device in devices {
                for index in max(0, slot - 1)...slot {
                    source += 90
                    let imported = Int64.random(in: 1000...2_000_000, using: &generator)
                    changes.append(usage(device, index, source: source, imported: imported))
                }
            }
            try ledger.commit(changes: changes, cursor: Cursor(epoch: 1, offset: source))
        }
        return try written() - before
    }
}
