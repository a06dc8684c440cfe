/// One step of the schema's history. Immutable once shipped: a mistake is mended by a further step.
public struct Migration: Sendable {
    public let name: String
    public let sql: String

    public init(_ name: String, _ sql: String) {
        self.name = name
        self.sql = sql
    }
}

/// Brings a database to the newest schema; `user_version` counts the steps that it has taken.
public struct Migrator: Sendable {
    public let migrations: [Migration]

    public init(_ migrations: [Migration]) {
        precondition(Set(migrations.map(\.name)).count == migrations.count, "two migrations of one name")
        self.migrations = migrations
    }

    /// The version that this program knows.
    public var version: Int { migrations.count }

    /// Takes the missing steps in one transaction, and returns their names: all or none.
    ///
    /// Throws `newerSchema`, and leaves the file alone, when it has taken steps that this program does not know.
    @discardableResult
    public func migrate(_ database: Database) throws(SQLiteError) -> [String] {
        try check(database)
        guard try database.schemaVersion() < version else { return [] }
        return try database.transaction { () throws(SQLiteError) in
            // Read again under the lock: another process may have migrated in between.
            try check(database)
            let missing = migrations.dropFirst(try database.schemaVersion())
            for migration in missing { try database.execute(migration.sql) }
            try database.execute("PRAGMA user_version = \(version)")
            return missing.map(\.name)
        }
    }

    private func check(_ database: Database) throws(SQLiteError) {
        let found = try database.schemaVersion()
        guard (0...version).contains(found) else { throw .newerSchema(found: found, known: version) }
    }
}
