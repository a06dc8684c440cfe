import Disk
import History
import Intake
import Metering
import ReadingLog
import Records
import Timekeeping
import Upkeep

/// A home's state, opened for reading only: whatever opening would change stays in memory.
struct StoredHome {
    let log: ReadingLog
    let history: History
    let names: [DeviceID: String]

    init(_ directory: StateDirectory) throws {
        let fileSystem = OverlayFileSystem(over: LocalFileSystem())
        guard let gateway = ReadingLog.gateway(in: directory.log, fileSystem: fileSystem) else {
            throw Failure(
                .failed, "\(directory.log) has no segment that can be read; `energyctl store verify` says more")
        }
        guard let boot = BootID.current() ?? BootID(text: String(repeating: "0", count: 32)) else {
            throw Failure(.failed, "the kernel does not tell its boot id")
        }
        var generator = SystemRandomNumberGenerator()
        do {
            log = try ReadingLog(
                directory: directory.log, fileSystem: fileSystem, clock: SystemClock(),
                options: LogOptions(gateway: gateway, boot: boot), using: &generator)
            // Whatever there is, however old.
            history = try History(
                directory: directory.history, fileSystem: fileSystem, log: log,
                options: StoredHome.everything)
            try history.follow()
        } catch {
            throw Failure(.failed, "\(directory.path) cannot be read: \(error)")
        }
        names = Dictionary(
            try StoredHome.devices(directory, fileSystem, log).map { ($0.id, $0.name) }, uniquingKeysWith: { $1 })
    }

    /// Keeps whatever there is, however old.
    static let everything = HistoryOptions(retention: Span.day * 36_500, budget: 1 << 50)

    /// From the ledger, and from what the log has that did not reach it; in the order in which they were described.
    static func devices(
        _ directory: StateDirectory, _ fileSystem: any FileSystem, _ log: ReadingLog
    ) throws -> [Device] {
        var devices = try StoreNames.ofLedger(directory, fileSystem)
        let snapshots = try SnapshotStore(directory: directory.snapshots, fileSystem: fileSystem)
        let cursor = devices.isEmpty ? Cursor.oldest : snapshots.read("usage").snapshot?.cursor ?? .oldest
        try log.reader(from: cursor).readAll { item in
            guard case .frame(let frame) = item else { return }
            try? frame.records { _, record in
                if case .device(let device) = record { devices.append(device) }
            }
        }
        return devices
    }
}
