import Disk
import ReadingLog

/// The snapshots of a home, each file by itself: also the one before, which a start only reads where the newer one is
/// damaged.
struct SnapshotFiles {
    private static let suffix = ".snapshot"
    private static let previousSuffix = ".snapshot.previous"

    private let directory: String
    private let fileSystem: any FileSystem

    init(_ directory: StateDirectory, _ fileSystem: any FileSystem) {
        self.directory = directory.snapshots
        self.fileSystem = fileSystem
    }

    /// One file: what it holds, or a sentence about why it cannot be read.
    struct Reading {
        var path: String
        /// Of the consumer.
        var name: String
        var isPrevious: Bool
        var snapshot: Snapshot?
        var problem: String?
    }

    /// None where there is no directory.
    func read() throws(DiskError) -> [Reading] {
        let names: [String]
        do throws(DiskError) {
            names = try fileSystem.list(directory)
        } catch {
            if error.isMissing { return [] }
            throw error
        }
        var readings: [Reading] = []
        for file in names.sorted() {
            if file.hasSuffix(SnapshotFiles.suffix) {
                readings.append(try read(file, String(file.dropLast(SnapshotFiles.suffix.count)), isPrevious: false))
            } else if file.hasSuffix(SnapshotFiles.previousSuffix) {
                let name = String(file.dropLast(SnapshotFiles.previousSuffix.count))
                readings.append(try read(file, name, isPrevious: true))
            }
        }
        return readings
    }

    /// On an overlay on which it is the only one of its name, so that no other is read in its place.
    private func read(_ file: String, _ name: String, isPrevious: Bool) throws(DiskError) -> Reading {
        let overlay = OverlayFileSystem(over: fileSystem)
        let (newest, previous) = (
            "\(directory)/\(name)\(SnapshotFiles.suffix)", "\(directory)/\(name)\(SnapshotFiles.previousSuffix)"
        )
        do throws(DiskError) {
            if isPrevious {
                try overlay.rename(previous, to: newest)
            } else {
                try overlay.remove(previous)
            }
        } catch {
            guard error.isMissing else { throw error }
        }
        let read = try SnapshotStore(directory: directory, fileSystem: overlay).read(name)
        var reading = Reading(
            path: isPrevious ? previous : newest, name: name, isPrevious: isPrevious, snapshot: read.snapshot)
        // A checkpoint may have taken it away meanwhile; then there is neither.
        if !read.problems.isEmpty {
            reading.problem =
                isPrevious
                ? "the snapshot before the newest is damaged; it is needed only where that one is damaged too"
                : "the snapshot is damaged; a start goes on from an older one"
        }
        return reading
    }
}
