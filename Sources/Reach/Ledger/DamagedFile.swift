import Glibc
import SQLite

/// Sets a damaged database aside instead of deleting it, and keeps only the newest few of them.
enum DamagedFile {
    /// More would fill a small card where the card itself is what damages them.
    static let kept = 3

    /// The number of bytes at `path`; 0 where there is no file.
    static func size(_ path: String) -> Int64 {
        var information = stat()
        return stat(path, &information) == 0 ? Int64(information.st_size) : 0
    }

    /// Renames `path`, and the write-ahead log that belongs to it, to the first free `<path>.damaged-<n>`.
    static func setAside(_ path: String) throws(LedgerError) -> String {
        var number = 1
        while number < 1_000_000, access("\(path).damaged-\(number)", F_OK) == 0 || errno != ENOENT { number += 1 }
        let aside = "\(path).damaged-\(number)"
        guard rename(path, aside) == 0 else {
            let reason = String(cString: strerror(errno))
            throw .damaged(path: path, reason: "it could not be renamed to \(aside): \(reason)")
        }
        // The log goes too, else SQLite would replay it into the new file. The index is made from it.
        if rename(path + "-wal", aside + "-wal") != 0 { unlink(path + "-wal") }
        unlink(path + "-shm")
        if number > kept { discard("\(path).damaged-\(number - kept)") }
        return aside
    }

    private static func discard(_ path: String) {
        unlink(path)
        unlink(path + "-wal")
    }
}
