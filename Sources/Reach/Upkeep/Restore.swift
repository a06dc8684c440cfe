import Disk
import Metering
import ReadingLog
import Records
import Timekeeping

/// Puts a backup in place as a home's state directory, whose lock the caller holds.
///
/// Everything is unpacked and checked beside what is there; only then the old state is set aside and the new one takes
/// its place, name by name. After a crash meanwhile the old state is whole, or the two lie under the names below.
public struct Restore {
    /// Where a backup is unpacked, in the state directory.
    static let workName = "restoring"
    /// What the state before is moved to; the rest of the name is a time.
    static let asidePrefix = "before-restore-"

    private let directory: StateDirectory
    private let fileSystem: LocalFileSystem

    public init(_ directory: StateDirectory, fileSystem: LocalFileSystem) {
        self.directory = directory
        self.fileSystem = fileSystem
    }

    /// Names in the directory that a restore would set aside; empty: it is free.
    public func occupants() throws(DiskError) -> [String] {
        try fileSystem.list(directory.path).filter {
            $0 != "lock" && $0 != Restore.workName && $0 != "lost+found" && !$0.hasPrefix(Restore.asidePrefix)
        }
    }

    /// What was restored, and where the state before lies now, if there was one.
    public struct Outcome: Sendable {
        public var manifest: BackupManifest
        public var setAside: String?
    }

    /// `read` gives so many bytes of the backup, fewer only at its end.
    public func run(
        clock: any Clock, boot: BootID, using generator: inout some RandomNumberGenerator,
        progress: (Int64) -> Void = { _ in }, _ read: @escaping (Int) throws -> [UInt8]
    ) throws -> Outcome {
        let work = StateDirectory("\(directory.path)/\(Restore.workName)")
        guard try StateDirectory.walk(work.path, fileSystem).isEmpty else {
            throw BackupError.failed("\(work.path) is left from a restore that did not end; remove it first")
        }
        try fileSystem.createDirectory(work.path)
        var reader = BackupReader(into: (work.path, fileSystem), read)
        let manifest: BackupManifest
        do {
            manifest = try reader.run(progress: progress)
            try beginEpochs(work, manifest, clock, boot, &generator)
        } catch {
            // What was unpacked is of no use, and takes the room of the next attempt.
            try? fileSystem.removeTree(work.path)
            throw error
        }
        return Outcome(manifest: manifest, setAside: try exchange(work, clock.now().wall))
    }

    private func beginEpochs(
        _ work: StateDirectory, _ manifest: BackupManifest, _ clock: any Clock, _ boot: BootID,
        _ generator: inout some RandomNumberGenerator
    ) throws {
        guard
            let gateway = manifest.gateway ?? ReadingLog.gateway(in: work.log, fileSystem: fileSystem)
        else { return }
        for topic in work.topics(fileSystem) {
            try EpochStart.begin(
                directory: work.log, fileSystem: fileSystem,
                options: LogOptions(gateway: gateway, boot: boot, topic: topic), clock: clock, using: &generator)
        }
    }

    private func exchange(_ work: StateDirectory, _ now: Timestamp) throws -> String? {
        let old = try occupants()
        var aside: String?
        if !old.isEmpty {
            let place = "\(directory.path)/\(Restore.asidePrefix)\(now.milliseconds)"
            try fileSystem.createDirectory(place)
            for name in old { try fileSystem.rename("\(directory.path)/\(name)", to: "\(place)/\(name)") }
            try fileSystem.syncDirectory(place)
            aside = place
        }
        for name in try fileSystem.list(work.path) {
            try fileSystem.rename("\(work.path)/\(name)", to: "\(directory.path)/\(name)")
        }
        try fileSystem.removeTree(work.path)
        try fileSystem.syncDirectory(directory.path)
        return aside
    }
}
