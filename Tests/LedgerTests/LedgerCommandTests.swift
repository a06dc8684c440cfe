import Ledger
import Metering
import Records
import Testing
import Timekeeping

@Suite struct LedgerCommandTests {
    private func command(_ number: UInt64, at minute: Int64) -> DatedCommand {
        DatedCommand(
            time: Timestamp(seconds: 60 * minute),
            command: Command(
                id: CommandID(high: 0, low: number), actor: "me", verb: .correct,
                arguments: [.init(name: "action", value: "drop")]))
    }

    @Test func `commands are kept once, in the order of time, the newest within the bound`() throws {
        let scratch = try Scratch()
        let cursor = Cursor(epoch: 1, offset: 0)
        do {
            let ledger = try Ledger(path: scratch.path, limits: Ledger.Limits(commands: 3))
            try ledger.commit(changes: [], commands: [command(1, at: 5), command(2, at: 7)], cursor: cursor)
            // Replayed after a crash: the same ids, told later.
            try ledger.commit(changes: [], commands: [command(1, at: 9)], cursor: cursor)
            #expect(try ledger.commands() == [command(1, at: 5), command(2, at: 7)])
            try ledger.commit(changes: [], commands: [command(3, at: 8), command(4, at: 10)], cursor: cursor)
        }
        let again = try Ledger(path: scratch.path)
        #expect(try again.commands() == [command(2, at: 7), command(3, at: 8), command(4, at: 10)])
        #expect(try again.commands(limit: 1) == [command(4, at: 10)])
    }
}
