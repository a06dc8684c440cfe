import Disk
import Metering
import ReadingLog
import Records

/// Where things lie in a home's state directory. What is not named here (a later version's files) is found by `walk`.
public struct StateDirectory: Hashable, Sendable {
    public let path: String

    public init(_ path: String) { self.path = path }

    public var log: String { "\(path)/log" }
    public var history: String { "\(path)/history" }
    public var ledger: String { "\(path)/ledger.db" }
    public var snapshots: String { "\(path)/snapshots" }
    public var identity: String { "\(path)/gateway.id" }

    /// Topics that have a log here.
    public func topics(_ fileSystem: any FileSystem) -> [Topic] {
        Topic.allCases.filter { (try? fileSystem.list("\(log)/\($0.name)/0"))?.isEmpty == false }
    }

    /// Whether there is a home in it at all.
    public func isHome(_ fileSystem: any FileSystem) -> Bool {
        guard let names = try? fileSystem.list(path) else { return false }
        return !Set(names).isDisjoint(with: ["log", "history", "ledger.db", "gateway.id"])
    }

    /// Whose state it is: by its file, else by its log; nil where neither says.
    public func gateway(_ fileSystem: any FileSystem) -> GatewayID? {
        if case .known(let id) = StoredIdentity(self, fileSystem) { return id }
        return ReadingLog.gateway(in: log, fileSystem: fileSystem)
    }

    /// Bytes of all files below `place`, and how many there are.
    public static func measure(_ place: String, _ fileSystem: any FileSystem) throws(DiskError) -> (
        files: Int, bytes: Int64
    ) {
        var files = 0
        var bytes: Int64 = 0
        for path in try walk(place, fileSystem) {
            do throws(DiskError) {
                let file = try fileSystem.open(path, .read)
                defer { file.close() }
                bytes += try file.size()
                files += 1
            } catch {
                // The ring and the checkpoints take files away at any time.
                guard error.isMissing else { throw error }
            }
        }
        return (files, bytes)
    }

    /// Every file below `place`, in the order of paths; none where it is not there.
    public static func walk(_ place: String, _ fileSystem: any FileSystem, depth: Int = 6) throws(DiskError)
        -> [String]
    {
        let names: [String]
        do throws(DiskError) {
            names = try fileSystem.list(place)
        } catch {
            if error.isMissing { return [] }
            if error.isNoDirectory { return [place] }
            throw error
        }
        guard depth > 0 else { return [] }
        var files: [String] = []
        for name in names { files += try walk("\(place)/\(name)", fileSystem, depth: depth - 1) }
        return files
    }
}

/// What the file with the gateway's identity says.
enum StoredIdentity {
    case known(GatewayID)
    /// Why it says nothing: a sentence without its end.
    case damaged(String)
    case missing

    init(_ directory: StateDirectory, _ fileSystem: any FileSystem) {
        do throws(DiskError) {
            guard let bytes = try AtomicFile.read(directory.identity, limit: 64, in: fileSystem) else {
                self = .missing
                return
            }
            let text = String(decoding: bytes, as: UTF8.self).filter { !$0.isWhitespace }
            self = GatewayID(text).map(StoredIdentity.known) ?? .damaged("the gateway's identity cannot be read")
        } catch {
            self = .damaged("\(error)")
        }
    }
}
