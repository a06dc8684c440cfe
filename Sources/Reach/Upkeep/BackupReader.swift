import Disk
import Records

/// Takes a backup's bytes apart: files go to a directory as they come, or nowhere when it is only checked, and at the
/// end the manifest is compared with what came.
public struct BackupReader {
    private let target: (directory: String, fileSystem: any FileSystem)?
    private let read: (Int) throws -> [UInt8]
    private var found: [String: BackupManifest.Entry] = [:]

    private static let pieceBytes = 1 << 20
    /// Entries; a home has some thousand.
    private static let maximumFiles = 1 << 20

    /// `read` gives so many bytes, fewer only at the end. `directory` is there and empty.
    public init(
        into target: (directory: String, fileSystem: any FileSystem)? = nil, _ read: @escaping (Int) throws -> [UInt8]
    ) {
        self.target = target
        self.read = read
    }

    /// `progress` gets the bytes of each piece. Files that do not belong to the backup are removed again.
    public mutating func run(progress: (Int64) -> Void = { _ in }) throws -> BackupManifest {
        var manifest: BackupManifest?
        while manifest == nil {
            let head = try read(TarHeader.size)
            guard head.count == TarHeader.size else { throw found.isEmpty ? BackupError.notABackup : .cutOff }
            guard let (path, bytes) = try TarHeader.decode(head) else { throw BackupError.cutOff }
            guard BackupPath.isAllowed(path), found[path] == nil, found.count < BackupReader.maximumFiles else {
                throw BackupError.badEntry("an entry has a path that no backup has")
            }
            if path == BackupManifest.name {
                manifest = try readManifest(bytes)
            } else {
                found[path] = try readFile(path, bytes, progress)
            }
            let padding = Int((512 - bytes % 512) % 512)
            guard try read(padding).count == padding else { throw BackupError.cutOff }
        }
        guard let manifest else { throw BackupError.cutOff }
        for (path, entry) in manifest.files.sorted(by: { $0.key < $1.key }) {
            guard let has = found[path] else { throw BackupError.damaged(path: path, reason: "is not in it") }
            guard has == entry else { throw BackupError.damaged(path: path, reason: "is not what the manifest says") }
        }
        if let target {
            for path in found.keys where manifest.files[path] == nil {
                try target.fileSystem.remove("\(target.directory)/\(path)")
            }
        }
        return manifest
    }

    private func readManifest(_ bytes: Int64) throws -> BackupManifest {
        guard bytes <= BackupManifest.maximumLength else { throw BackupError.badEntry("its manifest is too long") }
        let text = try read(Int(bytes))
        guard text.count == Int(bytes) else { throw BackupError.cutOff }
        return try BackupManifest(decoding: text)
    }

    private func readFile(_ path: String, _ bytes: Int64, _ progress: (Int64) -> Void) throws -> BackupManifest.Entry {
        var file: (any File)?
        if let target {
            let place = "\(target.directory)/\(path)"
            if let slash = place.lastIndex(of: "/") { try target.fileSystem.createDirectory(String(place[..<slash])) }
            file = try target.fileSystem.open(place, .create)
        }
        defer { file?.close() }
        var entry = BackupManifest.Entry(bytes: 0, checksum: 0)
        while entry.bytes < bytes {
            let wanted = Int(min(Int64(BackupReader.pieceBytes), bytes - entry.bytes))
            let piece = try read(wanted)
            guard piece.count == wanted else { throw BackupError.cutOff }
            try file?.write(piece, at: entry.bytes)
            entry.checksum = piece.withUnsafeBytes { CRC32C.update(entry.checksum, $0) }
            entry.bytes += Int64(wanted)
            progress(Int64(wanted))
        }
        try file?.sync()
        return entry
    }
}
