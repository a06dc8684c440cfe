import SQLite

/// The tables of `ledger.db`.
///
/// A year of one meter is 35,040 slots, kept for ever, so a slot's row is what counts:
/// - `meter` and `epoch` stand for a device's channel (16 + 5 bytes) and a log's life (8) in one byte each;
/// - a whole slot without estimates stores no byte for `unmeasured`, `filled` and `estimated`: SQLite keeps 0 in the
///   type byte alone;
/// - the key begins with the slot, so that a commit touches the last page of the tree and not one page a device.
enum LedgerSchema {
    static let migrator = Migrator([
        Migration(
            "slots, devices, settings, decisions, cursor",
            """
            CREATE TABLE meter (
                key INTEGER PRIMARY KEY,
                device BLOB NOT NULL,
                channel TEXT NOT NULL,
                UNIQUE (device, channel)
            );
            CREATE TABLE epoch (
                key INTEGER PRIMARY KEY,
                epoch INTEGER NOT NULL UNIQUE
            );
            CREATE TABLE slot (
                slot INTEGER NOT NULL,
                meter INTEGER NOT NULL,
                epoch INTEGER NOT NULL,
                source INTEGER NOT NULL,
                unmeasured INTEGER NOT NULL,
                filled INTEGER NOT NULL,
                estimated INTEGER NOT NULL,
                imported INTEGER,
                exported INTEGER,
                produced INTEGER,
                charged INTEGER,
                discharged INTEGER,
                PRIMARY KEY (slot, meter)
            ) WITHOUT ROWID;
            CREATE TABLE device (
                id BLOB NOT NULL,
                valid_from INTEGER NOT NULL,
                record BLOB NOT NULL,
                PRIMARY KEY (id, valid_from)
            ) WITHOUT ROWID;
            CREATE TABLE settings (
                valid_from INTEGER PRIMARY KEY,
                record BLOB NOT NULL
            );
            CREATE TABLE decision (
                time INTEGER NOT NULL,
                device BLOB NOT NULL,
                channel TEXT NOT NULL,
                quantity INTEGER NOT NULL,
                kind TEXT NOT NULL,
                from_value INTEGER,
                to_value INTEGER,
                rule TEXT NOT NULL,
                PRIMARY KEY (time, device, channel, quantity, kind)
            ) WITHOUT ROWID;
            CREATE TABLE position (
                topic INTEGER PRIMARY KEY,
                epoch INTEGER NOT NULL,
                next INTEGER NOT NULL
            );
            """),
        Migration("totals of all slots", LedgerSchema.totals),
        Migration(
            "commands",
            """
            CREATE TABLE command (
                id BLOB PRIMARY KEY,
                time INTEGER NOT NULL,
                record BLOB NOT NULL
            ) WITHOUT ROWID;
            CREATE INDEX command_time ON command (time);
            """),
        Migration(
            "price lists",
            """
            CREATE TABLE price_list (
                key INTEGER PRIMARY KEY,
                name TEXT NOT NULL UNIQUE,
                currency TEXT NOT NULL
            );
            CREATE TABLE price (
                list INTEGER NOT NULL,
                slot INTEGER NOT NULL,
                price INTEGER NOT NULL,
                PRIMARY KEY (list, slot)
            ) WITHOUT ROWID;
            """),
    ])

    private static let energies = ["imported", "exported", "produced", "charged", "discharged"]

    /// Sums that are kept as slots change, so that nobody adds up years of them at each start. NULL: never known.
    private static let totals: String = {
        func list(_ each: (String) -> String) -> String { energies.map(each).joined(separator: ", ") }
        let change = list {
            "\($0) = CASE WHEN new.\($0) IS NULL THEN \($0) ELSE ifnull(\($0), 0) + new.\($0) END"
        }
        let undo = list { "\($0) = \($0) - ifnull(old.\($0), 0)" }
        let add = """
            INSERT INTO total (meter) VALUES (new.meter) ON CONFLICT (meter) DO NOTHING;
            UPDATE total SET \(change) WHERE meter = new.meter;
            """
        return """
            CREATE TABLE total (
                meter INTEGER PRIMARY KEY,
                \(list { "\($0) INTEGER" })
            );
            INSERT INTO total SELECT meter, \(list { "sum(\($0))" }) FROM slot GROUP BY meter;
            CREATE TRIGGER slot_new AFTER INSERT ON slot BEGIN
                \(add)
            END;
            CREATE TRIGGER slot_changed AFTER UPDATE ON slot BEGIN
                UPDATE total SET \(undo) WHERE meter = old.meter;
                \(add)
            END;
            CREATE TRIGGER slot_gone AFTER DELETE ON slot BEGIN
                UPDATE total SET \(undo) WHERE meter = old.meter;
            END;
            """
    }()
}
