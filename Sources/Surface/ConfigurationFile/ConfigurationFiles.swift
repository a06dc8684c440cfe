import Devices
import Glibc
import TOML
import Timekeeping

extension Configuration {
    /// Reads `path` (nil: nothing but defaults), then `conf.d/*.toml` beside it in the order of their names, then the
    /// environment's `ENERGYD_<TABLE>_<KEY>`. Every problem found is in the error.
    ///
    /// `profileNames` are the profiles there are, so that a wrong name is found here and not at the first read.
    public static func load(
        path: String?, environment: [String: String] = [:], profileNames: [String]? = nil
    ) throws(ConfigurationError) -> Configuration {
        let problems = Problems()
        var merged = TOMLTable.empty
        if let path {
            for file in [path] + companions(of: path, problems) {
                guard let bytes = read(file, problems) else { continue }
                do throws(TOMLError) {
                    merged = merge(merged, try TOMLDocument(bytes: bytes, file: file).root, "", problems)
                } catch {
                    problems.add(error.place, error.reason)
                }
            }
        }
        merged = override(merged, with: environment)
        var reader = ConfigurationReader(problems: problems, profileNames: profileNames)
        let configuration = reader.read(merged)
        guard problems.list.isEmpty else { throw ConfigurationError(problems.list) }
        return configuration
    }

    private static func companions(of path: String, _ problems: Problems) -> [String] {
        let directory = path.lastIndex(of: "/").map { String(path[...$0]) + "conf.d" } ?? "conf.d"
        guard let handle = opendir(directory) else {
            // Without leave to look, a price or a password in there would be missed in silence.
            if errno != ENOENT, errno != ENOTDIR {
                problems.add(nil, "\(directory): cannot be read: \(String(cString: strerror(errno)))")
            }
            return []
        }
        defer { closedir(handle) }
        var names: [String] = []
        while let entry = readdir(handle) {
            let name = withUnsafePointer(to: &entry.pointee.d_name) {
                $0.withMemoryRebound(to: CChar.self, capacity: 256) { String(cString: $0) }
            }
            if name.hasSuffix(".toml"), !name.hasPrefix(".") { names.append(name) }
        }
        return names.sorted().map { "\(directory)/\($0)" }
    }

    private static func read(_ file: String, _ problems: Problems) -> [UInt8]? {
        let descriptor = open(file, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else {
            problems.add(nil, "\(file): cannot be read: \(String(cString: strerror(errno)))")
            return nil
        }
        defer { close(descriptor) }
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65536)
        while bytes.count <= TOMLDocument.maximumBytes {
            let count = Glibc.read(descriptor, &buffer, buffer.count)
            if count < 0, errno == EINTR { continue }
            guard count >= 0 else {
                problems.add(nil, "\(file): cannot be read: \(String(cString: strerror(errno)))")
                return nil
            }
            if count == 0 { break }
            bytes.append(contentsOf: buffer[..<count])
        }
        return bytes
    }

    /// Tables are merged key by key and `[[lists]]` put one after the other; any other key may stand once.
    private static func merge(_ a: TOMLTable, _ b: TOMLTable, _ path: String, _ problems: Problems) -> TOMLTable {
        var entries = a.entries.map { (key: $0.key, value: $0.value) }
        for entry in b.entries {
            guard let index = entries.firstIndex(where: { $0.key.name == entry.key.name }) else {
                entries.append((entry.key, entry.value))
                continue
            }
            let name = path.isEmpty ? entry.key.name : "\(path).\(entry.key.name)"
            let old = entries[index].value
            if let first = old.table, let second = entry.value.table {
                let table = merge(first, second, name, problems)
                entries[index].value = TOMLValue(content: .table(table), place: old.place)
            } else if let first = old.array, let second = entry.value.array, isTables(first), isTables(second) {
                entries[index].value = TOMLValue(content: .array(first + second), place: old.place)
            } else {
                problems.add(entry.key.place, "\(name) is already set at \(entries[index].key.place)")
            }
        }
        return TOMLTable(entries)
    }

    private static func isTables(_ values: [TOMLValue]) -> Bool {
        !values.isEmpty && values.allSatisfy { $0.table != nil }
    }

    /// The tables that can be overridden; lists of tables cannot.
    private static let overridable = ["home", "mqtt", "store", "profiles", "log"]

    private static func override(_ table: TOMLTable, with environment: [String: String]) -> TOMLTable {
        var entries = table.entries.map { (key: $0.key, value: $0.value) }
        for section in overridable {
            let prefix = "ENERGYD_\(section.uppercased())_"
            let names = environment.keys.filter { $0.hasPrefix(prefix) }.sorted()
            if names.isEmpty { continue }
            let index = entries.firstIndex { $0.key.name == section }
            var values = index.flatMap { entries[$0].value.table }?.entries.map { (key: $0.key, value: $0.value) } ?? []
            for name in names {
                let place = TOMLPlace(file: "\(TOMLValue.environment) \(name)", line: 1, column: 1)
                let key = TOMLKey(name: name.dropFirst(prefix.count).lowercased(), place: place)
                values.removeAll { $0.key.name == key.name }
                values.append((key, TOMLValue(content: .string(environment[name] ?? ""), place: place)))
            }
            let value = TOMLValue(
                content: .table(TOMLTable(values)),
                place: index.map { entries[$0].value.place }
                    ?? TOMLPlace(file: TOMLValue.environment, line: 1, column: 1))
            if let index {
                entries[index].value = value
            } else {
                entries.append((TOMLKey(name: section, place: value.place), value))
            }
        }
        return TOMLTable(entries)
    }
}
