import Disk
import History
import Ledger
import Metering
import ReadingLog
import Records
import Timekeeping

/// Opens a home's state as a start does, and tells what that cuts, sets aside and makes again.
///
/// On the disk itself that is a repair; on an `OverlayFileSystem` it is a rehearsal. Blocks; the caller holds the lock.
public struct Repair {
    private let directory: StateDirectory
    private let fileSystem: any FileSystem
    private let clock: any Clock
    private let boot: BootID

    public init(_ directory: StateDirectory, fileSystem: any FileSystem, clock: any Clock, boot: BootID) {
        self.directory = directory
        self.fileSystem = fileSystem
        self.clock = clock
        self.boot = boot
    }

    /// Sentences about what opening found and did. `opensLedger`: not in a rehearsal, since SQLite writes by itself.
    public func run(opensLedger: Bool, using generator: inout some RandomNumberGenerator) throws -> [String] {
        var told: [String] = []
        guard let gateway = directory.gateway(fileSystem) else {
            if case .damaged(let why) = StoredIdentity(directory, fileSystem) {
                return ["\(directory.identity): \(why), and there is no log that knows it: a start makes a new one"]
            }
            return ["there is no gateway's identity and no log in \(directory.path): a start would begin anew"]
        }
        told += try identity(gateway)
        for topic in directory.topics(fileSystem) {
            var options = LogOptions(gateway: gateway, boot: boot, topic: topic)
            options.segmentSize =
                ReadingLog.segmentSize(in: directory.log, topic: topic, fileSystem: fileSystem) ?? options.segmentSize
            let log = try ReadingLog(
                directory: directory.log, fileSystem: fileSystem, clock: clock, options: options, using: &generator)
            told += Repair.sentences(log.report, topic)
            // What was cut is left behind by a segment of the new epoch, else the next start cuts it once more.
            if log.report.startedEpoch, log.report.newerFormat == nil { try log.flush(heartbeat: true) }
            guard topic == .facts else { continue }
            let history = try History(directory: directory.history, fileSystem: fileSystem, log: log)
            let found = history.statistics
            told += found.setAside.map { "history: a file that cannot be read is set aside as \($0)" }
            if found.newerFiles > 0 {
                told.append("history: \(found.newerFiles) files of a newer format are left alone")
            }
            told += found.diskErrors.map { "history: \($0)" }
        }
        told += try SnapshotFiles(directory, fileSystem).read().compactMap { reading in
            reading.problem.map { "\(reading.path): \($0)" }
        }
        told += try ledger(opens: opensLedger)
        return told
    }

    private static func sentences(_ report: RecoveryReport, _ topic: Topic) -> [String] {
        var told: [String] = []
        let name = "log \(topic.name): "
        if report.tornBytes > 0 {
            let copy = report.tornCopy.map { " and kept as \($0)" } ?? ""
            told.append(name + "\(report.tornBytes) bytes of a write that never became durable are cut\(copy)")
        }
        if report.damagedFrames > 0 { told.append(name + "\(report.damagedFrames) damaged frames are skipped") }
        if report.missingOffsets > 0 { told.append(name + "\(report.missingOffsets) records are missing") }
        if report.lostSeries > 0 { told.append(name + "the names of \(report.lostSeries) series are lost") }
        told += report.setAside.map { name + "a segment whose head cannot be read is set aside as \($0)" }
        if let version = report.newerFormat { told.append(name + "format \(version) is newer; it is only read") }
        told += report.diskErrors.map { name + "\($0)" }
        if report.startedEpoch, report.isEventful { told.append(name + "a new epoch begins") }
        return told
    }

    /// As a start does: what cannot be read is set aside, and what the log knows is written in its place.
    private func identity(_ gateway: GatewayID) throws(DiskError) -> [String] {
        let told: String
        switch StoredIdentity(directory, fileSystem) {
        case .known: return []
        case .missing: told = "\(directory.identity) is missing; it is written again"
        case .damaged(let why):
            let aside = "\(directory.identity).damaged"
            try fileSystem.rename(directory.identity, to: aside)
            told = "\(directory.identity): \(why); it is set aside as \(aside) and written again"
        }
        try AtomicFile.write(Array("\(gateway)\n".utf8), to: directory.identity, in: fileSystem)
        return [told + ", as the log knows it: \(gateway)"]
    }

    private func ledger(opens: Bool) throws -> [String] {
        guard try StateDirectory.measure(directory.ledger, fileSystem).files > 0 else {
            return ["ledger: there is none; the next start makes it from the log"]
        }
        var problems: [String] = []
        do throws(LedgerError) {
            problems = try LedgerFile(path: directory.ledger).problems()
        } catch {
            problems = ["\(error)"]
        }
        guard let first = problems.first else { return [] }
        guard opens else {
            return [
                "ledger: damaged (\(first)); it is set aside, what can be read of it is kept, and the rest made again "
                    + "from the log"
            ]
        }
        let ledger = try Ledger.replace(directory.ledger, because: first)
        guard case .replaced(let aside, let reason) = ledger.opening else { return [] }
        return [
            "ledger: damaged (\(reason)), set aside as \(aside); what could be read of it is kept, and the next start "
                + "makes the rest again from the log"
        ]
    }
}
