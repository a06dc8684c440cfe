import Metering
import Records
import SQLite
import Timekeeping

/// A command, and the log time at which it took effect.
public struct DatedCommand: Hashable, Sendable {
    public var time: Timestamp
    public var command: Command

    public init(time: Timestamp, command: Command) {
        self.time = time
        self.command = command
    }
}

// Who decided what, and when: kept for the audit, and for a state that must be made again from nothing.
extension Ledger {
    /// The same command replayed keeps the time at which it came first.
    func put(_ dated: DatedCommand) throws(SQLiteError) {
        let insert = try database.prepare("INSERT OR IGNORE INTO command (id, time, record) VALUES (?, ?, ?)")
        try insert.bind(1, dated.command.id.blob)
        try insert.bind(2, dated.time.milliseconds)
        try insert.bind(3, StoredRecord.bytes(.command(dated.command)))
        try insert.run()
        let drop = try database.prepare(
            """
            DELETE FROM command WHERE time <
                (SELECT time FROM command ORDER BY time DESC LIMIT 1 OFFSET ?)
            """)
        try drop.bind(1, Int64(max(0, limits.commands - 1)))
        try drop.run()
    }

    /// The newest `limit` commands, in the order of time.
    public func commands(limit: Int = 10_000) throws(LedgerError) -> [DatedCommand] {
        try reading { () throws(SQLiteError) in
            let statement = try database.prepare("SELECT time, record FROM command ORDER BY time DESC, id DESC LIMIT ?")
            defer { statement.reset() }
            try statement.bind(1, Int64(max(0, limit)))
            var found: [DatedCommand] = []
            while try statement.step() {
                guard case .command(let command)? = StoredRecord.record(statement.blob(1) ?? []) else {
                    throw .damaged("a stored command cannot be read", statement.sql)
                }
                found.append(DatedCommand(time: Timestamp(milliseconds: try statement.whole(0)), command: command))
            }
            return found.reversed()
        }
    }
}
