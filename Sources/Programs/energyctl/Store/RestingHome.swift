import Disk
import Exchange
import History
import Intake
import Metering
import ReadingLog
import Records
import Timekeeping
import Upkeep

/// A home whose daemon does not run, for imports: what is taken in goes into its log, durably, and becomes history,
/// usage and cost at the daemon's next start. The caller holds the directory's lock.
struct RestingHome: ImportingHome {
    let facts: ReadingLog
    /// On an overlay: sealing is the daemon's.
    let history: History
    private var registry: DeviceRegistry
    private var described: [Record] = []
    private var generator = SystemRandomNumberGenerator()

    /// What the log holds for others while this writes: nothing that the daemon has not taken in is overwritten.
    private static let holder = "the daemon's next start"

    /// `isRehearsal`: nothing on the disk changes.
    init(_ directory: StateDirectory, isRehearsal: Bool) throws {
        let disk = LocalFileSystem()
        let overlay = OverlayFileSystem(over: disk)
        guard let gateway = directory.gateway(disk) else {
            throw Failure(.failed, "\(directory.path) does not say whose it is; start energyd once")
        }
        guard let boot = BootID.current() ?? BootID(text: String(repeating: "0", count: 32)) else {
            throw Failure(.failed, "the kernel does not tell its boot id")
        }
        var options = LogOptions(gateway: gateway, boot: boot)
        options.segmentSize =
            ReadingLog.segmentSize(in: directory.log, topic: .facts, fileSystem: disk) ?? options.segmentSize
        var generator = SystemRandomNumberGenerator()
        do {
            facts = try ReadingLog(
                directory: directory.log, fileSystem: isRehearsal ? overlay : disk, clock: SystemClock(),
                options: options, using: &generator)
            let snapshots = try SnapshotStore(directory: directory.snapshots, fileSystem: overlay)
            let usage = snapshots.read("usage").snapshot?.cursor ?? .oldest
            history = try History(
                directory: directory.history, fileSystem: overlay, log: facts, options: StoredHome.everything)
            let cursor = history.cursor
            facts.hold(RestingHome.holder, at: usage.offset < cursor.offset ? usage : cursor)
            try history.follow()
        } catch {
            throw Failure(.failed, "\(directory.path) cannot be opened: \(error)")
        }
        registry = DeviceRegistry(known: try StoredHome.devices(directory, overlay, facts))
    }

    func device(named name: String) -> DeviceID? { registry.device(named: name)?.id }

    func isReserved(_ name: String) -> Bool { DeviceRegistry.reservedNames.contains(name) }

    mutating func makeDevice(_ reading: NamedReading) -> DeviceID? {
        let made = registry.resolve(
            ImportedReading.address(reading.device), as: ImportedReading.description(reading.quantity),
            at: SystemClock().now().wall, using: &generator)
        described += made?.changed.map(Record.device) ?? []
        return made?.id
    }

    mutating func describeDevices() throws {
        if described.isEmpty { return }
        try facts.append(described)
        described = []
    }

    func plausible(_ reading: NamedReading, now: Timestamp) throws(LineFault) -> Int64 {
        do throws(ImportedReading.Refusal) {
            return try ImportedReading.value(of: reading.quantity, reading.value, at: reading.time, now: now)
        } catch {
            throw LineFault(error.description)
        }
    }

    /// Makes durable what was taken in, and known to the next lines.
    func settle() throws {
        do {
            try facts.flush()
            try history.follow()
        } catch {
            if let error = error as? LogError, case .ringHeld = error.reason {
                throw Failure(
                    .failed,
                    "the log has no room for more before energyd has taken in what it holds: start energyd, then "
                        + "import the same file again")
            }
            throw Failure(.failed, "\(error)")
        }
    }
}
