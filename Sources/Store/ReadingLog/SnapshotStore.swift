import Disk
import Metering
import Records
import Synchronization
import Timekeeping

/// What a consumer knew at a cursor, for it to go on from.
public struct Snapshot: Hashable, Sendable {
    /// Of the payload's layout; the consumer's own business.
    public var version: UInt32
    public var cursor: Cursor
    public var payload: [UInt8]

    public init(version: UInt32, cursor: Cursor, payload: [UInt8]) {
        self.version = version
        self.cursor = cursor
        self.payload = payload
    }
}

/// What reading a snapshot gave, and what had to be left.
public struct SnapshotReading: Hashable, Sendable {
    /// Nil: there is none that can be read, and the consumer begins at the oldest record of the log.
    public var snapshot: Snapshot?
    /// The newer file is damaged and `snapshot` is the one before it, or none.
    public var isFallback = false
    /// What was wrong, file by file, in sentences for the log.
    public var problems: [String] = []

    public init() {}
}

/// Snapshots of named consumers in one directory: `<name>.snapshot`, and the one before as `<name>.snapshot.previous`.
/// Each is written in one atomic step with its cursor inside, so a crash leaves the old or the new one.
/// Layout: `SegmentFormat.md`. Blocks; one thread per name.
public struct SnapshotStore: Sendable {
    /// A larger file is not a snapshot.
    public static let maximumLength = 256 << 20
    private static let magic = Array("energyd snapshot".utf8)
    private static let fixedLength = 48

    private let directory: String
    private let fileSystem: any FileSystem

    /// Makes the directory where there is none.
    public init(directory: String, fileSystem: any FileSystem) throws(DiskError) {
        self.directory = directory
        self.fileSystem = fileSystem
        try fileSystem.createDirectory(directory)
    }

    /// Replaces the snapshot of `name`; the one before stays as the fallback.
    public func write(_ snapshot: Snapshot, as name: String) throws(DiskError) {
        let path = path(name)
        // A damaged file must not take the place of a good fallback.
        if let current = try? AtomicFile.read(path, limit: SnapshotStore.maximumLength, in: fileSystem),
            SnapshotStore.decode(current, name: name) != nil
        {
            try fileSystem.rename(path, to: previousPath(name))
            try fileSystem.syncDirectory(directory)
        }
        try AtomicFile.write(SnapshotStore.encode(snapshot, name: name), to: path, in: fileSystem)
    }

    /// The newest snapshot of `name` that is intact. A damaged one is reported and left where it is until the next
    /// `write` replaces it; a file system that refuses is reported as well, never thrown.
    public func read(_ name: String) -> SnapshotReading {
        var reading = SnapshotReading()
        for (i, path) in [path(name), previousPath(name)].enumerated() {
            do throws(DiskError) {
                guard let bytes = try AtomicFile.read(path, limit: SnapshotStore.maximumLength, in: fileSystem)
                else { continue }
                if let snapshot = SnapshotStore.decode(bytes, name: name) {
                    reading.snapshot = snapshot
                    reading.isFallback = i > 0 && !reading.problems.isEmpty
                    return reading
                }
                reading.problems.append("snapshot \(path) is damaged; going on from an older one")
            } catch {
                reading.problems.append("\(error)")
            }
        }
        reading.isFallback = !reading.problems.isEmpty
        return reading
    }

    private func path(_ name: String) -> String { "\(directory)/\(name).snapshot" }
    private func previousPath(_ name: String) -> String { path(name) + ".previous" }

    private static func encode(_ snapshot: Snapshot, name: String) -> [UInt8] {
        var writer = ByteWriter(capacity: fixedLength + name.utf8.count + snapshot.payload.count)
        writer.bytes.append(contentsOf: magic)
        writer.fixed(UInt16(1))
        writer.fixed(UInt16(truncatingIfNeeded: name.utf8.count))
        writer.fixed(snapshot.version)
        writer.fixed(snapshot.cursor.epoch)
        writer.fixed(snapshot.cursor.offset)
        writer.fixed(UInt32(clamping: snapshot.payload.count))
        writer.fixed(UInt32(0))
        writer.bytes.append(contentsOf: name.utf8)
        writer.bytes.append(contentsOf: snapshot.payload)
        let checksum = writer.bytes.withUnsafeBytes { CRC32C.update(0, $0) }
        writer.bytes.withUnsafeMutableBytes {
            $0.storeBytes(of: checksum.littleEndian, toByteOffset: 44, as: UInt32.self)
        }
        return writer.bytes
    }

    /// Nil for damage, another version or another consumer's file.
    private static func decode(_ bytes: [UInt8], name: String) -> Snapshot? {
        guard bytes.count >= fixedLength, bytes[..<16].elementsEqual(magic) else { return nil }
        var checked = bytes
        for i in 44..<48 { checked[i] = 0 }
        let checksum = checked.withUnsafeBytes { CRC32C.update(0, $0) }
        return bytes.withUnsafeBytes { buffer in
            var reader = ByteReader(UnsafeRawBufferPointer(rebasing: buffer[16..<fixedLength]))
            do throws(RecordError) {
                let format: UInt16 = try reader.fixed()
                let nameLength = Int(try reader.fixed(UInt16.self))
                let version: UInt32 = try reader.fixed()
                let cursor = Cursor(epoch: try reader.fixed(), offset: try reader.fixed())
                let length = Int(try reader.fixed(UInt32.self))
                let start = fixedLength + nameLength
                guard try reader.fixed(UInt32.self) == checksum, format == 1, bytes.count == start + length,
                    bytes[fixedLength..<start].elementsEqual(name.utf8)
                else { return nil }
                return Snapshot(version: version, cursor: cursor, payload: Array(bytes[start...]))
            } catch {
                return nil
            }
        }
    }
}
