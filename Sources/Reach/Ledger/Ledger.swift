import Metering
import Records
import SQLite
import Timekeeping
import Usage

/// Slots at rest: `ledger.db`, with the devices, settings and decisions that explain them, and the cursor up to which
/// they hold.
///
/// One thread at a time, blocking: the shell owns it on its store thread. It writes nothing until `commit`, and a
/// commit is one transaction with the cursor inside, so a crash leaves the state of some commit and never a mixture.
/// All of it can be made again from the log and from History: where `cursor()` is nil the caller replays.
public final class Ledger {
    /// What was found at the path.
    public enum Opening: Hashable, Sendable {
        /// Nothing: the file is new.
        case new
        /// A ledger of this version or an older one, brought up to date.
        case kept
        /// A damaged file, now under the name `setAside`; the ledger begins anew and must be filled by a replay.
        case replaced(setAside: String, reason: String)
        /// A ledger of a newer version: it answers queries and refuses commits.
        case readOnly
        /// What cannot be opened for writing: as in `init(waiting:because:)`.
        case waiting(reason: String)
    }

    /// Of the database file; `-wal` and `-shm` lie beside it.
    public let path: String
    /// What `init` found there.
    public let opening: Opening
    let database: Database
    let limits: Limits

    /// What is bounded besides the slots, which are kept for ever (about 1.25 MB a year for each channel with a meter).
    public struct Limits: Hashable, Sendable {
        /// Decisions that are kept; the oldest go first.
        public var decisions: Int
        /// Versions of one device, and of the settings; the oldest go first.
        public var versions: Int

        /// Commands that are kept; the oldest go first.
        public var commands: Int

        /// At least one version is kept of each.
        public init(decisions: Int = 10_000, versions: Int = 256, commands: Int = 10_000) {
            self.decisions = max(0, decisions)
            self.versions = max(1, versions)
            self.commands = max(0, commands)
        }
    }

    /// Opens or makes the file. A damaged one is renamed to `<path>.damaged-<n>` and replaced by one with all that can
    /// be read of it; a disk that refuses is an error, since the file may be whole.
    public init(path: String, limits: Limits = Limits()) throws(LedgerError) {
        self.path = path
        self.limits = limits
        do throws(SQLiteError) {
            (database, opening) = try Ledger.open(path)
        } catch {
            guard error.isCorrupt else { throw LedgerError(path: path, error) }
            let aside = try DamagedFile.setAside(path)
            do throws(SQLiteError) {
                (database, _) = try Ledger.open(path)
                try? Rescue(from: aside, to: database)?.run()
            } catch {
                throw LedgerError(path: path, error)
            }
            opening = .replaced(setAside: aside, reason: error.description)
        }
    }

    /// A ledger for as long as its disk takes no writes: it answers from the file as that lies there, or as an empty
    /// one where none can be read, and refuses commits. Changes nothing on the disk; only while nobody writes to the
    /// file.
    public init(
        waiting path: String, because error: LedgerError, limits: Limits = Limits()
    ) throws(LedgerError) {
        self.path = path
        self.limits = limits
        opening = .waiting(reason: error.description)
        if let found = try? Ledger.look(at: path) {
            database = found
            return
        }
        do throws(SQLiteError) {
            database = try Database(path: ":memory:", access: .create)
            try LedgerSchema.migrator.migrate(database)
        } catch {
            throw LedgerError(path: path, error)
        }
    }

    /// Nil where there is no ledger of this version.
    private static func look(at path: String) throws(SQLiteError) -> Database? {
        guard DamagedFile.size(path) > 0 else { return nil }
        let database = try Database(path: path, access: .untouched)
        guard try database.schemaVersion() == LedgerSchema.migrator.version else { return nil }
        try check(database, whole: false)
        return database
    }

    /// Commits are refused until it is opened anew.
    public var isWaiting: Bool {
        if case .waiting = opening { true } else { false }
    }

    init(path: String, opening: Opening, database: Database, limits: Limits) {
        self.path = path
        self.opening = opening
        self.database = database
        self.limits = limits
    }

