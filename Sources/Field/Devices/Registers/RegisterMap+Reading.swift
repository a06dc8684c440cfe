import Metering
import TOML

extension RegisterMap {
    static let keys = [
        "function", "functions", "base", "line", "blocks", "groups", "defaults", "not_available", "register", "unused",
        "transformers", "valid_when", "invert", "sunspec",
    ]

    /// Nil after reporting why.
    init?(_ root: ProfileTable) {
        let before = root.problems.list.count
        let functions = RegisterMap.functions(root)
        let groups = RegisterMap.groups(root)
        let sunSpec = RegisterMap.sunSpec(root)
        let base = sunSpec.map { Int($0.base) } ?? root.integer("base", in: -1...0xFFFF).map(Int.init) ?? 0
        if sunSpec != nil, root.table["base"] != nil { root.report("base", "stands in [sunspec]") }
        let reader = RegisterReader(root, groups: groups, function: functions?[0] ?? 3, base: base)
        var frame = Frame(functions: functions ?? [3], groups: groups)
        frame.line = RegisterMap.line(root)
        frame.limits = RegisterMap.limits(root)
        frame.sunSpec = sunSpec
        frame.isInverted = root.boolean("invert") ?? false
        frame.validWhen = reader.conditions(root, "valid_when", function: frame.functions[0])
        frame.transformers = RegisterMap.transformers(root, reader, function: frame.functions[0])
        frame.unused = RegisterMap.unused(root)
        let tables = root.tables("register", keys: RegisterReader.keys)
        let registers = tables.enumerated().flatMap { reader.registers($1, together: $0) }
        if root.table["register"] == nil { root.report("register", "a meter needs at least one [[register]]") }
        RegisterMap.checkRepeats(registers)
        guard root.problems.list.count == before else { return nil }
        do throws(BlockPlanner.Problem) {
            try self.init(frame, registers: registers.map(\.register))
        } catch {
            let culprit = registers.first { $0.register.address == error.address }
            let reason =
                error.registers > error.maximum
                ? "\(error.registers) registers belong together, and blocks.max_registers is \(error.maximum)"
                : "\(error.registers) registers belong together, and blocks.window splits them"
            (culprit?.table ?? root).report("address", reason)
            return nil
        }
    }

    /// `function = 4`, or `functions = [3, 4]` where both answer with the same registers.
    private static func functions(_ root: ProfileTable) -> [UInt8]? {
        guard let value = root.table["functions"] else {
            return root.required("function", root.integer("function", in: 3...4)).map { [UInt8($0)] }
        }
        if root.table["function"] != nil { root.report("function", "stands beside `functions`") }
        let numbers = value.array?.compactMap(\.integer) ?? []
        guard numbers == [3, 4] || numbers == [4, 3] else {
            root.report("functions", "must be [3, 4] or [4, 3], the one to ask first")
            return nil
        }
        return numbers.map { UInt8($0) }
    }

    private static func line(_ root: ProfileTable) -> LineDefaults {
        let table = root.table(
            "line",
            keys: ["baud", "parity", "stop_bits", "unit", "pause_ms", "port", "connect_pause_ms", "timeout_ms"])
        var line = LineDefaults()
        if let baud = table.integer("baud", in: 300...1_000_000) { line.baud = Int(baud) }
        if let parity = table.word("parity", as: LineDefaults.Parity.self) { line.parity = parity }
        if let stopBits = table.integer("stop_bits", in: 1...2) { line.stopBits = Int(stopBits) }
        if let unit = table.integer("unit", in: 0...255) { line.unit = UInt8(unit) }
        if let pause = table.integer("pause_ms", in: 0...10_000) { line.pause = pause }
        if let port = table.integer("port", in: 1...65_535) { line.port = UInt16(port) }
        if let pause = table.integer("connect_pause_ms", in: 0...10_000) { line.connectPause = pause }
        line.timeout = table.integer("timeout_ms", in: 10...60_000)
        return line
    }

    private static func limits(_ root: ProfileTable) -> BlockLimits {
        let table = root.table("blocks", keys: ["max_registers", "max_gap", "alignment", "window"])
        var limits = BlockLimits()
        let most = Int64(RegisterBlock.maximumCount)
        if let registers = table.integer("max_registers", in: 1...most) { limits.registers = Int(registers) }
        if let gap = table.integer("max_gap", in: 0...most) { limits.gap = Int(gap) }
        if let alignment = table.integer("alignment", in: 1...4) { limits.alignment = Int(alignment) }
        if let window = table.integer("window", in: 4...0x10000) { limits.window = Int(window) }
        return limits
    }

    private static func groups(_ root: ProfileTable) -> [RegisterGroup] {
        let names = root.table["groups"]?.table?.keys.map(\.name) ?? []
        let table = root.table("groups", keys: names)
        let groups = names.prefix(16).map { name in
            let group = table.table(name, keys: ["period_ms"])
            let period = group.required("period_ms", group.integer("period_ms", in: 100...86_400_000))
            return RegisterGroup(name: name, period: period ?? 1000)
        }
        if names.isEmpty { root.report("groups", "a meter needs at least one group, such as [groups.fast]") }
        return groups
    }

    private static func sunSpec(_ root: ProfileTable) -> SunSpecModels? {
        guard root.table["sunspec"] != nil else { return nil }
        let table = root.table("sunspec", keys: ["models", "base"])
        let base = table.integer("base", in: 0...0xFFFF).map(UInt16.init) ?? 40069
        let written = table.table["models"]?.array ?? []
        let ids = written.compactMap(\.integer).compactMap { UInt16(exactly: $0) }
        guard !ids.isEmpty, ids.count == written.count, ids.count <= 32 else {
            table.report("models", "must be 1 to 32 numbers of models, such as [101, 102, 103]")
            return nil
        }
        return SunSpecModels(ids: ids, base: base)
    }

    private static func transformers(
        _ root: ProfileTable, _ reader: RegisterReader, function: UInt8
    ) -> Transformers? {
        guard root.table["transformers"] != nil else { return nil }
        let table = root.table("transformers", keys: ["current", "voltage"])
        func ratio(_ key: String) -> Transformers.Ratio? {
            guard table.table[key] != nil else { return nil }
            let register = table.table(key, keys: ["function", "address", "scale"])
            let scale = register.table["scale"] == nil ? .one : register.scale("scale")
            let function = register.integer("function", in: 3...4).map(UInt8.init) ?? function
            guard let address = register.required("address", reader.address(register, "address")), let scale
            else { return nil }
            return .init(place: RegisterPlace(function: function, address: UInt16(address)), scale: scale)
        }
        return Transformers(current: ratio("current"), voltage: ratio("voltage"))
    }

    /// Two registers for one series would overwrite each other with every read; those of which a code chooses one do
    /// not, and neither does a fallback.
    private static func checkRepeats(_ registers: [RegisterReader.Placed]) {
        var seen: [String: UInt16] = [:]
        for (register, table) in registers
        where (register.special?.when.isEmpty ?? true) && !register.isFallback {
            let series = "\(register.channel) \(register.quantity)"
            if let other = seen.updateValue(register.address, forKey: series) {
                table.report("quantity", "`\(series)` is read from \(hexadecimal(other)) already")
            }
        }
    }

    private static func unused(_ root: ProfileTable) -> [UnusedRegister] {
        root.tables("unused", keys: ["address", "what"]).compactMap { table in
            let address = table.required("address", table.integer("address", in: 0...0x10000))
            let what = table.required("what", table.string("what"))
            guard let address, let what else { return nil }
            return UnusedRegister(address: UInt16(clamping: address), what: what)
        }
    }
}
