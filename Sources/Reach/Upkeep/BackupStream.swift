import Disk
import Glibc
import Ledger
import Metering
import ReadingLog
import Records
import Timekeeping

/// All of a home's state as the bytes of one file, piece by piece, while the gateway goes on. `BackupFormat.md` tells
/// its format.
///
/// Blocks; one thread at a time, never the pipeline's. It needs room on the disk for a copy of the ledger.
public final class BackupStream {
    /// Of a file that is being written: how many of its bytes are durable. Nil: all.
    public typealias DurableBytes = (_ path: String) -> Int64?

    private let directory: StateDirectory
    private let fileSystem: any FileSystem
    private let durableBytes: DurableBytes
    private var manifest: BackupManifest
    private var stages = Stage.allCases[...]
    /// Of the first stage: paths still to be copied, what the last listing had, how often it was listed.
    private var waiting: [String] = []
    private var listing: [String] = []
    private var rounds = 0
    private var current: Copying?
    private var isDone = false

    private struct Copying {
        let path: String
        let file: any File
        let size: Int64
        /// Bytes beyond this are zeros.
        let limit: Int64
        var position: Int64 = 0
        var checksum: UInt32 = 0
    }

    /// In the order of copying.
    private enum Stage: CaseIterable {
        case snapshots, others, databases, history, topics, facts

        static func of(_ path: String) -> Stage {
            if path.hasPrefix("snapshots/") { return .snapshots }
            if path.hasPrefix("history/") { return .history }
            if path.hasPrefix("log/facts/") { return .facts }
            if path.hasPrefix("log/") { return .topics }
            return path.hasSuffix(".db") ? .databases : .others
        }
    }

    private static let pieceBytes = 256 << 10
    private static let maximumRounds = 32
    /// The copy of a database while it is read.
    private static let copySuffix = ".backup" + AtomicFile.temporarySuffix

    public init(
        _ directory: StateDirectory, fileSystem: any FileSystem, gateway: GatewayID?, created: Timestamp,
        version: String, durableBytes: @escaping DurableBytes = { _ in nil }
    ) {
        self.directory = directory
        self.fileSystem = fileSystem
        self.durableBytes = durableBytes
        manifest = BackupManifest(gateway: gateway, created: created, version: version)
    }

    /// The next bytes; nil after the last.
    public func next() throws -> [UInt8]? {
        if isDone { return nil }
        if current != nil { return try copyOn() }
        while let stage = stages.first {
            if let path = waiting.popLast() {
                if let head = try begin(path, isDatabase: stage == .databases) { return head }
                continue
            }
            if try !list(stage) { stages.removeFirst() }
        }
        isDone = true
        let text = manifest.encoded()
        return TarHeader.encode(
            path: BackupManifest.name, bytes: Int64(text.count), seconds: manifest.created.secondsFloor)
            + text + BackupStream.padding(Int64(text.count)) + TarHeader.end
    }

    /// Looks what there is to copy; false when nothing has come and the same was there last time.
    private func list(_ stage: Stage) throws -> Bool {
        let found = try StateDirectory.walk(directory.path, fileSystem)
            .map { String($0.dropFirst(directory.path.utf8.count + 1)) }
            .filter { BackupStream.belongs($0) && Stage.of($0) == stage }
        waiting = found.filter { manifest.files[$0] == nil }.reversed()
        // What went away meanwhile is stood in for by what came, or was given up by the ring.
        let here = Set(found)
        for path in manifest.files.keys where Stage.of(path) == stage && !here.contains(path) {
            manifest.files[path] = nil
        }
        rounds += 1
        if waiting.isEmpty, found == listing {
            listing = []
            rounds = 0
            return false
        }
        listing = found
        guard rounds <= BackupStream.maximumRounds else { throw BackupError.restless("\(directory.path)/\(stage)") }
        return true
    }

    private static func belongs(_ path: String) -> Bool {
        let name = path.split(separator: "/").last ?? ""
        if name == "lock" || name == "segment-next.log" || name.hasPrefix("torn-") { return false }
        if path.hasPrefix(Restore.workName) || path.hasPrefix(Restore.asidePrefix) { return false }
        if name.hasSuffix(AtomicFile.temporarySuffix) || name.contains(".damaged") { return false }
        return !name.hasSuffix("-wal") && !name.hasSuffix("-shm") && !name.hasSuffix("-journal")
            && BackupPath.isAllowed(path)
    }

    /// A whole copy of a database: beside it, or where nothing can be written there, as on a card that has become
    /// read-only, among the temporary files.
    private func copy(of database: String) throws -> String {
        let ledger = try LedgerFile(path: database)
        let beside = database + BackupStream.copySuffix
        try? fileSystem.remove(beside)
        do {
            try ledger.copy(to: beside)
            return beside
        } catch {
            let name = "energyd-\(getpid())-\(database.split(separator: "/").last ?? "")\(BackupStream.copySuffix)"
            let elsewhere = "\(getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp")/\(name)"
            try? fileSystem.remove(elsewhere)
            // What is said is why the directory of the home does not do.
            do { try ledger.copy(to: elsewhere) } catch _ { throw error }
            return elsewhere
        }
    }

    /// The head of the file's entry; nil where it is gone.
    private func begin(_ path: String, isDatabase: Bool) throws -> [UInt8]? {
        var place = "\(directory.path)/\(path)"
        if isDatabase {
            place = try copy(of: place)
        }
        do throws(DiskError) {
            let file = try fileSystem.open(place, .read)
            // The open file stays readable, and a crash leaves nothing behind.
            if isDatabase { try? fileSystem.remove(place) }
            let size = try file.size()
            let limit = min(size, durableBytes(path) ?? size)
            guard size < TarHeader.maximumFile else {
                throw DiskError(path: place, operation: .read, errno: 27)  // EFBIG
            }
            current = Copying(path: path, file: file, size: size, limit: limit)
            return TarHeader.encode(path: path, bytes: size, seconds: manifest.created.secondsFloor)
        } catch {
            if error.isMissing { return nil }
            throw error
        }
    }

    private func copyOn() throws -> [UInt8] {
        guard var copying = current else { return [] }
        let count = Int(min(Int64(BackupStream.pieceBytes), copying.size - copying.position))
        let readable = Int(max(0, min(Int64(count), copying.limit - copying.position)))
        var bytes = try copying.file.read(at: copying.position, count: readable)
        // Also where the file has become shorter than its head says: the next listing then shows what became of it.
        bytes.append(contentsOf: repeatElement(0, count: count - bytes.count))
        copying.checksum = bytes.withUnsafeBytes { CRC32C.update(copying.checksum, $0) }
        copying.position += Int64(count)
        if copying.position == copying.size {
            copying.file.close()
            manifest.files[copying.path] = BackupManifest.Entry(bytes: copying.size, checksum: copying.checksum)
            bytes += BackupStream.padding(copying.size)
            current = nil
        } else {
            current = copying
        }
        return bytes
    }

    private static func padding(_ bytes: Int64) -> [UInt8] {
        [UInt8](repeating: 0, count: Int((512 - bytes % 512) % 512))
    }
}
