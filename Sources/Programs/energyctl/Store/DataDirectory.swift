import ArgumentParser
import Disk
import Glibc
import Upkeep

/// A home's state on this machine, for commands that read it themselves.
struct DataDirectoryOptions: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The state directory, else $ENERGYD_DATA_DIR, else /var/lib/energyd.", valueName: "directory"))
    var dataDir: String?

    static let standard = "/var/lib/energyd"

    private var path: String {
        dataDir ?? getenv("ENERGYD_DATA_DIR").map { String(cString: $0) } ?? DataDirectoryOptions.standard
    }

    /// The directory, which holds a home. Root goes on as its owner, so that nothing in it changes hands.
    func open() throws -> StateDirectory {
        let path = path
        var names = path
        while names.count > 1, names.hasSuffix("/") { names.removeLast() }
        let directory = StateDirectory(names)
        do throws(DiskError) {
            _ = try LocalFileSystem().list(names)
        } catch {
            throw DataDirectoryOptions.failure(error)
        }
        guard directory.isHome(LocalFileSystem()) else {
            throw Failure(.notFound, "\(names) holds no home of energyd; --data-dir names another place")
        }
        do throws(DiskError) { try DirectoryOwner.become(names) } catch { throw DataDirectoryOptions.failure(error) }
        return directory
    }

    /// The place of a home that need not be there yet.
    func place() -> StateDirectory {
        var names = path
        while names.count > 1, names.hasSuffix("/") { names.removeLast() }
        return StateDirectory(names)
    }

    /// Whether there is a home to be read where no daemon answers.
    var isThere: Bool { place().isHome(LocalFileSystem()) }

    static func failure(_ error: DiskError) -> Failure {
        switch error.errno {
        case ENOENT: Failure(.notFound, "\(error); --data-dir names another place")
        case EACCES, EPERM: Failure(.permission, "\(error): use sudo, or join the group energyd")
        default: Failure(.failed, "\(error)")
        }
    }
}

/// Runs `body`, and turns what the disk and the stores refuse into a sentence and a status.
func withStore<Result>(_ body: () throws -> Result) throws -> Result {
    do {
        return try body()
    } catch let error as DiskError {
        throw DataDirectoryOptions.failure(error)
    } catch let error as DirectoryLockError {
        if case .held(let directory, let owner) = error {
            let who = owner.map { " (process \($0))" } ?? ""
            throw Failure(
                .failed, "energyd uses \(directory)\(who): stop it first (systemctl stop energyd)")
        }
        throw Failure(.failed, "\(error)")
    } catch let error as ExportSelection.Nothing {
        throw Failure(.notFound, "\(error)")
    } catch let error as BackupError {
        throw Failure(.failed, "\(error)")
    }
}
