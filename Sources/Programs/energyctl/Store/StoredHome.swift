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
    /// The log's directory, where that is gone or has no segment that can be read; then `log` has nothing.
    let missingLog: String?
    /// Files of raw values that opening History could not read.
    let unreadable: [String]

    init(_ directory: StateDirectory) throws {
        let fileSystem = OverlayFileSystem(over: LocalFileSystem())
        let known = ReadingLog.gateway(in: directory.log, fileSystem: fileSystem)
        missingLog = known == nil ? directory.log : nil
        guard let boot = BootID.current() ?? BootID(text: String(repeating: "0", count: 32)) else {
            throw Failure(.failed, "the kernel does not tell its boot id")
        }
        var generator = SystemRandomNumberGenerator()
        // What only this program's memory holds may be anybody's.
        let gateway = known ?? directory.gateway(fileSystem) ?? GatewayID(using: &generator)
        do {
            log = try ReadingLog(
                directory: directory.log, fileSystem: fileSystem, clock: SystemClock(),
                options: LogOptions(gateway: gateway, boot: boot), using: &generator)
            // Whatever there is, however old.
            history = try History(
                directory: directory.history, fileSystem: fileSystem, log: log,
                options: StoredHome.everything)
            try history.follow()
            let place = history.directory(of: .raw)
            let raw = Set(try fileSystem.list(place))
            unreadable = history.statistics.setAside.filter(raw.contains).map {
                "\(place)/\($0.hasSuffix(StoredHome.setAside) ? String($0.dropLast(StoredHome.setAside.count)) : $0)"
            }
        } catch {
            throw Failure(.failed, "\(directory.path) cannot be read: \(error)")
        }
        guard missingLog == nil || history.statistics.files > 0 else {
            throw Failure(
                .failed,
                "\(directory.log) has no segment that can be read, and history has nothing; `energyctl store verify` "
                    + "says more")
        }
        names = Dictionary(
            try StoredHome.devices(directory, fileSystem, log).map { ($0.id, $0.name) }, uniquingKeysWith: { $1 })
    }

    /// Behind the name of a file that opening set aside, in memory here.
    private static let setAside = ".damaged"

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
