import Disk
import History
import Ledger
import ReadingLog
import Records
import Usage

/// Reads all of a home's state and says what is wrong in it: every frame, block, index, snapshot, and the ledger.
///
/// Changes nothing. Blocks; one thread.
public struct StoreCheck {
    /// What was read.
    public struct Totals: Hashable, Sendable {
        public var frames = 0
        public var readings = 0
        public var blocks = 0
        public var values = 0
        public var slots = 0
        public var snapshots = 0
    }

    private let directory: StateDirectory
    private let fileSystem: any FileSystem
    private let isLive: Bool
    public private(set) var totals = Totals()

    public init(_ directory: StateDirectory, fileSystem: any FileSystem, isLive: Bool) {
        self.directory = directory
        self.fileSystem = fileSystem
        self.isLive = isLive
    }

    /// Bytes that there are to read, for showing how far it is.
    public func size() throws(DiskError) -> Int64 {
        try StateDirectory.measure(directory.path, fileSystem).bytes
    }

    public mutating func run(
        progress: (Int64) -> Void = { _ in }, _ found: (FileFinding) -> Void
    ) throws(DiskError) {
        for topic in directory.topics(fileSystem) {
            var check = LogCheck(directory: directory.log, topic: topic, fileSystem: fileSystem, isLive: isLive)
            try check.run(progress: progress, found)
            totals.frames += check.totals.frames
            totals.readings += check.totals.readings
        }
        var check = HistoryCheck(directory: directory.history, fileSystem: fileSystem, isLive: isLive)
        try check.run(progress: progress, found)
        totals.blocks += check.tiers.reduce(0) { $0 + $1.files }
        totals.values += check.tiers.reduce(0) { $0 + $1.values }
        try checkSnapshots(found)
        try checkLedger(progress, found)
    }

    private mutating func checkSnapshots(_ found: (FileFinding) -> Void) throws(DiskError) {
        let suffix = ".snapshot"
        let names: [String]
        do throws(DiskError) {
            names = try fileSystem.list(directory.snapshots).filter { $0.hasSuffix(suffix) }
        } catch {
            if error.isMissing { return }
            throw error
        }
        // Making a store makes its directory, which is there.
        let store = try SnapshotStore(
            directory: directory.snapshots, fileSystem: OverlayFileSystem(over: fileSystem))
        for file in names {
            let name = String(file.dropLast(suffix.count))
            let path = "\(directory.snapshots)/\(file)"
            let reading = store.read(name)
            for problem in reading.problems { found(FileFinding(.damage, path, problem)) }
            guard let snapshot = reading.snapshot else { continue }
            totals.snapshots += 1
            guard name == "usage" else { continue }
            do { _ = try UsageState(decoding: snapshot.payload) } catch {
                found(FileFinding(.damage, path, "what it holds cannot be read: \(error)"))
            }
        }
    }

    private mutating func checkLedger(
        _ progress: (Int64) -> Void, _ found: (FileFinding) -> Void
    ) throws(DiskError) {
        let (files, bytes) = try StateDirectory.measure(directory.ledger, fileSystem)
        guard files > 0 else { return }
        do throws(LedgerError) {
            let ledger = try LedgerFile(path: directory.ledger)
            for problem in try ledger.problems() { found(FileFinding(.damage, directory.ledger, problem)) }
            totals.slots = try ledger.slotCount()
            _ = try ledger.devices()
        } catch {
            // A file that may not be opened is no damaged one.
            if case .damaged = error {
                found(FileFinding(.damage, directory.ledger, "\(error)"))
            } else {
                found(FileFinding(.note, directory.ledger, "was not checked: \(error)"))
            }
        }
        progress(bytes)
    }
}
