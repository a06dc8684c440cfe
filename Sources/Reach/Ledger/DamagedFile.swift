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

    /// Renames `path`, and the write-ahead log that belongs to it, to `<path>.damaged-<n>`, with the next number.
    static func setAside(_ path: String) throws(LedgerError) -> String {
        let number = (numbers(of: path).max() ?? 0) + 1
        let aside = "\(path).damaged-\(number)"
        guard rename(path, aside) == 0 else {
            let reason = String(cString: strerror(errno))
            throw .damaged(path: path, reason: "it could not be renamed to \(aside): \(reason)")
        }
        // The log goes too, else SQLite would replay it into the new file. The index is made from it.
        if rename(path + "-wal", aside + "-wal") != 0 { unlink(path + "-wal") }
        unlink(path + "-shm")
        for old in numbers(of: path).sorted().dropLast(kept) { discard("\(path).damaged-\(old)") }
        return aside
    }

    /// The numbers of the files that were set aside before.
    private static func numbers(of path: String) -> [Int] {
        let slash = path.lastIndex(of: "/")
        let folder = slash.map { $0 == path.startIndex ? "/" : String(path[..<$0]) } ?? "."
        let prefix = (slash.map { String(path[path.index(after: $0)...]) } ?? path) + ".damaged-"
        guard let directory = opendir(folder) else { return [] }
        defer { closedir(directory) }
        var numbers: [Int] = []
        while let entry = readdir(directory) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
                pointer.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            // Nine digits: a file that somebody named with more must not bring the next number out of range.
            guard name.hasPrefix(prefix), name.utf8.count <= prefix.utf8.count + 9,
                let number = Int(name.dropFirst(prefix.count)), number > 0
            else { continue }
            numbers.append(number)
        }
        return numbers
    }

    private static func discard(_ path: String) {
        unlink(path)
        unlink(path + "-wal")
    }
}
