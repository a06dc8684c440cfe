import SQLite

/// A file whose damage shows only when a page of it is needed.
extension Ledger {
    /// Sets the damaged file at `path` aside and begins a new one with every row that can still be read, but without a
    /// cursor: the caller replays, and what the log still has is put right by that. Nobody may have the file open.
    public static func replace(
        _ path: String, because reason: String, limits: Limits = Limits()
    ) throws(LedgerError) -> Ledger {
        let aside = try DamagedFile.setAside(path)
        do throws(SQLiteError) {
            let (database, _) = try open(path)
            let rescue = Rescue(from: aside, to: database)
            // What cannot be opened at all has nothing to give.
            try? rescue?.run()
            return Ledger(
                path: path, opening: .replaced(setAside: aside, reason: reason), database: database, limits: limits)
        } catch {
            throw LedgerError(path: path, error)
        }
    }
}

/// Copies rows out of a damaged database: from the first on as far as that goes, then from the last one back.
struct Rescue {
    private let damaged: Database
    private let target: Database

    /// With the order in which a table can be read from either end. Sums make themselves; the cursor is not to be
    /// known.
    private static let tables: [(name: String, order: [String], columns: Int)] = [
        ("meter", ["key"], 3), ("epoch", ["key"], 2), ("slot", ["slot", "meter"], 12),
        ("device", ["id", "valid_from"], 3), ("settings", ["valid_from"], 2),
        ("decision", ["time", "device", "channel", "quantity", "kind"], 8), ("command", ["id"], 3),
        ("price_list", ["key"], 3), ("price", ["list", "slot"], 3),
    ]

    init?(from path: String, to target: Database) {
        guard let damaged = try? Database(path: path, access: .untouched),
            (try? damaged.schemaVersion()) == LedgerSchema.migrator.version
        else { return nil }
        self.damaged = damaged
        self.target = target
    }

    func run() throws(SQLiteError) {
        try target.transaction { () throws(SQLiteError) in
            for table in Rescue.tables {
                let marks = repeatElement("?", count: table.columns).joined(separator: ", ")
                let insert = try target.prepare("INSERT OR IGNORE INTO \(table.name) VALUES (\(marks))")
                for direction in ["ASC", "DESC"] {
                    let order = table.order.map { "\($0) \(direction)" }.joined(separator: ", ")
                    if try copy("SELECT * FROM \(table.name) ORDER BY \(order)", table.columns, insert) { break }
                }
            }
        }
    }

    /// True when the table was read to its end.
    private func copy(_ select: String, _ columns: Int, _ insert: Statement) throws(SQLiteError) -> Bool {
        guard let rows = try? damaged.prepare(select) else { return false }
        defer { rows.reset() }
        while true {
            do throws(SQLiteError) {
                guard try rows.step() else { return true }
            } catch {
                return false
            }
            guard rows.columnCount == columns else { return false }
            for i in 0..<columns {
                if let value = rows.integer(i) {
                    try insert.bind(i + 1, value)
                } else if let value = rows.text(i) {
                    try insert.bind(i + 1, value)
                } else if let value = rows.blob(i) {
                    try insert.bind(i + 1, value)
                } else {
                    try insert.bindNull(i + 1)
                }
            }
            // A row that breaks the table's rules is one of the damaged ones.
            try? insert.run()
            insert.reset()
        }
    }
}
