/// The head of a tar entry (POSIX ustar): 512 bytes before each file.
enum TarHeader {
    static let size = 512
    /// Two heads of zeros end an archive.
    static let end = [UInt8](repeating: 0, count: 2 * size)
    /// Eleven octal digits.
    static let maximumFile: Int64 = 8 << 30

    /// Of a regular file. `path` is one that `BackupPath` allows.
    static func encode(path: String, bytes: Int64, seconds: Int64) -> [UInt8] {
        var head = [UInt8](repeating: 0, count: size)
        func put(_ text: some Sequence<UInt8>, at start: Int) {
            for (i, byte) in text.enumerated() { head[start + i] = byte }
        }
        let (prefix, name) = split(path)
        put(name.utf8, at: 0)
        put("0000640\u{0}0000000\u{0}0000000\u{0}".utf8, at: 100)
        put(octal(bytes, 11), at: 124)
        put(octal(max(0, seconds), 11), at: 136)
        put(repeatElement(UInt8(ascii: " "), count: 8), at: 148)
        head[156] = UInt8(ascii: "0")
        put("ustar\u{0}00".utf8, at: 257)
        put(prefix.utf8, at: 345)
        put(octal(Int64(head.reduce(0) { $0 + Int($1) }), 6), at: 148)
        head[154] = 0
        return head
    }

    /// Path and length; nil for the zeros at the end. Throws for what is no regular file.
    static func decode(_ head: [UInt8]) throws(BackupError) -> (path: String, bytes: Int64)? {
        if head.allSatisfy({ $0 == 0 }) { return nil }
        var sum = 0
        for (i, byte) in head.enumerated() { sum += 148..<156 ~= i ? 32 : Int(byte) }
        guard head.count == size, number(head[148..<156]) == Int64(sum) else { throw .notABackup }
        guard head[156] == UInt8(ascii: "0") || head[156] == 0, let bytes = number(head[124..<136]) else {
            throw .badEntry("an entry is no regular file")
        }
        let name = text(head[0..<100])
        let prefix = text(head[345..<500])
        return (prefix.isEmpty ? name : prefix + "/" + name, bytes)
    }

    /// A path of more than 100 bytes is cut at a slash.
    private static func split(_ path: String) -> (prefix: String, name: String) {
        if path.utf8.count <= 100 { return ("", path) }
        var cut = path.startIndex
        for i in path.indices where path[i] == "/" && path[path.index(after: i)...].utf8.count <= 100 {
            cut = i
            break
        }
        return (String(path[..<cut]), String(path[path.index(after: cut)...]))
    }

    private static func octal(_ value: Int64, _ digits: Int) -> [UInt8] {
        let text = String(value, radix: 8)
        return Array((String(repeating: "0", count: max(0, digits - text.count)) + text).utf8)
    }

    private static func number(_ field: ArraySlice<UInt8>) -> Int64? {
        let digits = field.filter { $0 != 0 && $0 != 0x20 }
        guard !digits.isEmpty, digits.count <= 12 else { return nil }
        return Int64(String(decoding: digits, as: UTF8.self), radix: 8)
    }

    private static func text(_ field: ArraySlice<UInt8>) -> String {
        String(decoding: field.prefix { $0 != 0 }, as: UTF8.self)
    }
}

/// What a path in a backup may be: nothing that leads out of the directory it is unpacked in.
enum BackupPath {
    static func isAllowed(_ path: String) -> Bool {
        guard (1...255).contains(path.utf8.count) else { return false }
        let isPlain = path.utf8.allSatisfy { byte in
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
                UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "-"),
                UInt8(ascii: "/"):
                true
            default: false
            }
        }
        let parts = path.split(separator: "/", omittingEmptySubsequences: false)
        return isPlain && parts.count <= 6
            && parts.allSatisfy { !$0.isEmpty && $0 != "." && $0 != ".." && $0.utf8.count <= 100 }
    }
}

/// Why a backup cannot be made, read or put in place.
public enum BackupError: Error, Hashable, CustomStringConvertible {
    case notABackup
    /// The archive has no manifest: it was not written to its end.
    case cutOff
    case newerFormat(String)
    case badEntry(String)
    /// A file is not what the manifest says.
    case damaged(path: String, reason: String)
    /// Files come and go faster than they can be copied.
    case restless(String)
    case failed(String)

    public var description: String {
        switch self {
        case .notABackup: "this is no backup of energyd"
        case .cutOff: "the backup is not complete: it has no manifest at its end"
        case .newerFormat(let version): "the backup is of format \(version), which a newer energyd wrote"
        case .badEntry(let reason): "the backup cannot be used: \(reason)"
        case .damaged(let path, let reason): "the backup is damaged: \(path) \(reason)"
        case .restless(let place): "\(place) changes faster than it can be copied; try again"
        case .failed(let reason): reason
        }
    }
}
