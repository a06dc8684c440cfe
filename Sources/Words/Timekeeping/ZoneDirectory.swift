import Glibc

/// The time zones that this machine knows: a thin shell over its files. Blocks while it reads; for start-up and reload.
public struct ZoneDirectory: Sendable {
    public static let defaultPaths = ["/usr/share/zoneinfo", "/usr/lib/zoneinfo", "/etc/zoneinfo"]
    private static let maximumNameLength = 64
    private static let maximumNames = 4096

    /// Looked through in this order.
    public let paths: [String]

    public init(paths: [String] = ZoneDirectory.defaultPaths) {
        self.paths = paths
    }

    /// The zone of that name. `UTC` needs no file, so that a machine without zones can start.
    public func zone(named name: String) throws(ZoneError) -> Zone {
        guard ZoneDirectory.isValid(name: name) else {
            // A name from outside may be long; only its beginning is shown.
            throw ZoneError(zone: String(name.prefix(ZoneDirectory.maximumNameLength)), reason: .invalidName)
        }
        if name == "UTC" { return .utc }
        for path in paths {
            let file = path + "/" + name
            switch readSmallFile(file, limit: TZifFile.maximumSize) {
            case .success(let bytes): return try Zone(name: name, bytes: bytes)
            case .failure(.system(ENOENT)), .failure(.system(ENOTDIR)), .failure(.notAFile): continue
            case .failure(.system(let number)):
                throw ZoneError(zone: name, reason: .unreadable(path: file, errno: number))
            case .failure(.tooLarge): throw ZoneError(zone: name, reason: .unreadable(path: file, errno: 0))
            }
        }
        let known = names()
        guard !known.isEmpty else { throw ZoneError(zone: name, reason: .noDatabase(directories: paths)) }
        throw ZoneError(zone: name, reason: .unknown(nearest: ZoneDirectory.nearest(to: name, in: known)))
    }

    /// Letters, digits, `+`, `-` and `_` in parts between single slashes: no path can leave the directory.
    public static func isValid(name: String) -> Bool {
        let bytes = name.utf8
        guard (1...maximumNameLength).contains(bytes.count) else { return false }
        let parts = bytes.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        return parts.allSatisfy { part in
            !part.isEmpty
                && part.allSatisfy { byte in
                    switch byte {
                    case UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "a")...UInt8(ascii: "z"),
                        UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "+"), UInt8(ascii: "-"),
                        UInt8(ascii: "_"):
                        true
                    default: false
                    }
                }
        }
    }

    /// Every zone of the first directory that has any, sorted.
    public func names() -> [String] {
        for path in paths {
            var names: [String] = []
            ZoneDirectory.list(path, prefix: "", depth: 0, into: &names)
            if !names.isEmpty { return names.sorted() }
        }
        return []
    }

    private static func list(_ path: String, prefix: String, depth: Int, into names: inout [String]) {
        guard depth < 3, let directory = opendir(path) else { return }
        defer { closedir(directory) }
        while names.count < maximumNames, let entry = readdir(directory) {
            let name = withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
                String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
            }
            // posix/ and right/ repeat all zones; tables such as zone.tab and files in lower case are no zones.
            guard isValid(name: name), let first = name.unicodeScalars.first, ("A"..."Z").contains(first) else {
                continue
            }
            if Int32(entry.pointee.d_type) == Int32(DT_DIR) {
                list(path + "/" + name, prefix: prefix + name + "/", depth: depth + 1, into: &names)
            } else {
                names.append(prefix + name)
            }
        }
    }

    /// The name that was probably meant: the same city, or a few letters away.
    static func nearest(to name: String, in known: [String]) -> String? {
        let wanted = folded(name)
        var best: (name: String, distance: Int)?
        for candidate in known {
            let text = folded(candidate)
            let city = text.split(separator: UInt8(ascii: "/")).last.map(Array.init) ?? text
            // Someone may give the city alone.
            let distance = min(editDistance(wanted, text), editDistance(wanted, city) + 1)
            if distance < best?.distance ?? .max { best = (candidate, distance) }
        }
        guard let best, best.distance <= max(2, wanted.count / 3) else { return nil }
        return best.name
    }

    private static func folded(_ name: String) -> [UInt8] {
        name.lowercased().utf8.map { $0 == UInt8(ascii: "-") ? UInt8(ascii: "_") : $0 }
    }

    private static func editDistance(_ a: [UInt8], _ b: [UInt8]) -> Int {
        var row = Array(0...b.count)
        for (i, byte) in a.enumerated() {
            var diagonal = row[0]
            row[0] = i + 1
            for (j, other) in b.enumerated() {
                let substituted = diagonal + (byte == other ? 0 : 1)
                diagonal = row[j + 1]
                row[j + 1] = min(substituted, row[j] + 1, diagonal + 1)
            }
        }
        return row[b.count]
    }
}

extension ZoneDirectory {
    /// The zone that the machine is set to: the link `localtime` in `etc`, else its file `timezone`; nil where neither
    /// names one. The name is checked, not that its file exists.
    public static func systemZoneName(etc: String = "/etc") -> String? {
        var buffer = [UInt8](repeating: 0, count: 4096)
        let count = buffer.withUnsafeMutableBytes { bytes in
            readlink(etc + "/localtime", bytes.baseAddress!.assumingMemoryBound(to: CChar.self), bytes.count)
        }
        if count > 0, count < buffer.count,
            let name = zoneName(ofLink: String(decoding: buffer[..<count], as: UTF8.self))
        {
            return name
        }
        guard case .success(let bytes) = readSmallFile(etc + "/timezone", limit: 256) else { return nil }
        let line = bytes.prefix { $0 > 0x20 }
        let name = String(decoding: line, as: UTF8.self)
        return isValid(name: name) ? name : nil
    }

    private static func zoneName(ofLink target: String) -> String? {
        let parts = target.split(separator: "/")
        guard let root = parts.lastIndex(of: "zoneinfo") else { return nil }
        let name = parts[(root + 1)...].joined(separator: "/")
        return isValid(name: name) ? name : nil
    }
}
