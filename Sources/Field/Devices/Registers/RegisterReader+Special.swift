import Metering
import TOML

extension RegisterReader {
    static let specialKeys = [
        "form", "magnitude", "scale_register", "plus", "minus", "when", "negative_when", "scales", "plausible", "alone",
        "fallback",
    ]
    private static let conditionKeys = ["function", "address", "mask", "is"]

    /// What a register has beyond the usual; nil when it has nothing.
    func special(
        _ table: ProfileTable, _ type: RegisterType?, function: UInt8, _ conversion: Conversion
    ) -> Register.Special? {
        guard RegisterReader.specialKeys.contains(where: { table.table[$0] != nil }) else { return nil }
        var special = Register.Special()
        special.form = table.word("form", as: Register.Form.self)
        if special.form == .fourQuadrant, let type, type != .f32, type != .f64 {
            table.report("form", "a code of four quadrants is a float")
        }
        special.isMagnitude = table.boolean("magnitude") ?? false
        special.isAlone = table.boolean("alone") ?? false
        if let address = address(table, "scale_register") {
            special.scaleFactor = RegisterPlace(function: function, address: UInt16(address))
        }
        special.isFallback = table.boolean("fallback") ?? false
        special.terms = terms(table, "plus", type, isSubtracted: false)
        special.terms += terms(table, "minus", type, isSubtracted: true)
        special.when = conditions(table, "when", function: function)
        special.negativeWhen = conditions(table, "negative_when", function: function)
        special.plausible = plausible(table)
        special.conversions = scales(table, conversion)
        if !special.conversions.isEmpty, special.plausible == nil {
            table.report("scales", "needs `plausible`, which tells the right one")
        }
        return special
    }

    private func terms(
        _ table: ProfileTable, _ key: String, _ type: RegisterType?, isSubtracted: Bool
    ) -> [Register.Term] {
        guard let value = table.table[key] else { return [] }
        let written = value.array ?? [value]
        let addresses = written.compactMap(\.integer).map { $0 + Int64(base) }
        guard addresses.count == written.count, (1...8).contains(written.count),
            addresses.allSatisfy({ $0 >= 0 && $0 <= 0x10000 - Int64(type?.words ?? 1) })
        else {
            table.report(key, "must be an address, or up to eight of them")
            return []
        }
        return addresses.map { Register.Term(address: UInt16($0), isSubtracted: isSubtracted) }
    }

    /// One condition, or several that must all hold.
    func conditions(_ table: ProfileTable, _ key: String, function: UInt8) -> [RegisterCondition] {
        let tables =
            table.table[key]?.table == nil
            ? table.tables(key, keys: RegisterReader.conditionKeys, maximum: 8)
            : [table.table(key, keys: RegisterReader.conditionKeys)]
        return tables.compactMap { condition in
            let address = condition.required("address", address(condition, "address"))
            let values = condition.required("is", values(condition, "is"))
            let function = condition.integer("function", in: 3...4).map(UInt8.init) ?? function
            let mask = condition.integer("mask", in: 1...0xFFFF).map(UInt16.init) ?? 0xFFFF
            guard let address, let values else { return nil }
            return RegisterCondition(
                place: RegisterPlace(function: function, address: UInt16(address)), mask: mask, values: values)
        }
    }

    /// One number or an array of them.
    private func values(_ table: ProfileTable, _ key: String) -> [UInt16]? {
        guard let array = table.table[key]?.array else {
            return table.integer(key, in: 0...0xFFFF).map { [UInt16($0)] }
        }
        let values = array.compactMap { $0.integer }.compactMap { UInt16(exactly: $0) }
        guard values.count == array.count, !values.isEmpty, values.count <= 32 else {
            table.report(key, "must be 1 to 32 numbers of 0 to 65535")
            return nil
        }
        return values
    }

    /// `[45, 65]`, in the canonical unit.
    private func plausible(_ table: ProfileTable) -> ClosedRange<Int64>? {
        guard let value = table.table["plausible"] else { return nil }
        let bounds = value.array?.compactMap { $0.decimalText.flatMap { DecimalText($0) } }
            .compactMap { Thousandths.from($0) }
        guard let bounds, bounds.count == 2, value.array?.count == 2, bounds[0] < bounds[1] else {
            table.report("plausible", "must be two numbers, the lower first")
            return nil
        }
        return bounds[0]...bounds[1]
    }

    private func scales(_ table: ProfileTable, _ conversion: Conversion) -> [Conversion] {
        guard let texts = table.strings("scales", maximum: 8) else { return [] }
        return texts.compactMap { text in
            guard let scaled = Scale(text: text).flatMap(conversion.scaled(by:)) else {
                table.report("scales", "`\(text)` is no factor such as \"0.1\" or \"1/60\"")
                return nil
            }
            return scaled
        }
    }
}
