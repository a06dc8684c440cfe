import Metering
import TOML

extension MessageProfile {
    static let keys = ["topic", "field", "time", "ignore", "arrays", "report_ms"]
    static let testKeys = ["topic", "payload", "device"]

    private enum PayloadName: String, CaseIterable {
        case json, canonical, number, availability, ignored
    }

    /// Nil after reporting why.
    init?(_ root: ProfileTable) {
        let before = root.problems.list.count
        let fields = root.tables("field", keys: MessageProfile.fieldKeys).compactMap(MessageProfile.field)
        let topics = root.tables("topic", keys: MessageProfile.topicKeys).compactMap {
            MessageProfile.topic($0, fields: fields)
        }
        if root.table["topic"] == nil { root.report("topic", "a profile of messages needs at least one [[topic]]") }
        let time = root.string("time").flatMap { MessageProfile.path(root, "time", $0) }
        let ignored = root.strings("ignore", maximum: 256)?.compactMap { MessageProfile.path(root, "ignore", $0) }
        let arrays = MessageProfile.arrays(root)
        let interval = root.integer("report_ms", in: 1000...86_400_000)
        guard root.problems.list.count == before else { return nil }
        guard let tree = FieldTree(fields: fields, time: time, ignored: ignored ?? []) else {
            root.report("field", "one object has more than \(FieldTree.maximumSiblings) fields")
            return nil
        }
        self.init(
            topics: topics, fields: fields, tree: tree, canonical: MessageProfile.canonicalTree, arrays: arrays,
            reportInterval: interval)
    }

    var quantities: Set<Quantity> {
        var found: Set<Quantity> = []
        for field in fields {
            found.insert(field.quantity)
            if let other = field.beside?.quantity { found.insert(other) }
        }
        for topic in topics where topic.payload == .canonical || topic.pattern.has(.quantity) {
            found.formUnion(MessageProfile.statedQuantities)
        }
        return found
    }

    private static let topicKeys = [
        "pattern", "payload", "root", "field", "channel", "channels", "online", "offline",
    ]

    private static func topic(_ table: ProfileTable, fields: [Field]) -> Topic? {
        let pattern = table.required("pattern", table.string("pattern")).flatMap { text -> TopicPattern? in
            do throws(TopicPattern.Problem) { return try TopicPattern(text) } catch {
                table.report("pattern", error.reason)
                return nil
            }
        }
        guard let name = table.required("payload", table.word("payload", as: PayloadName.self)), let pattern
        else { return nil }
        if name != .ignored, !pattern.has(.device) {
            table.report("pattern", "names no {device}")
            return nil
        }
        let channel = table.channel("channel") ?? .total
        let payload: Payload? =
            switch name {
            case .json: Payload.json(root: table.string("root").flatMap { path(table, "root", $0) } ?? [])
            case .canonical: .canonical
            case .number: number(table, pattern, fields)
            case .availability: availability(table)
            case .ignored: .ignored
            }
        guard let payload else { return nil }
        return Topic(pattern: pattern, payload: payload, channel: channel, channelNames: channelNames(table))
    }

    /// A number's topic says what it measures by `{quantity}` or `{field}`, or the profile names the field.
    private static func number(_ table: ProfileTable, _ pattern: TopicPattern, _ fields: [Field]) -> Payload? {
        if pattern.has(.quantity) || pattern.has(.field) { return .number(fixed: nil) }
        guard let name = table.required("field", table.string("field")) else { return nil }
        if let index = fields.firstIndex(where: { $0.name == name }) { return .number(fixed: index) }
        table.report(
            "field", "no [[field]] has the path `\(name)`", nearest: nearest(name, among: fields.map(\.name)))
        return nil
    }

