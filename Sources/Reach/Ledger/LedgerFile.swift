import Metering
import Records
import SQLite

/// A ledger that is only looked at: its file is not changed, brought up to date or set aside.
public struct LedgerFile {
    private let path: String
    private let database: Database

    /// Of a file that is there.
    public init(path: String) throws(LedgerError) {
        self.path = path
        do throws(SQLiteError) {
            database = try LedgerFile.open(path)
        } catch {
            throw LedgerError(path: path, error)
        }
    }

    private static func open(_ path: String) throws(SQLiteError) -> Database {
        do throws(SQLiteError) {
            let database = try Database(path: path, access: .readOnly)
            _ = try database.schemaVersion()
            return database
        } catch {
            // The index of a write-ahead log is missing and cannot be made: nobody uses the file, on a disk that takes
            // no writes.
            guard error.cannotOpen else { throw error }
            return try Database(path: path, access: .untouched)
        }
    }

    /// What SQLite finds wrong in the whole file, at most a hundred sentences. Reads every page.
    public func problems() throws(LedgerError) -> [String] {
        do throws(SQLiteError) {
            let statement = try database.prepare("PRAGMA integrity_check(100)")
            defer { statement.reset() }
            var found: [String] = []
            while try statement.step() {
                if let text = statement.text(0), text != "ok" { found.append(text) }
            }
            return found
        } catch {
            if error.isCorrupt { return [error.description] }
            throw LedgerError(path: path, error)
        }
    }

    /// The latest descriptor of each device.
    public func devices() throws(LedgerError) -> [Device] {
        do throws(SQLiteError) {
            let statement = try database.prepare("SELECT record FROM device ORDER BY id, valid_from")
            defer { statement.reset() }
            var found: [DeviceID: Device] = [:]
            while try statement.step() {
                guard let record = StoredRecord.record(statement.blob(0) ?? []), case .device(let device) = record
                else {
                    throw SQLiteError.damaged("a stored device cannot be read", statement.sql)
                }
                found[device.id] = device
            }
            return found.values.sorted { $0.id < $1.id }
        } catch {
            throw LedgerError(path: path, error)
        }
    }

    /// Slots that are kept.
    public func slotCount() throws(LedgerError) -> Int {
        do throws(SQLiteError) {
            let statement = try database.prepare("SELECT count(*) FROM slot")
            defer { statement.reset() }
            return try statement.step() ? Int(statement.integer(0) ?? 0) : 0
        } catch {
            throw LedgerError(path: path, error)
        }
    }

    /// Writes a whole and consistent copy to `target`, where nothing may lie, while others write to the ledger.
    public func copy(to target: String) throws(LedgerError) {
        do throws(SQLiteError) {
            let statement = try database.prepare("VACUUM INTO ?")
            defer { statement.reset() }
            try statement.bind(1, target)
            _ = try statement.step()
        } catch {
            throw LedgerError(path: path, error)
        }
    }
}
