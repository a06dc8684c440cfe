import ConfigurationFile
import Disk
import Glibc
import History
import Logging
import Metering
import ReadingLog
import Records
import Timekeeping

/// The state directory, opened: the lock that keeps it ours, the gateway's identity, log, history and ledger.
///
/// Where the directory cannot be used it is *absent*: everything opens on nothing, what comes waits in the log's
/// memory, and `StoreReturn` looks whether it can be used by now.
struct HomeStore: Sendable {
    let place: StorePlace
    let gateway: GatewayID
    let facts: ReadingLog
    let slots: ReadingLog
    let history: History
    let ledgerPath: String
    let snapshots: SnapshotStore

    /// The derived topic is small and can be made again.
    private static let slotsBudget: Int64 = 64 << 20
    private static let slotsSegment = 1 << 20

    /// Opens `directory`, which has to be writable so far that nothing in it has to be made.
    init(directory: String, configuration: Configuration, clock: any Clock, logger: Logger) throws {
        let fileSystem = LocalFileSystem()
        try fileSystem.createDirectory(directory)
        let lock = try DirectoryLock(directory: directory)
        let gateway = try HomeStore.identity(directory, fileSystem, logger)
        try self.init(
            StorePlace(directory: directory, gateway: gateway, keeping: .lock(lock), fileSystem: fileSystem),
            configuration, clock, logger)
        HomeStore.tell(facts.report, "facts", logger)
        HomeStore.tell(slots.report, "slots", logger)
        HomeStore.tell(history.statistics, logger)
    }

    private init(
        _ place: StorePlace, _ configuration: Configuration, _ clock: any Clock, _ logger: Logger
    ) throws {
        self.place = place
        let directory = place.directory
        let fileSystem = place.fileSystem
        gateway = place.gateway
        guard let boot = BootID.current() ?? BootID(text: String(repeating: "0", count: 32)) else {
            throw GatewayFailure(status: 1, "the kernel does not tell its boot id")
        }
        var generator = SystemRandomNumberGenerator()
        var options = LogOptions(gateway: gateway, boot: boot, budget: configuration.store.logBudget)
        facts = try ReadingLog(
            directory: "\(directory)/log", fileSystem: fileSystem, clock: clock, options: options,
            using: &generator)
        options.topic = .slots
        options.segmentSize = HomeStore.slotsSegment
        options.budget = HomeStore.slotsBudget
        slots = try ReadingLog(
            directory: "\(directory)/log", fileSystem: fileSystem, clock: clock, options: options,
            using: &generator)
        ledgerPath = "\(directory)/ledger.db"
        snapshots = try SnapshotStore(directory: "\(directory)/snapshots", fileSystem: fileSystem)
        history = try History(
            directory: "\(directory)/history", fileSystem: fileSystem, log: facts,
            options: HistoryOptions(
                retention: configuration.store.historyDays * Span.day, budget: configuration.store.historyBudget))
    }

    /// Opens `directory`; one that a disk's trouble keeps from being used gives an absent store. What people have to
    /// put right before anything can work is an error: another daemon uses it, or it is no directory.
    static func open(
        _ directory: String, configuration: Configuration, clock: any Clock, logger: Logger
    ) throws(GatewayFailure) -> HomeStore {
        do {
            return try HomeStore(directory: directory, configuration: configuration, clock: clock, logger: logger)
        } catch let failure as GatewayFailure {
            throw failure
        } catch {
            guard let reason = HomeStore.trouble(error) else {
                throw .cannotCreate("the state directory \(directory) cannot be used: \(error)")
            }
            logger.error(
                "the state directory cannot be used; what comes waits in memory until it can",
                metadata: ["directory": "\(directory)", "reason": "\(reason)"])
            return try absent(directory, reason, configuration, clock, logger)
        }
    }

