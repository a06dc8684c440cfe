import Metering
import TOML

/// Reads `[[register]]` tables. One table is one register, or with `channels` a row of them.
struct RegisterReader {
    typealias Placed = (register: Register, table: ProfileTable)

    static let keys = ["address", "quantity", "channel", "channels", "stride", "unit", "scale"]

    private let defaults: Shape
    private let groups: [RegisterGroup]

    /// What `[defaults]` may state for all registers.
    private struct Shape {
        var type: RegisterType?
        var wordOrder: WordOrder?
        var group: Int?
        var notAvailable: [UInt64]?
    }

    init(defaults table: ProfileTable, groups: [RegisterGroup]) {
        self.groups = groups
        self.defaults = RegisterReader.shape(table, groups)
    }

    private static func shape(_ table: ProfileTable, _ groups: [RegisterGroup]) -> Shape {
        var shape = Shape()
        shape.type = table.word("type", as: RegisterType.self)
        shape.wordOrder = table.word("word_order", as: WordOrder.self)
        if let name = table.string("group") {
            shape.group = groups.firstIndex { $0.name == name }
            if shape.group == nil { table.unknown("group", name, among: groups.map(\.name)) }
        }
        shape.notAvailable = table.strings("not_available")?.compactMap { text in
            let digits = text.filter { $0 != " " }
            guard digits.utf8.count <= 16, let raw = UInt64(digits, radix: 16) else {
                table.report("not_available", "`\(text)` is no raw value of up to 16 hexadecimal digits")
                return nil
            }
            return raw
        }
        return shape
    }

    /// Empty after reporting why.
    func registers(_ table: ProfileTable, together: Int) -> [Placed] {
        let shape = RegisterReader.shape(table, groups)
        let address = table.required("address", table.integer("address", in: 0...0xFFFF))
        let quantity = table.required("quantity", table.quantity("quantity"))
        let type = shape.type ?? defaults.type
        if type == nil, table.table["type"] == nil { table.report("type", "is missing, here and in [defaults]") }
        let group = shape.group ?? defaults.group
        if group == nil, table.table["group"] == nil { table.report("group", "is missing, here and in [defaults]") }
        let channels = channels(table)
        guard let address, let quantity, let type, let group, let conversion = table.conversion(of: quantity)
        else { return [] }
        let stride = table.integer("stride", in: Int64(type.words)...1000) ?? Int64(type.words)
        let last = address + stride * Int64(channels.count - 1) + Int64(type.words)
        guard channels.isEmpty || last <= 0x10000 else {
            table.report("address", "the register ends behind 0xFFFF")
            return []
        }
        return channels.enumerated().map { index, channel in
            let register = Register(
                address: UInt16(address + stride * Int64(index)), type: type,
                wordOrder: shape.wordOrder ?? defaults.wordOrder ?? .highFirst, quantity: quantity,
                channel: channel, conversion: conversion,
                sentinels: shape.notAvailable ?? defaults.notAvailable ?? [], group: group, together: together)
            return (register, table)
        }
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
