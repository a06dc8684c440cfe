import APITypes
import Disk
import Metering
import Modbus
import Synchronization
import Threads
import Timekeeping
import Upkeep

/// One long piece of work on the store's files, on a thread of its own, so that neither the pipeline nor a query waits
/// for it.
actor StoreWork {
    /// Pieces of work at a time: each has a thread, and all share one disk.
    static let maximum = 4

    /// Counts them.
    final class Limit: Sendable {
        private let running = Mutex(0)

        fileprivate func begin() -> Bool {
            running.withLock { running in
                guard running < StoreWork.maximum else { return false }
                running += 1
                return true
            }
        }

        fileprivate func end() { running.withLock { $0 -= 1 } }
    }

    private nonisolated let executor = ThreadExecutor()
    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }
    private let limit: Limit
    private var export: HistoryExport?
    private var backup: BackupStream?

    init(_ limit: Limit) throws(Problem) {
        guard limit.begin() else {
            throw Problem(
                status: 503, title: "Busy",
                detail:
                    "\(StoreWork.maximum) exports, imports or backups are on their way; try again when one has ended")
        }
        self.limit = limit
    }

    deinit {
        limit.end()
        executor.stop()
    }

    func run<Result: Sendable>(_ body: @Sendable () throws -> Result) throws -> Result { try body() }

    func begin(_ export: sending HistoryExport) { self.export = export }

    func begin(_ order: BackupOrder) {
        backup = BackupStream(
            order.directory, fileSystem: order.fileSystem, gateway: order.gateway, created: order.created,
            version: order.version, durableBytes: order.durableBytes)
    }

    func nextOfExport() throws -> [UInt8]? { try export?.next() }

    func exportDamage() -> ExportDamage { export?.damage ?? ExportDamage() }

    func nextOfBackup() throws -> [UInt8]? { try backup?.next() }
}

/// What a backup is to have.
struct BackupOrder: Sendable {
    let directory: StateDirectory
    let fileSystem: any FileSystem
    let gateway: GatewayID
    let created: Timestamp
    let version: String
    /// As in `BackupStream`.
    let durableBytes: @Sendable (String) -> Int64?
}
