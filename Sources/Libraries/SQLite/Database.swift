import CSQLite

/// One connection to one SQLite file, with its prepared statements.
///
/// One thread at a time, blocking: keep it on a thread or an executor of its own. It is not `Sendable`, and SQLite is
/// opened without its own mutexes because of that rule.
public final class Database {
    public enum Access: Hashable, Sendable {
        /// The file must be there.
        case readOnly
        /// The file must be there. Nothing is locked and nothing is made beside it, so this works on a disk that takes
        /// no writes, and shows what the write-ahead log has as well; nobody may write to the file meanwhile.
        case untouched
        /// The file must be there.
        case readWrite
        /// The file is made when it is not there.
        case create

        var flags: Int32 {
            switch self {
            case .readOnly, .untouched: SQLITE_OPEN_READONLY
            case .readWrite: SQLITE_OPEN_READWRITE
            case .create: SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE
            }
        }

        /// Those that write.
        var isWriting: Bool { self == .readWrite || self == .create }
    }

    /// How much a commit waits for the disk, in WAL mode.
    public enum Durability: String, Hashable, Sendable {
        /// A power cut may undo the last commits, never damage the file.
        case normal = "NORMAL"
        /// A commit that returned survives a power cut.
        case full = "FULL"
    }

    public let path: String
    public let access: Access
    private let handle: OpaquePointer
    private var cached: [String: Statement] = [:]
    private static let cacheLimit = 64

    /// Opens the file, in WAL mode unless read-only; other connections are waited for up to `busyTimeout` milliseconds.
    public init(
        path: String, access: Access = .create, durability: Durability = .normal, busyTimeout: Int32 = 5_000
    ) throws(SQLiteError) {
        var opened: OpaquePointer?
        let flags = access.flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE
        let code = sqlite3_open_v2(path, &opened, flags, access == .untouched ? "unix-none" : nil)
        guard code == SQLITE_OK, let opened else {
            let error = SQLiteError(opened, code: code)
            sqlite3_close_v2(opened)
            throw error
        }
        handle = opened
        self.path = path
        self.access = access
        sqlite3_busy_timeout(handle, busyTimeout)
        _ = csqlite_set_defensive(handle, 1)
        try execute("PRAGMA foreign_keys = ON")
        if access == .untouched {
            _ = csqlite_leave_log(handle)
            // The index of the write-ahead log is then in memory, not in a file beside it.
            try execute("PRAGMA locking_mode = EXCLUSIVE")
        }
        if access.isWriting {
            // Where it may only read, SQLite opens all the same, and never tries again.
            if sqlite3_db_readonly(handle, "main") == 1 {
                throw SQLiteError.failed(
                    code: SQLITE_READONLY, message: "the disk or the file can only be read", sql: nil)
            }
            try execute("PRAGMA journal_mode = WAL")
            try execute("PRAGMA synchronous = \(durability.rawValue)")
        }
    }

    deinit {
        cached.removeAll()
        // v2 waits for statements that somebody still holds.
        sqlite3_close_v2(handle)
    }

    /// Runs one or more statements without values and drops what they answer.
    public func execute(_ sql: String) throws(SQLiteError) {
        let code = sqlite3_exec(handle, sql, nil, nil, nil)
        guard code == SQLITE_OK else { throw SQLiteError(handle, code: code, sql: sql) }
    }

    /// The statement for this text, reset and without values. Prepared once, then taken from a cache.
    ///
    /// Two uses of one text at the same time would share their rows: finish the first.
    public func prepare(_ sql: String) throws(SQLiteError) -> Statement {
        if let statement = cached[sql] {
            statement.reset()
            return statement
        }
        if cached.count >= Database.cacheLimit { cached.removeAll() }
        let statement = try Statement(database: handle, sql: sql)
        cached[sql] = statement
        return statement
    }

    /// Commits what `body` did, or rolls all of it back when it throws. Transactions do not nest.
    ///
    /// It takes the write lock at the start, so that it cannot fail half-way because another connection writes.
    public func transaction<R>(_ body: () throws(SQLiteError) -> R) throws(SQLiteError) -> R {
        try transaction(or: { $0 }, body)
    }

    /// As above, for a body with an error type of its own: `failed` turns SQLite's into it.
    public func transaction<R, Failure: Error>(
        or failed: (SQLiteError) -> Failure, _ body: () throws(Failure) -> R
    ) throws(Failure) -> R {
        precondition(sqlite3_get_autocommit(handle) != 0, "a transaction inside a transaction")
        do { try execute("BEGIN IMMEDIATE") } catch { throw failed(error) }
        let result: R
        do { result = try body() } catch {
            rollBack()
            throw error
        }
        do { try execute("COMMIT") } catch {
            rollBack()
            throw failed(error)
        }
        return result
    }

    /// After a full disk or an I/O error SQLite may have rolled back by itself.
    private func rollBack() {
        guard sqlite3_get_autocommit(handle) == 0 else { return }
        try? execute("ROLLBACK")
    }

    /// The rowid of the last inserted row.
    public var lastInsertedRow: Int64 { sqlite3_last_insert_rowid(handle) }

    /// Rows that the last statement inserted, changed or deleted.
    public var changedRows: Int { Int(sqlite3_changes(handle)) }

    /// The schema's version as the migrator keeps it; 0 in a new file.
    public func schemaVersion() throws(SQLiteError) -> Int {
        let statement = try prepare("PRAGMA user_version")
        defer { statement.reset() }
        guard try statement.step() else { return 0 }
        return Int(statement.integer(0) ?? 0)
    }

    /// Moves the write-ahead log into the file and empties it: before a copy or at the end.
    public func checkpoint() throws(SQLiteError) {
        let code = sqlite3_wal_checkpoint_v2(handle, nil, SQLITE_CHECKPOINT_TRUNCATE, nil, nil)
        guard code == SQLITE_OK else { throw SQLiteError(handle, code: code, sql: "checkpoint") }
    }
}