    static func open(_ path: String) throws(SQLiteError) -> (Database, Opening) {
        let wasCut = DamagedFile.size(path + "-wal") > 0
        let database: Database
        do throws(SQLiteError) {
            // Reads before it writes: the connection must not turn a newer file into anything else.
            if DamagedFile.size(path) > 0 {
                let found = try Database(path: path, access: .readWrite, durability: .full).schemaVersion()
                if found > LedgerSchema.migrator.version { throw .newerSchema(found: found, known: 0) }
            }
            database = try Database(path: path, access: .create, durability: .full)
        } catch .newerSchema {
            return (try Database(path: path, access: .readOnly), .readOnly)
        }
        // A log that grew over a long replay gives its space back.
        try database.execute("PRAGMA journal_size_limit = 4194304")
        let isNew = try database.schemaVersion() == 0
        try LedgerSchema.migrator.migrate(database)
        if !isNew { try check(database, whole: wasCut && DamagedFile.size(path) <= 64 << 20) }
        return (database, isNew ? .new : .kept)
    }

    /// Reads one row of each table, so that a file without its tables shows here; `whole` reads every page. That is
    /// done after a cut only, and up to a size that a slow card reads in seconds: SQLite finds other damage as it
    /// comes to it, and says so.
    private static func check(_ database: Database, whole: Bool) throws(SQLiteError) {
        let tables = [
            "meter", "epoch", "slot", "total", "device", "settings", "decision", "position", "command", "price_list",
            "price",
        ]
        for table in tables {
            do throws(SQLiteError) {
                let statement = try database.prepare("SELECT * FROM \(table) LIMIT 1")
                defer { statement.reset() }
                _ = try statement.step()
            } catch {
                // "No such table" in a file of our version: its first page belongs to something else.
                guard case .failed(_, let message, let sql) = error, error.primaryCode == 1 else { throw error }
                throw .damaged(message, sql ?? table)
            }
        }
        guard whole else { return }
        let statement = try database.prepare("PRAGMA quick_check(1)")
        defer { statement.reset() }
        guard try statement.step(), let answer = statement.text(0), answer != "ok" else { return }
        throw .damaged(answer, "PRAGMA quick_check")
    }

    /// The next record of topic `slots` that belongs in the ledger; nil where it has never been told.
    public func cursor() throws(LedgerError) -> Cursor? {
        try reading { () throws(SQLiteError) in
            let statement = try database.prepare("SELECT epoch, next FROM position WHERE topic = ?")
            defer { statement.reset() }
            try statement.bind(1, Int64(Topic.slots.rawValue))
            guard try statement.step() else { return nil }
            return Cursor(
                epoch: UInt64(bitPattern: try statement.whole(0)), offset: UInt64(bitPattern: try statement.whole(1)))
        }
    }

    /// Moves all that was committed into the file itself and empties the write-ahead log: what a backup of the one file
    /// then has is everything. For the end; a ledger that is only read has nothing to move.
    public func settle() throws(LedgerError) {
        guard opening != .readOnly, !isWaiting else { return }
        try reading { () throws(SQLiteError) in try database.checkpoint() }
    }

    /// Bytes of the file and of its write-ahead log.
    public var size: Int64 { DamagedFile.size(path) + DamagedFile.size(path + "-wal") }

    func reading<R>(_ body: () throws(SQLiteError) -> R) throws(LedgerError) -> R {
        do throws(SQLiteError) { return try body() } catch { throw LedgerError(path: path, error) }
    }
}

extension Statement {
    /// An integer that the schema promises; anything else is damage.
    func whole(_ column: Int) throws(SQLiteError) -> Int64 {
        guard let value = integer(column) else { throw .damaged("column \(column) holds no integer", sql) }
        return value
    }
}

extension SQLiteError {
    /// A row that SQLite could read and the ledger cannot.
    static func damaged(_ what: String, _ sql: String) -> SQLiteError {
        .failed(code: 11, message: what, sql: sql)  // SQLITE_CORRUPT
    }
}
