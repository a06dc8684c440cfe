import Metering
import TOML

extension MessageProfile {
    static let fieldKeys = [
        "path", "quantity", "channel", "channels", "unit", "unit_path", "scale", "arrays", "sum", "no_value", "words",
        "beside", "without", "valid_if", "sign", "once_per", "maybe_percent", "decimal_comma", "with_unit", "name",
        "hidden", "only_words", "when",
    ]

    /// One for each path and channel of the table.
    static func fields(_ table: ProfileTable) -> [Field] {
        guard let paths = paths(of: table) else { return [] }
        return fields(table, paths: paths)
    }

    /// The texts of its paths.
    static func paths(of table: ProfileTable) -> [String]? { table.required("path", table.words("path")) }

    /// The same for paths that stand elsewhere.
    static func fields(_ table: ProfileTable, paths texts: [String]?) -> [Field] {
        let quantity = table.required("quantity", table.quantity("quantity"))
        let channels = FieldChannels(table)
        guard let texts, let quantity, let conversion = table.conversion(of: quantity) else { return [] }
        var field = Field(path: [], quantity: quantity, conversion: conversion)
        field.name = table.string("name", maximum: 64) ?? ""
        field.isHidden = table.boolean("hidden") ?? false
        field.takesArrays = table.boolean("arrays") ?? true
        field.sums = table.boolean("sum") ?? false
        field.unitPath = table.string("unit_path").flatMap { path(table, "unit_path", $0) } ?? []
        field.noValue = noValues(table, conversion)
        field.words = words(table, conversion)
        field.hasOnlyWords = table.boolean("only_words") ?? false
        field.mayBePercent = table.boolean("maybe_percent") ?? false
        field.takesComma = table.boolean("decimal_comma") ?? false
        field.takesUnit = table.boolean("with_unit") ?? false
        if field.isHidden, field.name.isEmpty { table.report("hidden", "needs a `name` that [[combine]] can use") }
        if field.mayBePercent, quantity != .powerFactor {
            table.report("maybe_percent", "is for power_factor alone, not for `\(quantity)`")
        }
        return texts.flatMap { text in
            FieldPath.expanded(text, channels: channels.list).flatMap { expanded -> [Field] in
                guard let path = path(table, "path", expanded.path) else { return [] }
                var field = field
                field.path = path
                field.channel = channels.fixed ?? expanded.channel
                readSiblings(table, expanded.word, into: &field)
                return [field]
            }
        }
    }

    /// Options that name other members; `{channel}` in them is the path's.
    private static func readSiblings(_ table: ProfileTable, _ word: String, into field: inout Field) {
        func named(_ text: String) -> String { text.replacing(FieldPath.placeholder, with: word) }
        field.name = named(field.name)
        field.beside = (table.strings("beside", maximum: 16) ?? []).map(named)
        field.without = (table.strings("without", maximum: 16) ?? []).map(named)
        field.validIf = table.string("valid_if").map(named) ?? ""
        if table.table["when"] != nil {
            let when = table.table("when", keys: ["by", "is"])
            let words = when.required("is", when.words("is")) ?? []
            if let by = when.required("by", when.string("by")) {
                field.when = Field.Condition(sibling: named(by), words: words.map { Array($0.utf8) })
            }
        }
        if let text = table.string("once_per") { field.once = text == "time" ? .time : .sibling(named(text)) }
        guard table.table["sign"] != nil else { return }
        let sign = table.table("sign", keys: ["by", "negative", "positive"])
        let by = sign.required("by", sign.string("by"))
        let negative = sign.required("negative", sign.words("negative")) ?? []
        let positive = sign.required("positive", sign.words("positive")) ?? []
        if let by {
            field.sign = Field.Sign(
                sibling: named(by), negative: negative.map { Array($0.utf8) },
                positive: positive.map { Array($0.utf8) })
        }
    }

    private static func noValues(_ table: ProfileTable, _ conversion: Conversion) -> [Int64] {
        guard let value = table.table["no_value"] else { return [] }
        guard let array = value.array, array.count <= 16 else {
            table.report("no_value", "must be an array of at most 16 numbers")
            return []
        }
        return array.compactMap { element in
            let decimal = element.decimalText.flatMap { DecimalText($0) }
            guard let result = decimal.flatMap({ conversion.thousandths($0) }) else {
                table.report("no_value", "must be an array of numbers")
                return nil
            }
            return result
        }
    }

    /// `words = { ON = 1, OFF = 0 }`
    private static func words(_ table: ProfileTable, _ conversion: Conversion) -> [Field.Word] {
        guard table.table["words"] != nil else { return [] }
        let names = table.table["words"]?.table?.keys.map(\.name) ?? []
        let words = table.table("words", keys: names)
        return names.compactMap { name in
            guard let decimal = words.decimal(name), let value = conversion.thousandths(decimal) else { return nil }
            return Field.Word(text: Array(name.utf8), value: value)
        }
    }
}

/// What `channel` and `channels` of a field or a topic say.
struct FieldChannels {
    /// The one channel of every path; nil where it is not stated.
    private(set) var fixed: Channel?
    /// The words that `{channel}` stands for, and the channels they are.
    private(set) var list: [(word: String, channel: Channel)] = []

    /// `channels = "0-3"`, `["left", "right"]` or `{ a = "l1", b = "l2" }`.
    init(_ table: ProfileTable) {
        fixed = table.channel("channel")
        guard let value = table.table["channels"] else { return }
        if let range = value.string {
            let ends = range.split(separator: "-").compactMap { Int($0) }
            guard ends.count == 2, (0...999).contains(ends[0]), ends[1] < 1000, ends[0] <= ends[1] else {
                table.report("channels", "must be a range such as \"0-3\", an array of names, or a table")
                return
            }
            list = (ends[0]...ends[1]).map { (String($0), Channel.output($0)) }
        } else if value.array != nil {
            for word in table.strings("channels", maximum: 64) ?? [] {
                guard let channel = Channel(word) else {
                    table.report("channels", "`\(word)` is no channel: 1 to 15 of a–z, 0–9 and _")
                    continue
                }
                list.append((word, channel))
            }
        } else {
            let words = value.table?.keys.map(\.name) ?? []
            let names = table.table("channels", keys: words)
            for word in words {
                if let channel = names.channel(word) { list.append((word, channel)) }
            }
        }
    }
}
