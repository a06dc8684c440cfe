import Metering
import TOML

extension Profile {
    private static let commonKeys = [
        "kind", "name", "aliases", "version", "title", "maker", "model", "role", "rating_watts", "counter", "test",
    ]

    private enum KindName: String, CaseIterable {
        case mqtt, modbus
    }

    /// Reads a profile and reports everything that is wrong with it.
    public init(document: TOMLDocument) throws(ProfileError) {
        let problems = ProfileProblems()
        let start = TOMLPlace(file: document.file, line: 1, column: 1)
        let kindText = document.root["kind"]?.string.flatMap(KindName.init)
        let keys: [String]
        switch kindText {
        case .mqtt: keys = Profile.commonKeys + MessageProfile.keys
        case .modbus: keys = Profile.commonKeys + RegisterMap.keys
        // Without a kind, only what no kind knows is worth a word.
        case nil: keys = Profile.commonKeys + MessageProfile.keys + RegisterMap.keys
        }
        let root = ProfileTable(document.root, at: start, name: "", keys: keys, problems: problems)
        let kindName = root.required("kind", root.word("kind", as: KindName.self))
        let name = Profile.name(root)
        let aliases = Profile.aliases(root)
        let version = root.required("version", root.integer("version", in: 1...Int64(UInt32.max)))
        let role = Profile.role(root)
        let rating = root.integer("rating_watts", in: 1...100_000_000)
        let counters = Profile.counters(root)
        let kind: Kind? =
            switch kindName {
            case .mqtt: MessageProfile(root).map(Kind.mqtt)
            case .modbus: RegisterMap(root).map(Kind.modbus)
            case nil: nil
            }
        if let kind { Profile.checkCounters(counters, of: kind, root) }
        let tests = Profile.tests(root, kind: kindName == .modbus ? RegisterMap.testKeys : MessageProfile.testKeys)
        guard problems.list.isEmpty, let name, let version, let kind else {
            let sorted = problems.list.sorted { ($0.place.line, $0.place.column) < ($1.place.line, $1.place.column) }
            throw ProfileError(problems: sorted)
        }
        self.init(
            name: name, aliases: aliases, version: UInt32(version), title: root.string("title") ?? name,
            maker: root.string("maker") ?? "", model: root.string("model") ?? "", role: role, ratingWatts: rating,
            counters: counters.map(\.counter), kind: kind, tests: tests, file: document.file)
    }

    private static func name(_ root: ProfileTable) -> String? {
        guard let name = root.required("name", root.string("name", maximum: maximumNameLength)) else { return nil }
        guard isName(name) else {
            root.report("name", "must be a–z, 0–9 and _")
            return nil
        }
        return name
    }

    private static func aliases(_ root: ProfileTable) -> [String] {
        let aliases = root.strings("aliases", maximum: 16) ?? []
        for alias in aliases where !isName(alias) {
            root.report("aliases", "`\(alias)` is no name: a–z, 0–9 and _")
        }
        return aliases
    }

    private static func isName(_ text: String) -> Bool {
        let letters = text.utf8.allSatisfy { byte in
            (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || byte == UInt8(ascii: "_")
                || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
        }
        return letters && !text.isEmpty && text.utf8.count <= maximumNameLength
    }

    private static func role(_ root: ProfileTable) -> DeviceRole {
        guard let text = root.string("role") else { return .load }
        if let role = DeviceRole(name: text), role != .gateway { return role }
        root.unknown("role", text, among: DeviceRole.allCases.filter { $0 != .gateway }.map(\.name))
        return .load
    }

    private typealias PlacedCounter = (counter: Counter, table: ProfileTable)

    private static func counters(_ root: ProfileTable) -> [PlacedCounter] {
        let tables = root.tables(
            "counter", keys: ["quantity", "class", "step", "modulus", "unit"], maximum: Device.maximumCounters)
        return tables.compactMap { table in
            let quantity = table.required("quantity", table.quantity("quantity"))
            let text = table.required("class", table.string("class"))
            let counterClass = text.flatMap(CounterClass.init(name:))
            if let text, counterClass == nil {
                table.unknown("class", text, among: CounterClass.allCases.map(\.name))
            }
            guard let quantity, let counterClass, let conversion = table.conversion(of: quantity) else { return nil }
            let step = amount(table, "step", conversion)
            if table.required("step", step) == nil { return nil }
            let counter = Counter(
                quantity: quantity, counterClass: counterClass, step: step ?? 1,
                modulus: amount(table, "modulus", conversion))
            return (counter, table)
        }
    }

    private static func amount(_ table: ProfileTable, _ key: String, _ conversion: Conversion) -> Int64? {
        guard let decimal = table.decimal(key) else { return nil }
        guard let value = conversion.thousandths(decimal), value > 0 else {
            table.report(key, "must be above 0 and fit into 64 bits of thousandths")
            return nil
        }
        return value
    }

    /// A counter without its class would be booked by a guess, and one that nothing fills is a mistake.
    private static func checkCounters(_ stated: [PlacedCounter], of kind: Kind, _ root: ProfileTable) {
        let filled = kind.quantities
        for (counter, table) in stated where !filled.contains(counter.quantity) {
            table.report("quantity", "nothing in this profile gives `\(counter.quantity)`")
        }
        for quantity in filled.sorted() where quantity.behaviour == .counter || quantity == .energyNet {
            let count = stated.count { $0.counter.quantity == quantity }
            if count != 1 {
                let reason = count == 0 ? "no [[counter]] states the class of" : "more than one [[counter]] is for"
                root.report("counter", "\(reason) `\(quantity)`")
            }
        }
    }

    private static func tests(_ root: ProfileTable, kind keys: [String]) -> [ProfileTest] {
        root.tables("test", keys: ["name", "expect"] + keys).compactMap { table in
            let name = table.required("name", table.string("name"))
            let expected = table.required("expect", table.strings("expect", maximum: 256))
            let input = keys == RegisterMap.testKeys ? RegisterMap.testInput(table) : MessageProfile.testInput(table)
            guard let name, let expected, let input else { return nil }
            return ProfileTest(
                name: name, input: input, device: table.table["device"]?.string ?? "", expected: expected,
                line: table.place.line)
        }
    }
}

extension Profile.Kind {
    /// Everything that the profile may give.
    var quantities: Set<Quantity> {
        switch self {
        case .modbus(let map): Set(map.registers.map(\.quantity))
        case .mqtt(let messages): messages.quantities
        }
    }
}
