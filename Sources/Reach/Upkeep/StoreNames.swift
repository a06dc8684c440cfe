import Disk
import Ledger
import Metering

/// What devices are called, without opening a home.
public enum StoreNames {
    /// The latest descriptor of each device that the ledger has; none where it cannot be read.
    public static func ofLedger(
        _ directory: StateDirectory, _ fileSystem: any FileSystem
    ) throws(DiskError) -> [Device] {
        guard try StateDirectory.measure(directory.ledger, fileSystem).files > 0 else { return [] }
        return (try? LedgerFile(path: directory.ledger).devices()) ?? []
    }
}
