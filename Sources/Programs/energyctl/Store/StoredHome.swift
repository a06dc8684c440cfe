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
                options: HistoryOptions(retention: Span.day * 36_500, budget: 1 << 50))
            try history.follow()
        } catch {
            throw Failure(.failed, "\(directory.path) cannot be read: \(error)")
        }
        names = try StoredHome.names(directory, fileSystem, log)
    }

    /// From the ledger, and from what the log has that did not reach it.
    private static func names(
        _ directory: StateDirectory, _ fileSystem: any FileSystem, _ log: ReadingLog
    ) throws -> [DeviceID: String] {
        var names: [DeviceID: String] = [:]
        for device in try StoreNames.ofLedger(directory, fileSystem) { names[device.id] = device.name }
        let snapshots = try SnapshotStore(directory: directory.snapshots, fileSystem: fileSystem)
        let cursor = names.isEmpty ? Cursor.oldest : snapshots.read("usage").snapshot?.cursor ?? .oldest
        try log.reader(from: cursor).readAll { item in
            guard case .frame(let frame) = item else { return }
            try? frame.records { _, record in
                if case .device(let device) = record { names[device.id] = device.name }
            }
        }
        return names
    }
}
