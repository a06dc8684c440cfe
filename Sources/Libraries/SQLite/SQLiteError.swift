import CSQLite

/// What SQLite refused, with its extended result code and the statement in question.
public enum SQLiteError: Error, Hashable, Sendable, CustomStringConvertible {
    /// `code` is SQLite's extended result code, `sql` the statement (never the values bound to it).
    case failed(code: Int32, message: String, sql: String?)
    /// The file was written by a newer program: open it read-only, never rewrite it.
    case newerSchema(found: Int, known: Int)

    /// The primary code of the extended one: `SQLITE_CONSTRAINT` of `SQLITE_CONSTRAINT_UNIQUE`. Nil for `newerSchema`.
    public var primaryCode: Int32? {
        if case .failed(let code, _, _) = self { code & 0xFF } else { nil }
    }

    /// Another connection holds the file for longer than the busy timeout.
    public var isBusy: Bool { primaryCode == SQLITE_BUSY || primaryCode == SQLITE_LOCKED }
    /// No space is left on the disk.
    public var isFull: Bool { primaryCode == SQLITE_FULL }
    /// The file, or one beside it that belongs to it, cannot be opened or made.
    public var cannotOpen: Bool { primaryCode == SQLITE_CANTOPEN }
    /// The file is no database, or a damaged one.
    public var isCorrupt: Bool { primaryCode == SQLITE_CORRUPT || primaryCode == SQLITE_NOTADB }

    public var description: String {
        switch self {
        case .failed(let code, let message, let sql):
            "The database refused (\(code)): \(message)" + (sql.map { ", in: \($0)" } ?? "") + "."
        case .newerSchema(let found, let known):
            "The database has schema version \(found), this program knows \(known): it can only be read."
        }
    }

    /// The last error of a connection.
    init(_ handle: OpaquePointer?, code: Int32, sql: String? = nil) {
        let extended = handle.map { sqlite3_extended_errcode($0) } ?? code
        // A misuse may leave the connection's own code at OK: then the returned one says more.
        let best = extended == SQLITE_OK ? code : extended
        let message = handle.flatMap { sqlite3_errmsg($0) } ?? sqlite3_errstr(best)
        self = .failed(code: best, message: message.map { String(cString: $0) } ?? "unknown error", sql: sql)
    }
}
