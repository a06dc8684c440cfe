import Disk
import Glibc
import Metering
import Synchronization

/// The state directory as the one that was opened: a disk can be pulled, and on its return another may lie there.
struct StorePlace: Sendable {
    let directory: String
    let gateway: GatewayID
    let keeping: Keeping
    let fileSystem: any FileSystem

    /// What makes the directory ours.
    enum Keeping: Sendable {
        case lock(DirectoryLock)
        /// Nothing: it could not be used when it was to be opened.
        case absence(StoreAbsence)
    }

    /// Nil for a directory that was opened.
    var absence: StoreAbsence? {
        if case .absence(let absence) = keeping { absence } else { nil }
    }

    /// Others may use the directory from now on.
    func release() {
        if case .lock(let lock) = keeping { lock.release() }
    }

    /// Again ours, when its disk was away.
    func reacquire() throws(DirectoryLockError) {
        if case .lock(let lock) = keeping { try lock.reacquire() }
    }

    /// The identity of the gateway whose state lies in `directory`.
    static func identityPath(_ directory: String) -> String { "\(directory)/gateway.id" }

    /// Throws unless our own state lies there. An empty directory is the place of a disk that is away.
    func check() throws(StorePlaceError) {
        if let absence { throw StorePlaceError(reason: absence.reason) }
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

/// Why the state directory is not there. Any thread.
final class StoreAbsence: Sendable {
    /// The gateway's identity could be read; else it has one that nobody will know again.
    let isIdentityKnown: Bool
    private let latest: Mutex<String>

    init(because error: DiskError, isIdentityKnown: Bool) {
        self.isIdentityKnown = isIdentityKnown
        latest = Mutex(StoreAbsence.sentence("\(error)"))
    }

    /// A sentence for people.
    var reason: String { latest.withLock { $0 } }

    /// What the last attempt to open it met; true when that is new.
    func note(_ error: any Error) -> Bool {
        let text = StoreAbsence.sentence("\(error)")
        return latest.withLock { latest in
            defer { latest = text }
            return latest != text
        }
    }

    private static func sentence(_ error: String) -> String {
        "\(error); readings wait in memory until the state directory can be used"
    }
}
