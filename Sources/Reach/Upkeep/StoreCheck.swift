import Disk
import History
import Ledger
import ReadingLog
import Records
import Usage

/// Reads all of a home's state and says what is wrong in it: every frame, block, index, snapshot, the ledger,
/// and the gateway's identity.
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
        checkIdentity(found)
        try checkLedger(progress, found)
    }

    private mutating func checkSnapshots(_ found: (FileFinding) -> Void) throws(DiskError) {
        for reading in try SnapshotFiles(directory, fileSystem).read() {
            if let problem = reading.problem { found(FileFinding(.damage, reading.path, problem)) }
            guard let snapshot = reading.snapshot else { continue }
            totals.snapshots += 1
            guard reading.name == "usage" else { continue }
            do { _ = try UsageState(decoding: snapshot.payload) } catch {
                found(FileFinding(.damage, reading.path, "what it holds cannot be read: \(error)"))
            }
        }
    }

    private func checkIdentity(_ found: (FileFinding) -> Void) {
        let log = ReadingLog.gateway(in: directory.log, fileSystem: fileSystem)
        switch StoredIdentity(directory, fileSystem) {
        case .known(let gateway):
            guard let log, log != gateway else { return }
            found(
                FileFinding(
                    .damage, directory.identity, "it says that the gateway is \(gateway), and the log that it is \(log)"
                ))
        case .damaged(let why):
            let next = log.map { "the log knows it, \($0)" } ?? "the next start makes a new one"
            found(FileFinding(.damage, directory.identity, "\(why); \(next)"))
        case .missing:
            guard let log else { return }
            found(FileFinding(.note, directory.identity, "is not there; the log knows the identity, \(log)"))
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
