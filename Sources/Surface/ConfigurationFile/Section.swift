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

    /// Adds a problem at the value of `key`, or at the table where there is none.
    func complain(_ key: String, _ reason: String) {
        problems.add(table[key]?.place ?? place, "\(path(key)) \(reason)")
    }

    /// Adds a problem at a place that another reader found.
    func add(_ place: TOMLPlace?, _ reason: String) { problems.add(place, reason) }

    /// Where the value of `key` stands.
    func place(of key: String) -> TOMLPlace? { table[key]?.place ?? place }

    private func path(_ key: String) -> String { name.isEmpty ? key : "\(name).\(key)" }

    /// The value of `key`, which from now on is one of those that may be there.
    mutating func value(_ key: String) -> TOMLValue? {
        known.append(key)
        return table[key]
    }

    /// A text of at most `maximum` bytes without control characters: no name or path holds one on purpose.
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
        guard text.unicodeScalars.allSatisfy({ $0.value >= 0x20 && !(0x7F...0x9F).contains($0.value) }) else {
            complain(key, "holds a control character")
            return nil
        }
        return text
    }

    /// A text that has to be there, and not empty.
    mutating func required(_ key: String, maximum: Int = 256) -> String? {
        if table[key] == nil {
            known.append(key)
            problems.add(place, "\(name) has no \(key)")
            return nil
        }
        guard let text = string(key, maximum: maximum) else { return nil }
        guard !text.isEmpty else {
            complain(key, "is empty")
            return nil
        }
        return text
    }

    /// A whole number.
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

    /// `true` or `false`.
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
        guard let value = value(key) else { return nil }
        guard let text = value.string, let span = try? DurationText.parse(text) else {
            complain(key, "\(shown(value)), not a duration such as \"10s\", \"500ms\" or \"15m\"")
            return nil
        }
        guard range.contains(span) else {
            let (least, most) = (DurationText.format(range.lowerBound), DurationText.format(range.upperBound))
            complain(key, "is \(text), but has to be from \(least) to \(most)")
            return nil
        }
        return span
    }

    /// Bytes of a text such as "64MiB".
    mutating func size(_ key: String, _ range: ClosedRange<Int64>) -> Int64? {
        guard let value = value(key) else { return nil }
        guard let text = value.string, let bytes = Section.bytes(text) else {
            complain(key, "\(shown(value)), not a size such as \"64MiB\" or \"1GiB\"")
            return nil
        }
        guard range.contains(bytes) else {
            let (least, most) = (Section.sizeText(range.lowerBound), Section.sizeText(range.upperBound))
            complain(key, "is \(text), but has to be from \(least) to \(most)")
            return nil
        }
        return bytes
    }

    private static let sizeUnits: [(name: String, factor: Int64)] = [
        ("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10),
    ]

    /// Held at the end of the range: what is too large is told as such, not as no size.
    private static func bytes(_ text: String) -> Int64? {
        guard let unit = sizeUnits.first(where: { text.hasSuffix($0.name) }) else { return nil }
        var digits = text.dropLast(unit.name.count)
        if digits.last == " " { digits.removeLast() }
        guard !digits.isEmpty, digits.utf8.allSatisfy({ (0x30...0x39).contains($0) }) else { return nil }
        let (bytes, overflow) = (Int64(digits) ?? .max).multipliedReportingOverflow(by: unit.factor)
        return overflow ? .max : bytes
    }

    private static func sizeText(_ bytes: Int64) -> String {
        let unit = sizeUnits.first { bytes >= $0.factor && bytes % $0.factor == 0 }
        return unit.map { "\(bytes / $0.factor)\($0.name)" } ?? "\(bytes) bytes"
    }

    /// What is written, as the start of a complaint.
    private func shown(_ value: TOMLValue) -> String {
        value.string.map { "is \"\($0.prefix(64))\"" } ?? "is \(value.kindName)"
    }

    /// An exact decimal per kWh: "0.3215" or 0.3215.
    mutating func price(_ key: String) -> Decimal? {
        guard let value = value(key) else { return nil }
        guard let text = value.string ?? value.decimalText, let price = Decimal(price: text) else {
            complain(key, "has to be a price per kWh with at most nine decimals, such as \"0.3215\"")
            return nil
        }
        return price
    }

    /// An instant: RFC 3339, as a TOML date-time or as a text.
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

    /// A list of texts.
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

    /// As `strings`; the environment separates them with colons.
    mutating func paths(_ key: String, maximum: Int) -> [String]? {
        guard let value = table[key], value.isFromEnvironment, let text = value.string else {
            return strings(key, maximum: maximum)
        }
        known.append(key)
        return text.split(separator: ":").prefix(maximum).map(String.init)
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

    /// The table `[key]`; one without anything where there is none.
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
    /// Whether a variable of the environment gave it.
    var isFromEnvironment: Bool { place.file.hasPrefix(TOMLValue.environment) }
}
