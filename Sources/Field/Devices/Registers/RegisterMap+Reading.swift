import Metering
import TOML

extension RegisterMap {
    static let keys = ["function", "line", "blocks", "groups", "defaults", "register", "unused"]
    static let testKeys = ["function", "address", "words"]

    private static let shapeKeys = ["type", "word_order", "group", "not_available"]

    /// Nil after reporting why.
    init?(_ root: ProfileTable) {
        let before = root.problems.list.count
        let function = root.required("function", root.integer("function", in: 3...4))
        let line = RegisterMap.line(root)
        let limits = RegisterMap.limits(root)
        let groups = RegisterMap.groups(root)
        let reader = RegisterReader(defaults: root.table("defaults", keys: RegisterMap.shapeKeys), groups: groups)
        let tables = root.tables("register", keys: RegisterMap.shapeKeys + RegisterReader.keys)
        let registers = tables.enumerated().flatMap { reader.registers($1, together: $0) }
        if root.table["register"] == nil { root.report("register", "a meter needs at least one [[register]]") }
        RegisterMap.checkRepeats(registers)
        let unused = RegisterMap.unused(root)
        guard root.problems.list.count == before, let function else { return nil }
        do throws(BlockPlanner.Problem) {
            try self.init(
                function: UInt8(function), groups: groups, line: line, registers: registers.map(\.register),
                unused: unused, limits: limits)
        } catch {
            let culprit = registers.first { $0.register.address == error.address }
            (culprit?.table ?? root).report(
                "address",
                "\(error.registers) registers belong together, and blocks.max_registers is \(error.maximum)")
            return nil
        }
    }

    private static func line(_ root: ProfileTable) -> LineDefaults {
        let table = root.table("line", keys: ["baud", "parity", "stop_bits", "unit", "pause_ms"])
        var line = LineDefaults()
        if let baud = table.integer("baud", in: 300...1_000_000) { line.baud = Int(baud) }
        if let parity = table.word("parity", as: LineDefaults.Parity.self) { line.parity = parity }
        if let stopBits = table.integer("stop_bits", in: 1...2) { line.stopBits = Int(stopBits) }
        if let unit = table.integer("unit", in: 0...255) { line.unit = UInt8(unit) }
        if let pause = table.integer("pause_ms", in: 0...10_000) { line.pause = pause }
        return line
    }

    private static func limits(_ root: ProfileTable) -> BlockLimits {
        let table = root.table("blocks", keys: ["max_registers", "max_gap", "alignment"])
        var limits = BlockLimits()
        let most = Int64(RegisterBlock.maximumCount)
        if let registers = table.integer("max_registers", in: 1...most) { limits.registers = Int(registers) }
        if let gap = table.integer("max_gap", in: 0...most) { limits.gap = Int(gap) }
        if let alignment = table.integer("alignment", in: 1...4) { limits.alignment = Int(alignment) }
        return limits
    }

    private static func groups(_ root: ProfileTable) -> [RegisterGroup] {
        let names = root.table["groups"]?.table?.keys.map(\.name) ?? []
        let table = root.table("groups", keys: names)
        let groups = names.prefix(16).compactMap { name -> RegisterGroup? in
            let group = table.table(name, keys: ["period_ms"])
            let period = group.required("period_ms", group.integer("period_ms", in: 100...86_400_000))
            return period.map { RegisterGroup(name: name, period: $0) }
        }
        if names.isEmpty { root.report("groups", "a meter needs at least one group, such as [groups.fast]") }
        return groups
    }

    /// Two registers for one series would overwrite each other with every read.
    private static func checkRepeats(_ registers: [RegisterReader.Placed]) {
        var seen: [String: UInt16] = [:]
        for (register, table) in registers {
            let series = "\(register.channel) \(register.quantity)"
            if let other = seen.updateValue(register.address, forKey: series) {
                table.report("quantity", "`\(series)` is read from \(hexadecimal(other)) already")
            }
        }
    }

    private static func unused(_ root: ProfileTable) -> [UnusedRegister] {
        root.tables("unused", keys: ["address", "what"]).compactMap { table in
            let address = table.required("address", table.integer("address", in: 0...0xFFFF))
            let what = table.required("what", table.string("what"))
            guard let address, let what else { return nil }
            return UnusedRegister(address: UInt16(address), what: what)
        }
    }

    static func testInput(_ table: ProfileTable) -> ProfileTest.Input? {
        let function = table.required("function", table.integer("function", in: 3...4))
        let address = table.required("address", table.integer("address", in: 0...0xFFFF))
        let text = table.required("words", table.string("words", maximum: 4096))
        guard let function, let address, let text else { return nil }
        var words: [UInt16] = []
        for part in text.split(whereSeparator: \.isWhitespace) {
            guard part.utf8.count == 4, let word = UInt16(part, radix: 16) else {
                table.report("words", "`\(part)` is no word of four hexadecimal digits")
                return nil
            }
            words.append(word)
        }
        guard (1...RegisterBlock.maximumCount).contains(words.count) else {
            table.report("words", "must be 1 to \(RegisterBlock.maximumCount) words")
            return nil
        }
        return .words(function: UInt8(function), address: UInt16(address), words: words)
    }
}
