import Foundation
import SQLite
import Testing

/// A directory of its own for each test, removed at the end.
final class TemporaryDirectory {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "/energyd-test-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }
}

@Suite struct SQLiteTests {
    let directory = try! TemporaryDirectory()
    var file: String { directory.path + "/a.db" }

    func open() throws -> Database {
        let database = try Database(path: file)
        try database.execute("CREATE TABLE IF NOT EXISTS t (a INTEGER PRIMARY KEY, b TEXT, c BLOB) STRICT")
        return database
    }

    @Test func `values come back as they went in`() throws {
        let database = try open()
        let insert = try database.prepare("INSERT INTO t VALUES (?, ?, ?)")
        let rows: [(Int64, String?, [UInt8]?)] = [
            (.min, "ä\0b", [0, 255]), (.max, "", []), (0, nil, nil),
        ]
        for row in rows {
            try insert.bind(1, row.0)
            try insert.bind(2, row.1)
            try insert.bind(3, row.2)
            try insert.run()
        }
        #expect(database.lastInsertedRow == 0)
        let select = try Database(path: file, access: .readOnly).prepare("SELECT a, b, c FROM t WHERE a = ?")
        for row in rows {
            try select.bind(1, row.0)
            #expect(try select.step())
            #expect(select.integer(0) == row.0)
            #expect(select.text(1) == row.1)
            #expect(select.blob(2) == row.2)
            #expect(select.isNull(1) == (row.1 == nil))
            #expect(select.integer(1) == nil && select.text(0) == nil && select.blob(0) == nil)
            #expect(try select.step() == false)
        }
    }

    @Test func `a statement is prepared once and comes back clean`() throws {
        let database = try open()
        let first = try database.prepare("SELECT ?")
        try first.bind(1, 5)
        #expect(try first.step())
        let second = try database.prepare("SELECT ?")
        #expect(first === second)
        #expect(try second.step())
        #expect(second.isNull(0))
    }

    @Test func `a transaction is all or nothing`() throws {
        struct Stop: Error {}
        let database = try open()
        #expect(throws: Stop.self) {
            try database.transaction(or: { _ in Stop() }) { () throws(Stop) in
                do { try database.execute("INSERT INTO t (a) VALUES (1)") } catch { Issue.record(error) }
                throw Stop()
            }
        }
        try database.transaction { () throws(SQLiteError) in try database.execute("INSERT INTO t (a) VALUES (2)") }
        #expect(throws: SQLiteError.self) {
            try database.transaction { () throws(SQLiteError) in
                try database.execute("INSERT INTO t (a) VALUES (3)")
                try database.execute("INSERT INTO t (a) VALUES (2)")
            }
        }
        var found: [Int64?] = []
        try database.prepare("SELECT a FROM t").forEachRow { row in
            found.append(row.integer(0))
            return true
        }
        #expect(found == [2])
        #expect(try database.prepare("PRAGMA journal_mode").step())
    }

    @Test func `errors carry the extended code, the message and the statement`() throws {
        let database = try open()
        try database.execute("INSERT INTO t (a) VALUES (1)")
        let sql = "INSERT INTO t (a) VALUES (1)"
        let twice = #expect(throws: SQLiteError.self) { try database.execute(sql) }
        #expect(twice?.primaryCode == 19)
        let primaryKeyConstraint: Int32 = 1555
        #expect(
            twice == .failed(code: primaryKeyConstraint, message: "UNIQUE constraint failed: t.a", sql: sql))
        let wrong = #expect(throws: SQLiteError.self) { try database.prepare("SELEC 1") }
        #expect(wrong?.description.contains("in: SELEC 1.") == true)
        #expect(throws: SQLiteError.self) { try database.prepare("SELECT 1; SELECT 2") }
        #expect(throws: SQLiteError.self) { try database.prepare("  ") }
        #expect(throws: SQLiteError.self) { try database.prepare("SELECT ?").bind(2, 1) }
    }

    @Test func `a missing, a locked and a damaged file are told apart`() throws {
        let missing = #expect(throws: SQLiteError.self) { try Database(path: file, access: .readWrite) }
        #expect(missing?.primaryCode == 14)
        let holder = try open()
        try holder.execute("BEGIN IMMEDIATE")
        let other = try Database(path: file, busyTimeout: 1)
        let busy = #expect(throws: SQLiteError.self) { try other.execute("INSERT INTO t (a) VALUES (1)") }
        #expect(busy?.isBusy == true)
        let noise = directory.path + "/noise.db"
        try Data(repeating: 7, count: 5_000).write(to: URL(fileURLWithPath: noise))
        let damaged = #expect(throws: SQLiteError.self) { try Database(path: noise) }
        #expect(damaged?.isCorrupt == true)
    }

    @Test func `a read-only connection writes nothing`() throws {
        _ = try open()
        let reader = try Database(path: file, access: .readOnly)
        let error = #expect(throws: SQLiteError.self) { try reader.execute("INSERT INTO t (a) VALUES (1)") }
        #expect(error?.primaryCode == 8)
    }

    @Test func `migrations run once, in order, and a failing one leaves nothing behind`() throws {
        let database = try Database(path: file)
        let first = Migration("tables", "CREATE TABLE x (a INTEGER); CREATE TABLE y (a INTEGER)")
        let second = Migration("column", "ALTER TABLE x ADD COLUMN b TEXT")
        #expect(try Migrator([first]).migrate(database) == ["tables"])
        #expect(try Migrator([first, second]).migrate(database) == ["column"])
        #expect(try Migrator([first, second]).migrate(database) == [])
        #expect(try database.schemaVersion() == 2)
        let third = Migration("half", "CREATE TABLE z (a INTEGER); NONSENSE")
        #expect(throws: SQLiteError.self) { try Migrator([first, second, third]).migrate(database) }
        #expect(try database.schemaVersion() == 2)
        #expect(throws: SQLiteError.self) { try database.prepare("SELECT * FROM z") }
    }

    @Test func `a newer schema is refused and left alone`() throws {
        let database = try Database(path: file)
        try database.execute("PRAGMA user_version = 3")
        let migrator = Migrator([Migration("tables", "CREATE TABLE x (a INTEGER)")])
        #expect(throws: SQLiteError.newerSchema(found: 3, known: 1)) { try migrator.migrate(database) }
        #expect(try Database(path: file, access: .readOnly).schemaVersion() == 3)
    }
}
