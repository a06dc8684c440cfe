import Metering
import TOML

/// Reads `[[register]]` tables. One table is one register, or with `channels` a row of them.
struct RegisterReader {
    typealias Placed = (register: Register, table: ProfileTable)

    /// What `[defaults]` may state for all registers.
    static let shapeKeys = ["function", "type", "word_order", "group", "not_available"]
    static let keys =
        shapeKeys + [
            "address", "quantity", "channel", "channels", "stride", "unit", "scale", "offset",
        ] + specialKeys

    private let defaults: Shape
    private let groups: [RegisterGroup]
    private let function: UInt8
    /// Added to every address of the file.
    let base: Int
    /// "Not available" by type.
    private let sentinels: [RegisterType: [UInt64]]

    private struct Shape {
        var function: UInt8?
        var type: RegisterType?
        var wordOrder: WordOrder?
        var group: Int?
        var notAvailable: [UInt64]?
    }

    init(_ root: ProfileTable, groups: [RegisterGroup], function: UInt8, base: Int) {
        self.groups = groups
        self.function = function
        self.base = base
        let types = root.table("not_available", keys: RegisterType.allCases.map(\.rawValue))
        var sentinels: [RegisterType: [UInt64]] = [:]
        for type in RegisterType.allCases {
            if let raws = RegisterReader.raws(types, type.rawValue) { sentinels[type] = raws }
        }
        self.sentinels = sentinels
        defaults = RegisterReader.shape(root.table("defaults", keys: RegisterReader.shapeKeys), groups)
    }

    private static func shape(_ table: ProfileTable, _ groups: [RegisterGroup]) -> Shape {
        var shape = Shape()
        shape.function = table.integer("function", in: 3...4).map(UInt8.init)
        shape.type = table.word("type", as: RegisterType.self)
        shape.wordOrder = table.word("word_order", as: WordOrder.self)
        if let name = table.string("group") {
            shape.group = groups.firstIndex { $0.name == name }
            if shape.group == nil { table.unknown("group", name, among: groups.map(\.name)) }
        }
        shape.notAvailable = raws(table, "not_available")
        return shape
    }

    private static func raws(_ table: ProfileTable, _ key: String) -> [UInt64]? {
        table.strings(key)?.compactMap { text in
            let digits = text.filter { $0 != " " }
            guard digits.utf8.count <= 16, let raw = UInt64(digits, radix: 16) else {
                table.report(key, "`\(text)` is no raw value of up to 16 hexadecimal digits")
                return nil
            }
            return raw
        }
    }

    /// Empty after reporting why.
    func registers(_ table: ProfileTable, together: Int) -> [Placed] {
        let shape = RegisterReader.shape(table, groups)
        let address = table.required("address", address(table, "address"))
        let quantity = table.required("quantity", table.quantity("quantity"))
        let type = shape.type ?? defaults.type
        if type == nil, table.table["type"] == nil { table.report("type", "is missing, here and in [defaults]") }
        let group = shape.group ?? defaults.group
        if group == nil, table.table["group"] == nil { table.report("group", "is missing, here and in [defaults]") }
        let channels = channels(table)
        let function = shape.function ?? defaults.function ?? function
        // Read to the end whatever is wrong so far, so that all of it is told.
        let conversion = quantity.flatMap { self.conversion(table, $0) }
        let special = self.special(table, type, function: function, conversion ?? .canonical)
        guard let address, let quantity, let type, let group, let conversion else { return [] }
        let stride = Int(table.integer("stride", in: Int64(type.words)...1000) ?? Int64(type.words))
        let addresses = ([address] + (special?.terms.map { Int($0.address) } ?? []))
        let last = (addresses.max() ?? 0) + stride * (channels.count - 1) + type.words
        guard channels.isEmpty || last <= 0x10000 else {
            table.report("address", "the register ends behind 0xFFFF")
            return []
        }
        return channels.enumerated().map { index, channel in
            let special = special.map { special in
                var moved = special
                moved.terms = special.terms.map { term in
                    .init(address: term.address + UInt16(stride * index), isSubtracted: term.isSubtracted)
                }
                return moved
            }
            let register = Register(
                function: function, address: UInt16(address + stride * index), type: type,
                wordOrder: shape.wordOrder ?? defaults.wordOrder ?? .highFirst, quantity: quantity,
                channel: channel, conversion: conversion,
                sentinels: shape.notAvailable ?? sentinels[type] ?? defaults.notAvailable ?? [], group: group,
                together: together, special: special)
            return (register, table)
        }
    }

    /// As it stands in the file, with the base added.
    func address(_ table: ProfileTable, _ key: String) -> Int? {
        guard let written = table.integer(key, in: 0...0x10000 - Int64(min(base, 0)) - 1) else { return nil }
        let address = Int(written) + base
        guard (0...0xFFFF).contains(address) else {
            table.report(key, "with the base of \(base) it is not 0 to 65535")
            return nil
        }
        return address
    }

    private func conversion(_ table: ProfileTable, _ quantity: Quantity) -> Conversion? {
        guard let conversion = table.conversion(of: quantity) else { return nil }
        guard let offset = table.decimal("offset") else { return conversion }
        guard conversion.offset == 0, let thousandths = Thousandths.from(offset) else {
            table.report("offset", "does not go with this unit, or does not fit")
            return nil
        }
        return Conversion(scale: conversion.scale, offset: thousandths)
    }

    private func channels(_ table: ProfileTable) -> [Channel] {
        guard table.table["channels"] != nil else { return [table.channel("channel") ?? .total] }
        if table.table["channel"] != nil { table.report("channel", "stands beside `channels`") }
        guard let names = table.strings("channels") else { return [] }
        if names.isEmpty { table.report("channels", "is empty") }
        return names.compactMap { name in
            if Channel(name) == nil {
                table.report("channels", "`\(name)` is no channel: 1 to 15 of a–z, 0–9 and _")
            }
            return Channel(name)
        }
    }
}