    private static func absent(
        _ directory: String, _ reason: DiskError, _ configuration: Configuration, _ clock: any Clock, _ logger: Logger
    ) throws(GatewayFailure) -> HomeStore {
        let disk = LocalFileSystem()
        var known = ReadingLog.gateway(in: "\(directory)/log", fileSystem: disk)
        if let bytes = try? identityFile(StorePlace.identityPath(directory), disk) {
            known = GatewayID(String(decoding: bytes, as: UTF8.self).filter { !$0.isWhitespace }) ?? known
        }
        var generator = SystemRandomNumberGenerator()
        let place = StorePlace(
            directory: directory, gateway: known ?? GatewayID(using: &generator),
            keeping: .absence(StoreAbsence(because: reason, isIdentityKnown: known != nil)),
            fileSystem: AbsentFileSystem(because: reason))
        do {
            return try HomeStore(place, configuration, clock, logger)
        } catch let failure as GatewayFailure {
            throw failure
        } catch {
            throw .cannotCreate("the state directory \(directory) cannot be used: \(error)")
        }
    }

    /// What the disk refused, where a disk can change its mind.
    private static func trouble(_ error: any Error) -> DiskError? {
        let found: DiskError? =
            switch error {
            case let error as DiskError: error
            case let error as LogError: if case .disk(let error) = error.reason { error } else { nil }
            case let error as DirectoryLockError: if case .disk(let error) = error { error } else { nil }
            default: nil
            }
        return found.flatMap { [ENOTDIR, EISDIR, ENAMETOOLONG, ELOOP, EINVAL].contains($0.errno) ? nil : $0 }
    }

    /// The permanent identity of this installation, made once. The log knows it too, where the file is lost or damaged.
    private static func identity(
        _ directory: String, _ fileSystem: any FileSystem, _ logger: Logger
    ) throws(DiskError) -> GatewayID {
        let path = StorePlace.identityPath(directory)
        let known = ReadingLog.gateway(in: "\(directory)/log", fileSystem: fileSystem)
        if let bytes = try identityFile(path, fileSystem) {
            let text = String(decoding: bytes, as: UTF8.self).filter { !$0.isWhitespace }
            if let id = GatewayID(text) { return id }
            let setAside = path + ".damaged"
            try fileSystem.rename(path, to: setAside)
            logger.error(
                known == nil
                    ? "the gateway's identity was damaged; it has a new one"
                    : "the gateway's identity was damaged; the log knew it", metadata: ["set_aside": "\(setAside)"])
        }
        var generator = SystemRandomNumberGenerator()
        let id = known ?? GatewayID(using: &generator)
        try AtomicFile.write(Array("\(id)\n".utf8), to: path, in: fileSystem)
        return id
    }

    /// What the file holds, nil where there is none; of one that is too long nothing, which is no identity either.
    private static func identityFile(_ path: String, _ fileSystem: any FileSystem) throws(DiskError) -> [UInt8]? {
        do throws(DiskError) {
            return try AtomicFile.read(path, limit: 64, in: fileSystem)
        } catch {
            guard error.errno == EFBIG else { throw error }
            return []
        }
    }

    private static func tell(_ report: RecoveryReport, _ topic: String, _ logger: Logger) {
        guard report.isEventful else { return }
        var facts: Logger.Metadata = [
            "topic": "\(topic)", "torn_bytes": "\(report.tornBytes)", "damaged_frames": "\(report.damagedFrames)",
            "missing_offsets": "\(report.missingOffsets)", "lost_series": "\(report.lostSeries)",
        ]
        if let copy = report.tornCopy { facts["kept_as"] = "\(copy)" }
        if !report.setAside.isEmpty { facts["set_aside"] = "\(report.setAside.joined(separator: " "))" }
        if let version = report.newerFormat { facts["newer_format"] = "\(version)" }
        if let error = report.diskErrors.first { facts["disk"] = "\(error)" }
        logger.warning("the log was repaired while it was opened", metadata: facts)
    }

    private static func tell(_ history: HistoryStatistics, _ logger: Logger) {
        var facts: Logger.Metadata = [:]
        if !history.setAside.isEmpty { facts["set_aside"] = "\(history.setAside.joined(separator: " "))" }
        if history.newerFiles > 0 { facts["newer_files"] = "\(history.newerFiles)" }
        if let error = history.diskErrors.first { facts["disk"] = "\(error)" }
        if !facts.isEmpty { logger.warning("not all of history can be read", metadata: facts) }
    }
}
