import Metering
import TOML

/// Collects problems, so that an author sees all of them at once.
final class ProfileProblems {
    private(set) var list: [ProfileProblem] = []

    func report(_ place: TOMLPlace, key: String, _ reason: String, nearest: String? = nil) {
        list.append(ProfileProblem(place: place, key: key, reason: reason, nearest: nearest))
    }
}

/// One table of a profile, read key by key. Every accessor reports what is wrong and answers nil.
struct ProfileTable {
    let table: TOMLTable
    let place: TOMLPlace
    /// For messages: `register`; empty for the file's root.
    let name: String
    let problems: ProfileProblems

    /// Reports every key that is not in `keys`.
    init(_ table: TOMLTable, at place: TOMLPlace, name: String, keys: [String], problems: ProfileProblems) {
        self.table = table
        self.place = place
        self.name = name
        self.problems = problems
        for key in table.keys where !keys.contains(key.name) {
            let reason = "is no key of \(name.isEmpty ? "a profile" : "`\(name)`")"
            problems.report(
                key.place, key: full(key.name), reason, nearest: nearest(key.name, among: keys))
        }
    }

    func full(_ key: String) -> String { name.isEmpty ? key : "\(name).\(key)" }

    func report(_ key: String, _ reason: String, nearest: String? = nil) {
        problems.report(table[key]?.place ?? place, key: full(key), reason, nearest: nearest)
    }

    private func wrongType(_ key: String, _ value: TOMLValue, expected: String) {
        problems.report(value.place, key: full(key), "must be \(expected), not \(value.kindName)")
    }

    /// Reports a key that is not there, and whatever the accessor found.
    func required<T>(_ key: String, _ value: T?) -> T? {
        if value == nil, table[key] == nil { problems.report(place, key: full(key), "is missing") }
        return value
    }

    func string(_ key: String, maximum: Int = 1024) -> String? {
        guard let value = table[key] else { return nil }
        guard let text = value.string else {
            wrongType(key, value, expected: "a string")
            return nil
        }
        guard text.utf8.count <= maximum else {
            report(key, "is longer than \(maximum) bytes")
            return nil
        }
        return text
    }

    func boolean(_ key: String) -> Bool? {
        guard let value = table[key] else { return nil }
        if value.boolean == nil { wrongType(key, value, expected: "true or false") }
        return value.boolean
    }

    func integer(_ key: String, in range: ClosedRange<Int64>) -> Int64? {
        guard let value = table[key] else { return nil }
        guard let number = value.integer else {
            wrongType(key, value, expected: "an integer")
            return nil
        }
        guard range.contains(number) else {
            report(key, "must be \(range.lowerBound) to \(range.upperBound), not \(number)")
            return nil
        }
        return number
    }

    /// A number of any kind, exactly as written.
    func decimal(_ key: String) -> DecimalText? {
        guard let value = table[key] else { return nil }
        guard let text = value.decimalText, let decimal = DecimalText(text) else {
            wrongType(key, value, expected: "a number")
            return nil
        }
        return decimal
    }

    /// A whole number, a decimal fraction, or text such as `1/60`.
    func scale(_ key: String) -> Scale? {
        guard let value = table[key] else { return nil }
        guard let text = value.decimalText ?? value.string, let scale = Scale(text: text) else {
            report(key, "must be a factor such as 10, 0.1 or \"1/60\", and not 0")
            return nil
        }
        return scale
    }

    func strings(_ key: String, maximum: Int = 64) -> [String]? {
        guard let value = table[key] else { return nil }
        guard let array = value.array else {
            wrongType(key, value, expected: "an array of strings")
            return nil
        }
        guard array.count <= maximum else {
            report(key, "has more than \(maximum) elements")
            return nil
        }
        return array.compactMap { element in
            if element.string == nil { wrongType(key, element, expected: "an array of strings") }
            return element.string
        }
    }

    /// One text, or an array of them.
    func words(_ key: String, maximum: Int = 64) -> [String]? {
        guard let value = table[key] else { return nil }
        return value.array == nil ? string(key).map { [$0] } : strings(key, maximum: maximum)
    }

    /// One of an enumeration's words.
    func word<T>(_ key: String, as type: T.Type) -> T?
    where T: RawRepresentable & CaseIterable, T.RawValue == String {
        guard let text = string(key) else { return nil }
        guard let found = T(rawValue: text) else {
            unknown(key, text, among: T.allCases.map(\.rawValue))
            return nil
        }
        return found
    }

    func unknown(_ key: String, _ text: String, among words: [String]) {
        let listed = words.count <= 12 ? ": " + words.joined(separator: ", ") : ""
        report(key, "has no value `\(text)`\(listed)", nearest: nearest(text, among: words))
    }

    func quantity(_ key: String) -> Quantity? {
        guard let text = string(key) else { return nil }
        if let found = Quantity(name: text) { return found }
        report(
            key, "no quantity is called `\(text)`",
            nearest: nearest(text, among: MessageProfile.statedQuantities.map(\.name)))
        return nil
    }

    func channel(_ key: String) -> Channel? {
        guard let text = string(key) else { return nil }
        if let found = Channel(text) { return found }
        report(key, "`\(text)` is no channel: 1 to 15 of a–z, 0–9 and _")
        return nil
    }

    /// A sub-table; empty when it is not there.
    func table(_ key: String, keys: [String]) -> ProfileTable {
        if let value = table[key] {
            if let found = value.table {
                return ProfileTable(found, at: value.place, name: full(key), keys: keys, problems: problems)
            }
            wrongType(key, value, expected: "a table")
        }
        return ProfileTable(.empty, at: place, name: full(key), keys: keys, problems: problems)
    }

    /// The tables of `[[key]]`; none when it is not there.
    func tables(_ key: String, keys: [String], maximum: Int = 512) -> [ProfileTable] {
        guard let value = table[key] else { return [] }
        guard let array = value.array else {
            wrongType(key, value, expected: "[[\(full(key))]] tables")
            return []
        }
        guard array.count <= maximum else {
            report(key, "has more than \(maximum) entries")
            return []
        }
        return array.compactMap { element in
            guard let found = element.table else {
                wrongType(key, element, expected: "a table")
                return nil
            }
            return ProfileTable(found, at: element.place, name: full(key), keys: keys, problems: problems)
        }
    }

    /// The conversion that `unit` and `scale` state together.
    func conversion(of quantity: Quantity) -> Conversion? {
        var conversion = Conversion.canonical
        if let unit = string("unit") {
            guard let found = Conversion(unit: unit, of: quantity) else {
                let units = Conversion.units(of: quantity).map(\.name)
                report(
                    "unit", "`\(unit)` is no unit of \(quantity) (\(units.joined(separator: ", ")))",
                    nearest: nearest(unit, among: units))
                return nil
            }
            conversion = found
        }
        guard table["scale"] != nil else { return conversion }
        guard let factor = scale("scale") else { return nil }
        guard let product = conversion.scaled(by: factor) else {
            report("scale", "makes a factor outside ±10¹² with this unit")
            return nil
        }
        return product
    }
}
