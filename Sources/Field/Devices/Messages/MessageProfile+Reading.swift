import Metering
import TOML

extension MessageProfile {
    static let keys = [
        "topic", "field", "time", "ignore", "arrays", "report_ms", "combine", "base", "full_topics",
        "yields_to_discovery",
    ]
    static let testKeys = ["topic", "payload", "device", "retain", "messages"]

    /// Nil after reporting why.
    init?(_ root: ProfileTable) {
        let before = root.problems.list.count
        let fields = root.tables("field", keys: MessageProfile.fieldKeys).flatMap { MessageProfile.fields($0) }
        let time = MessageProfile.paths(root, "time")
        let ignored = MessageProfile.paths(root, "ignore")
        let arrays = MessageProfile.arrays(root)
        let combinations = root.tables("combine", keys: MessageProfile.combinationKeys, maximum: 64).compactMap {
            MessageProfile.combination($0, fields)
        }
        let interval = root.integer("report_ms", in: 1000...86_400_000)
        let bases = root.words("base") ?? []
        let fullTopics = root.words("full_topics") ?? []
        for text in fullTopics where !text.contains("%prefix%") || !text.contains("%topic%") {
            root.report("full_topics", "`\(text)` needs %prefix% and %topic%")
        }
        guard fields.count <= MessageProfile.maximumFields,
            let tree = FieldTree(fields: fields, time: time, ignored: ignored)
        else {
            root.report(
                "field",
                "more than \(MessageProfile.maximumFields) fields, or \(FieldTree.maximumSiblings) in one object")
            return nil
        }
        let reader = TopicReader(tree: tree, bases: bases, fullTopics: fullTopics)
        let topics = root.tables("topic", keys: TopicReader.keys).compactMap { reader.topic($0) }
        if root.table["topic"] == nil { root.report("topic", "a profile of messages needs at least one [[topic]]") }
        let yields = root.boolean("yields_to_discovery") ?? false
        guard root.problems.list.count == before else { return nil }
        self.init(
            topics: topics, tree: tree, canonical: MessageProfile.canonicalTree, arrays: arrays,
            combinations: combinations, bases: bases, fullTopics: fullTopics, yieldsToDiscovery: yields,
            isConfigured: false, reportInterval: interval)
    }

    static func nearestName(_ name: String, among names: [String]) -> String? { nearest(name, among: names) }

    /// After braces and channels are put in.
    static let maximumFields = 2048

    var quantities: Set<Quantity> {
        var found = Set(fields.lazy.filter { !$0.isHidden }.map(\.quantity))
        found.formUnion(combinations.map(\.quantity))
        for topic in topics {
            switch topic.payload {
            case .canonical, .discovery, .homie, .sparkplug: found.formUnion(MessageProfile.statedQuantities)
            default:
                if topic.patterns.contains(where: { $0.text.contains("{quantity}") }) {
                    found.formUnion(MessageProfile.statedQuantities)
                }
            }
        }
        return found
    }

    private static func paths(_ root: ProfileTable, _ key: String) -> [[String]] {
        (root.words(key, maximum: 512) ?? []).flatMap { text in
            FieldPath.expanded(text, channels: []).compactMap { path(root, key, $0.path) }
        }
    }

    private static func arrays(_ root: ProfileTable) -> ArrayChannels {
        let table = root.table("arrays", keys: ["first", "phases_when"])
        var arrays = ArrayChannels()
        if let first = table.integer("first", in: 0...900) { arrays.first = Int(first) }
        if let text = table.string("phases_when") {
            arrays.phasesWhen = path(table, "phases_when", text) ?? []
        }
        return arrays
    }

    private static let combinationKeys = ["quantity", "channel", "plus", "minus", "minus_if_known", "across_messages"]

    private static func combination(_ table: ProfileTable, _ fields: [Field]) -> Combination? {
        let quantity = table.required("quantity", table.quantity("quantity"))
        let plus = table.required("plus", table.strings("plus", maximum: 8)) ?? []
        let minus = table.strings("minus", maximum: 8) ?? []
        let known = table.strings("minus_if_known", maximum: 8) ?? []
        let names = Set(fields.map(\.name))
        for (key, terms) in [("plus", plus), ("minus", minus), ("minus_if_known", known)] {
            for name in terms where !names.contains(name) || name.isEmpty {
                table.report(
                    key, "no [[field]] has the name `\(name)`",
                    nearest: nearest(name, among: names.filter { !$0.isEmpty }.sorted()))
            }
        }
        if let quantity {
            for field in fields where (plus + minus + known).contains(field.name) && !field.name.isEmpty {
                guard field.quantity.unit != quantity.unit else { continue }
                let (own, wanted) = (field.quantity.unit, quantity.unit)
                table.report("quantity", "`\(field.name)` is in \(own), `\(quantity)` in \(wanted)")
            }
        }
        guard let quantity else { return nil }
        return Combination(
            quantity: quantity, channel: table.channel("channel"), plus: plus, minus: minus, minusIfKnown: known,
            acrossMessages: table.boolean("across_messages") ?? false)
    }

    /// `ENERGY.Power`; a name that holds a dot is quoted: `em."a.b".apower`.
    static func path(_ table: ProfileTable, _ key: String, _ text: String) -> [String]? {
        if let path = FieldPath.parse(text) { return path }
        table.report(
            key,
            "`\(text)` is no path: up to \(FieldTree.maximumDepth) names with dots between, an element as [0], at "
                + "most one `*`")
        return nil
    }

    static func testInput(_ table: ProfileTable) -> ProfileTest.Input? {
        _ = table.string("device")
        if table.table["messages"] != nil {
            let messages = table.tables("messages", keys: ["topic", "payload", "retain"], maximum: 256)
            return .messages(messages.compactMap { testMessage($0) })
        }
        return testMessage(table).map { .messages([$0]) }
    }

    private static func testMessage(_ table: ProfileTable) -> ProfileTest.Message? {
        let topic = table.required("topic", table.string("topic", maximum: 65_535))
        let payload = table.required("payload", table.string("payload", maximum: 262_144))
        let retained = table.boolean("retain") ?? false
        guard let topic, let payload else { return nil }
        return ProfileTest.Message(topic: topic, payload: payload, retained: retained)
    }
}
