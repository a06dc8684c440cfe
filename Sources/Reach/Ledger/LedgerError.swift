import SQLite

/// Why the ledger could not do what it was asked.
public enum LedgerError: Error, Hashable, Sendable, CustomStringConvertible {
    /// The file holds what no version wrote. Open it again: it is then set aside and a new one begun.
    case damaged(path: String, reason: String)
    /// A newer version wrote the file, so this one only reads it.
    case readOnly(path: String)
    /// The disk took no writes when the ledger was opened, for this reason; until it is opened anew it only answers.
    case waiting(path: String, reason: String)
    /// SQLite or the disk refused; nothing of the commit in question was kept.
    case failed(path: String, SQLiteError)

    init(path: String, _ error: SQLiteError) {
        self = error.isCorrupt ? .damaged(path: path, reason: error.description) : .failed(path: path, error)
    }

    public var description: String {
        switch self {
        case .damaged(let path, let reason): "The ledger \(path) is damaged: \(reason)"
        case .readOnly(let path): "The ledger \(path) was written by a newer version and is only read."
        case .waiting(let path, let reason):
            "The ledger \(path) cannot be written, and what changes waits in memory: \(reason)"
        case .failed(let path, let error): "The ledger \(path) could not be used: \(error)"
        }
    }
}
