import Metering
import Records
import Timekeeping

/// What belongs to a backup. Format: `BackupFormat.md`.
public struct BackupManifest: Hashable, Sendable {
    public struct Entry: Hashable, Sendable {
        public var bytes: Int64
        public var checksum: UInt32
    }

    static let name = "MANIFEST"
    /// A longer one is refused: a home has some thousand files.
    static let maximumLength = 16 << 20
    private static let firstLine = "energyd backup 1"

    public var gateway: GatewayID?
    public var created: Timestamp
    /// Of the energyd that made it.
    public var version: String
    public var files: [String: Entry] = [:]

    init(gateway: GatewayID?, created: Timestamp, version: String) {
        self.gateway = gateway
        self.created = created
        self.version = version
    }

    /// Of all files.
    public var bytes: Int64 { files.values.reduce(0) { $0 + $1.bytes } }

    func encoded() -> [UInt8] {
        var text = BackupManifest.firstLine + "\n"
        if let gateway { text += "gateway \(gateway)\n" }
        text += "created \(created.rfc3339())\nversion \(version)\n"
        for (path, entry) in files.sorted(by: { $0.key < $1.key }) {
            text += "file \(BackupManifest.hexadecimal(entry.checksum)) \(entry.bytes) \(path)\n"
        }
        let checksum = Array(text.utf8).withUnsafeBytes { CRC32C.update(0, $0) }
        return Array((text + "end \(BackupManifest.hexadecimal(checksum))\n").utf8)
    }

    init(decoding bytes: [UInt8]) throws(BackupError) {
        let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
        guard let first = lines.first, first.hasPrefix("energyd backup ") else { throw .notABackup }
        guard first == BackupManifest.firstLine else { throw .newerFormat(String(first.dropFirst(15))) }
        guard let last = lines.last, last.hasPrefix("end ") else { throw .cutOff }
        let checked = bytes.prefix(bytes.count - last.utf8.count - 1)
        let checksum = Array(checked).withUnsafeBytes { CRC32C.update(0, $0) }
        guard UInt32(last.dropFirst(4), radix: 16) == checksum else {
            throw .damaged(path: BackupManifest.name, reason: "does not have its checksum")
        }
        self.init(gateway: nil, created: Timestamp(milliseconds: 0), version: "")
        for line in lines.dropFirst().dropLast() {
            let words = line.split(separator: " ")
            switch words.first {
            case "gateway" where words.count == 2: gateway = GatewayID(String(words[1]))
            case "created" where words.count == 2: created = (try? Timestamp(rfc3339: words[1])) ?? created
            case "version" where words.count == 2: version = String(words[1])
            case "file":
                guard words.count == 4, let checksum = UInt32(words[1], radix: 16), let size = Int64(words[2]),
                    size >= 0, BackupPath.isAllowed(String(words[3]))
                else { throw .badEntry("its manifest has a bad line") }
                files[String(words[3])] = Entry(bytes: size, checksum: checksum)
            default: continue
            }
        }
    }

    private static func hexadecimal(_ value: UInt32) -> String {
        let digits = String(value, radix: 16)
        return String(repeating: "0", count: 8 - digits.count) + digits
    }
}
