import CSQLite

/// One prepared statement. Parameters count from 1, columns from 0, as in SQLite. One thread at a time.
///
/// Integers, text and bytes only: a float has no place in what we keep.
public final class Statement {
    public let sql: String
    private let handle: OpaquePointer
    private let database: OpaquePointer

    init(database: OpaquePointer, sql: String) throws(SQLiteError) {
        var prepared: OpaquePointer?
        var trailing = false
        var code: Int32 = SQLITE_OK
        var sqlText = sql
        sqlText.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) { text in
                var tail: UnsafePointer<CChar>?
                code = sqlite3_prepare_v3(
                    database, text.baseAddress, Int32(clamping: text.count), UInt32(SQLITE_PREPARE_PERSISTENT),
                    &prepared, &tail)
                // Something behind the first statement would silently not run.
                if let tail, let start = text.baseAddress {
                    trailing = text[(tail - start)...].contains { $0 > 0x20 && $0 != 0x3B }
                }
            }
        }
        guard code == SQLITE_OK else { throw SQLiteError(database, code: code, sql: sql) }
        guard let prepared, !trailing else {
            sqlite3_finalize(prepared)
            throw .failed(code: SQLITE_MISUSE, message: "not exactly one statement", sql: sql)
        }
        handle = prepared
        self.database = database
        self.sql = sql
    }

    deinit { sqlite3_finalize(handle) }

    // MARK: Values in

    public func bind(_ index: Int, _ value: Int64?) throws(SQLiteError) {
        guard let value else { return try bindNull(index) }
        try check(sqlite3_bind_int64(handle, Int32(clamping: index), value))
    }

    public func bind(_ index: Int, _ value: String?) throws(SQLiteError) {
        guard var value else { return try bindNull(index) }
        let code = value.withUTF8 { bytes in
            bytes.withMemoryRebound(to: CChar.self) { text in
                // An empty buffer may have no address, and no address would be NULL.
                guard let start = text.baseAddress else { return csqlite_bind_text_copy(handle, Int32(index), "", 0) }
                return csqlite_bind_text_copy(handle, Int32(clamping: index), start, Int32(clamping: text.count))
            }
        }
        try check(code)
    }

    public func bind(_ index: Int, _ value: [UInt8]?) throws(SQLiteError) {
        guard let value else { return try bindNull(index) }
        let code = value.withUnsafeBytes { bytes in
            guard let start = bytes.baseAddress, !bytes.isEmpty else {
                return sqlite3_bind_zeroblob(handle, Int32(clamping: index), 0)
            }
            return csqlite_bind_blob_copy(handle, Int32(clamping: index), start, Int32(clamping: bytes.count))
        }
        try check(code)
    }

    public func bindNull(_ index: Int) throws(SQLiteError) {
        try check(sqlite3_bind_null(handle, Int32(clamping: index)))
    }

    // MARK: Rows

    /// True when there is a row to read, false at the end; then the statement is reset and may be bound and run again.
    public func step() throws(SQLiteError) -> Bool {
        let code = sqlite3_step(handle)
        switch code {
        case SQLITE_ROW: return true
        case SQLITE_DONE:
            sqlite3_reset(handle)
            return false
        default:
            let error = SQLiteError(database, code: code, sql: sql)
            sqlite3_reset(handle)
            throw error
        }
    }

    /// Runs a statement that answers nothing, or whose answer nobody wants.
    public func run() throws(SQLiteError) {
        while try step() {}
    }

    /// Calls `body` on each row until it returns false.
    public func forEachRow(_ body: (Statement) throws(SQLiteError) -> Bool) throws(SQLiteError) {
        defer { reset() }
        while try step() {
            guard try body(self) else { return }
        }
    }

    /// Ends a reading that was not finished, and forgets the values.
    public func reset() {
        sqlite3_reset(handle)
        sqlite3_clear_bindings(handle)
    }

    // MARK: Values out, of the current row

    /// Nil for NULL and for anything that is stored as something else: nothing is converted.
    public func integer(_ column: Int) -> Int64? {
        guard type(column) == SQLITE_INTEGER else { return nil }
        return sqlite3_column_int64(handle, Int32(column))
    }

    public func text(_ column: Int) -> String? {
        guard type(column) == SQLITE_TEXT, let start = sqlite3_column_text(handle, Int32(column)) else { return nil }
        let count = Int(sqlite3_column_bytes(handle, Int32(column)))
        return String(decoding: UnsafeBufferPointer(start: start, count: count), as: UTF8.self)
    }

    public func blob(_ column: Int) -> [UInt8]? {
        guard type(column) == SQLITE_BLOB else { return nil }
        guard let start = sqlite3_column_blob(handle, Int32(column)) else { return [] }
        return Array(UnsafeRawBufferPointer(start: start, count: Int(sqlite3_column_bytes(handle, Int32(column)))))
    }

    public func isNull(_ column: Int) -> Bool { type(column) == SQLITE_NULL }

    public var columnCount: Int { Int(sqlite3_column_count(handle)) }

    private func type(_ column: Int) -> Int32 {
        precondition(column >= 0 && column < columnCount, "a column that the statement does not have")
        return sqlite3_column_type(handle, Int32(column))
    }

    private func check(_ code: Int32) throws(SQLiteError) {
        guard code == SQLITE_OK else { throw SQLiteError(database, code: code, sql: sql) }
    }
}