    private static func availability(_ table: ProfileTable) -> Payload? {
        let online = table.required("online", table.strings("online"))
        let offline = table.required("offline", table.strings("offline"))
        guard let online, let offline else { return nil }
        for word in online where offline.contains(word) {
            table.report("offline", "`\(word)` stands for online as well")
        }
        return .availability(online: online.map { Array($0.utf8) }, offline: offline.map { Array($0.utf8) })
    }

    private static func channelNames(_ table: ProfileTable) -> [String: Channel] {
        guard table.table["channels"] != nil else { return [:] }
        let words = table.table["channels"]?.table?.keys.map(\.name) ?? []
        let names = table.table("channels", keys: words)
        var channels: [String: Channel] = [:]
        for word in words { channels[word] = names.channel(word) }
        return channels
    }

    private static func arrays(_ root: ProfileTable) -> ArrayChannels {
        let table = root.table("arrays", keys: ["first", "phases_when"])
        var arrays = ArrayChannels()
        if let first = table.integer("first", in: 0...1000) { arrays.first = Int(first) }
        if let text = table.string("phases_when") {
            arrays.phasesWhen = path(table, "phases_when", text) ?? []
        }
        return arrays
    }

    private static let fieldKeys = [
        "path", "quantity", "channel", "unit", "unit_path", "scale", "arrays", "sum", "no_value", "beside", "then",
    ]

    private static func field(_ table: ProfileTable) -> Field? {
        let text = table.required("path", table.string("path"))
        let quantity = table.required("quantity", table.quantity("quantity"))
        let channel = table.channel("channel")
        let unitPath = table.string("unit_path").flatMap { path(table, "unit_path", $0) } ?? []
        guard let text, let path = path(table, "path", text), let quantity,
            let conversion = table.conversion(of: quantity)
        else { return nil }
        if table.table["channel"] != nil, path.contains(FieldTree.wildcard) {
            table.report("channel", "a path with `*` takes its channel from the name that `*` stands for")
        }
        var field = Field(path: path, quantity: quantity, conversion: conversion)
        field.channel = path.contains(FieldTree.wildcard) ? nil : channel ?? .total
        field.takesArrays = table.boolean("arrays") ?? true
        field.sums = table.boolean("sum") ?? false
        field.unitPath = unitPath
        field.noValue = noValues(table, conversion)
        field.beside = beside(table)
        return field
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

    /// `beside = ["ExportActive"]` with `then = "energy_net"`, or `"nothing"` to drop the sample.
    private static func beside(_ table: ProfileTable) -> Field.Beside? {
        guard let siblings = table.strings("beside", maximum: 8) else {
            if table.table["then"] != nil { table.report("then", "needs `beside`") }
            return nil
        }
        guard let word = table.required("then", table.string("then")) else { return nil }
        return Field.Beside(siblings: siblings, quantity: word == "nothing" ? nil : table.quantity("then"))
    }

    /// `ENERGY.Power`; a name that holds a dot is quoted: `em."switch:0".apower`.
    private static func path(_ table: ProfileTable, _ key: String, _ text: String) -> [String]? {
        var names: [String] = [""]
        var isQuoted = false
        for character in text {
            switch character {
            case "\"": isQuoted.toggle()
            case "." where !isQuoted: names.append("")
            default: names[names.count - 1].append(character)
            }
        }
        guard !isQuoted, names.count <= FieldTree.maximumDepth, names.allSatisfy({ !$0.isEmpty }),
            names.count(where: { $0 == FieldTree.wildcard }) <= 1
        else {
            table.report(
                key, "`\(text)` is no path: up to \(FieldTree.maximumDepth) names with dots between, at most one `*`")
            return nil
        }
        return names
    }

    static func testInput(_ table: ProfileTable) -> ProfileTest.Input? {
        _ = table.string("device")
        let topic = table.required("topic", table.string("topic", maximum: 65_535))
        let payload = table.required("payload", table.string("payload", maximum: 262_144))
        guard let topic, let payload else { return nil }
        return .message(topic: topic, payload: payload)
    }
}
