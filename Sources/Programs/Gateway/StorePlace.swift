import Disk
import Glibc
import Metering

/// The state directory as the one that was opened: a disk can be pulled, and on its return another may lie there.
struct StorePlace: Sendable {
    let directory: String
    let gateway: GatewayID
    let lock: DirectoryLock
    let fileSystem: any FileSystem

    /// The identity of the gateway whose state lies in `directory`.
    static func identityPath(_ directory: String) -> String { "\(directory)/gateway.id" }

    /// Throws unless our own state lies there. An empty directory is the place of a disk that is away.
    func check() throws(StorePlaceError) {
        let path = StorePlace.identityPath(directory)
        do throws(DiskError) {
            if let bytes = try AtomicFile.read(path, limit: 64, in: fileSystem),
                GatewayID(String(decoding: bytes, as: UTF8.self).filter { !$0.isWhitespace }) == gateway
            {
                return
            }
        } catch {
            // A file that is too long is another's; what cannot be read may be ours, and the next call shows.
            guard error.errno == EFBIG || error.isMissing else { throw StorePlaceError(reason: "\(error)") }
        }
        throw StorePlaceError(
            reason: "\(directory) does not hold this gateway's state; is its disk away, or another one in its place? "
                + "Readings wait in memory until it is back. To begin anew on what is there now, restart energyd")
    }
}

/// Why the state directory is not used.
struct StorePlaceError: Error, CustomStringConvertible {
    let reason: String
    var description: String { reason }
}
