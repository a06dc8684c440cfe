import Metering
import TOML
import Timekeeping

/// Collects what is wrong, up to a number that a person still reads.
final class Problems {
    private(set) var list: [ConfigurationProblem] = []
    private static let maximum = 50

    func add(_ place: TOMLPlace?, _ reason: String) {
        if list.count < Problems.maximum { list.append(ConfigurationProblem(place, reason)) }
    }
}

/// Reads one table: each key by its name and type; what is left at the end is unknown.
struct Section {
    let table: TOMLTable
    /// As a person writes it: `mqtt`, `modbus.device`.
    let name: String
    let place: TOMLPlace?
    private let problems: Problems
    private var known: [String] = []

    init(_ table: TOMLTable, name: String, place: TOMLPlace?, problems: Problems) {
        self.table = table
        self.name = name
        self.place = place
        self.problems = problems
    }

    func complain(_ key: String, _ reason: String) {
        problems.add(table[key]?.place ?? place, "\(path(key)) \(reason)")
    }

    private func path(_ key: String) -> String { name.isEmpty ? key : "\(name).\(key)" }

    mutating func value(_ key: String) -> TOMLValue? {
        known.append(key)
        return table[key]
    }

    mutating func string(_ key: String, maximum: Int = 256) -> String? {
        guard let value = value(key) else { return nil }
        guard let text = value.string else {
            complain(key, "has to be a string, not \(value.kindName)")
            return nil
        }
        guard text.utf8.count <= maximum else {
            complain(key, "is longer than \(maximum) bytes")
            return nil
        }
        return text
    }

    mutating func required(_ key: String) -> String? {
        if table[key] == nil {
            known.append(key)
            problems.add(place, "\(name) has no \(key)")
            return nil
        }
        return string(key)
    }

    mutating func integer(_ key: String, _ range: ClosedRange<Int64>) -> Int64? {
        guard let value = value(key) else { return nil }
        // What comes from the environment is text.
        guard let number = value.integer ?? (value.isFromEnvironment ? value.string.flatMap { Int64($0) } : nil) else {
            complain(key, "has to be a whole number, not \(value.kindName)")
            return nil
        }
        guard range.contains(number) else {
            complain(key, "is \(number), but has to be from \(range.lowerBound) to \(range.upperBound)")
            return nil
        }
        return number
    }

    mutating func boolean(_ key: String) -> Bool? {
        guard let value = value(key) else { return nil }
        if let truth = value.boolean ?? (value.isFromEnvironment ? value.string.flatMap { Bool($0) } : nil) {
            return truth
        }
        complain(key, "has to be true or false, not \(value.kindName)")
        return nil
    }

    /// Milliseconds of a text such as "10s".
    mutating func duration(_ key: String, _ range: ClosedRange<Int64>) -> Int64? {
        guard let text = string(key) else { return nil }
        guard let span = try? DurationText.parse(text) else {
            complain(key, "is \"\(text)\", not a duration such as \"10s\", \"500ms\" or \"15m\"")
            return nil
        }
        guard range.contains(span) else {
            complain(key, "is \(text), but has to be from \(range.lowerBound) ms to \(range.upperBound) ms")
            return nil
        }
        return span
    }

    /// Bytes of a text such as "64MiB".
    mutating func size(_ key: String, _ range: ClosedRange<Int64>) -> Int64? {
        guard let text = string(key) else { return nil }
        let units: [(String, Int64)] = [("KiB", 1 << 10), ("MiB", 1 << 20), ("GiB", 1 << 30), ("TiB", 1 << 40)]
        for (unit, factor) in units where text.hasSuffix(unit) {
            let digits = text.dropLast(unit.count).filter { $0 != " " }
            guard let count = Int64(digits), count >= 0 else { break }
            let (bytes, overflow) = count.multipliedReportingOverflow(by: factor)
            guard !overflow, range.contains(bytes) else {
                complain(
                    key, "is \(text), but has to be from \(range.lowerBound >> 20) MiB to \(range.upperBound >> 20) MiB"
                )
                return nil
            }
            return bytes
        }
        complain(key, "is \"\(text)\", not a size such as \"64MiB\" or \"1GiB\"")
        return nil
    }

    /// An exact decimal: "0.3215" or 0.3215.
    mutating func price(_ key: String) -> Decimal? {
        guard let value = value(key) else { return nil }
        guard let text = value.string ?? value.decimalText, let price = Decimal(price: text) else {
            complain(key, "has to be a price per kWh with at most nine decimals, such as \"0.3215\"")
            return nil
        }
        return price
    }

    mutating func time(_ key: String) -> Timestamp? {
        guard let value = value(key) else { return nil }
        let text: String?
        if case .offsetDateTime(let written) = value.content { text = written } else { text = value.string }
        guard let text, let time = try? Timestamp(rfc3339: text) else {
            complain(key, "has to be a time with its offset, such as \"2026-01-01T00:00:00+01:00\"")
            return nil
        }
        return time
    }

    mutating func strings(_ key: String, maximum: Int) -> [String]? {
        guard let value = value(key) else { return nil }
        guard let values = value.array, values.count <= maximum else {
            complain(key, "has to be a list of at most \(maximum) strings")
            return nil
        }
        let texts = values.compactMap(\.string)
        guard texts.count == values.count else {
            complain(key, "has to be a list of strings")
            return nil
        }
        return texts
    }

    /// One of a few words; a wrong one is answered with the nearest.
    mutating func choice<T>(_ key: String, _ choices: [(String, T)]) -> T? {
        guard let text = string(key) else { return nil }
        if let found = choices.first(where: { $0.0 == text }) { return found.1 }
        let words = choices.map(\.0)
        let hint = nearest(text, among: words).map { "; did you mean \"\($0)\"?" } ?? ""
        complain(key, "is \"\(text)\", but has to be one of \(words.joined(separator: ", "))\(hint)")
        return nil
    }

    /// The tables of `[[key]]`.
    mutating func sections(_ key: String, maximum: Int) -> [Section] {
        guard let value = value(key) else { return [] }
        guard let values = value.array, values.allSatisfy({ $0.table != nil }) else {
            complain(key, "has to be written as [[\(path(key))]]")
            return []
        }
        if values.count > maximum { complain(key, "is there \(values.count) times; at most \(maximum) are read") }
        return values.prefix(maximum).map {
            Section($0.table ?? .empty, name: path(key), place: $0.place, problems: problems)
        }
    }

    mutating func section(_ key: String) -> Section {
        let value = value(key)
        if let value, value.table == nil { complain(key, "has to be a table: [\(path(key))]") }
        return Section(value?.table ?? .empty, name: path(key), place: value?.place, problems: problems)
    }

    /// Complains of every key that was not asked for, with the nearest that is.
    func finish() {
        for entry in table.entries where !known.contains(entry.key.name) {
            let hint = nearest(entry.key.name, among: known).map { "; did you mean \($0)?" } ?? ""
            let known = known.sorted().joined(separator: ", ")
            problems.add(
                entry.key.place,
                "unknown key \(path(entry.key.name))\(hint.isEmpty ? "; known here: \(known)" : hint)")
        }
    }
}

extension TOMLValue {
    /// What stands for a file in the place of a value that an environment variable gave.
    static let environment = "environment"
    var isFromEnvironment: Bool { place.file.hasPrefix(TOMLValue.environment) }
}
