import Metering
import TOML

/// Reads a profile's `[[topic]]` tables; what they name must be in the tree of fields.
struct TopicReader {
    let tree: FieldTree
    let bases: [String]
    let fullTopics: [String]

    static let keys = [
        "pattern", "prefix", "payload", "root", "under", "field", "channel", "channels", "online", "offline", "path",
        "device", "devices", "models", "device_path", "known_devices", "elements",
    ]

    private enum PayloadName: String, CaseIterable {
        case json, canonical, number, availability, ignored, obis, csv, model, discovery, homie, sparkplug
        case fieldName = "field_name"
        case namedNumber = "named_number"
    }

    func topic(_ table: ProfileTable) -> MessageProfile.Topic? {
        let before = table.problems.list.count
        let texts = table.required("pattern", table.words("pattern"))
        guard let name = table.required("payload", table.word("payload", as: PayloadName.self)), let texts
        else { return nil }
        let prefix = table.string("prefix", maximum: 64)
        if prefix != nil, fullTopics.isEmpty { table.report("prefix", "needs `full_topics`") }
        let channels = FieldChannels(table)
        let under = path(table, "field").map { [$0] } ?? path(table, "under").map { [$0] } ?? []
        let topic = MessageProfile.Topic(
            patterns: texts.map { MessageProfile.PatternText(text: $0, prefix: prefix) },
            payload: payload(name, table), under: under.flatMap { $0 },
            elements: table.string("elements", maximum: 64) ?? "", channel: channels.fixed ?? .total,
            channelNames: Dictionary(channels.list.map { ($0.word, $0.channel) }, uniquingKeysWith: { $1 }),
            device: table.string("device", maximum: 128),
            devices: (table.words("devices") ?? []).map { NameGlob($0) }, models: table.words("models") ?? [],
            isForKnownDevices: table.boolean("known_devices") ?? false)
        check(topic, name, table)
        return table.problems.list.count == before ? topic : nil
    }

    private func payload(_ name: PayloadName, _ table: ProfileTable) -> MessageProfile.Payload {
        switch name {
        case .json: .json(root: path(table, "root") ?? [])
        case .canonical: .canonical
        case .number: .number
        case .availability: .availability(availability(table))
        case .ignored: .ignored
        case .obis: .obis(root: path(table, "root") ?? [])
        case .csv: .csv
        case .model:
            .model(path: table.required("path", path(table, "path")) ?? [], device: path(table, "device_path") ?? [])
        case .discovery: .discovery
        case .homie: .homie
        case .sparkplug: .sparkplug
        case .fieldName: .fieldName
        case .namedNumber: .namedNumber
        }
    }

    private func path(_ table: ProfileTable, _ key: String) -> [String]? {
        table.string(key).flatMap { MessageProfile.path(table, key, $0) }
    }

    private func availability(_ table: ProfileTable) -> MessageProfile.Availability {
        let online = table.required("online", table.strings("online")) ?? []
        let offline = table.required("offline", table.strings("offline")) ?? []
        for word in online where offline.contains(word) {
            table.report("offline", "`\(word)` stands for online as well")
        }
        return MessageProfile.Availability(
            online: online.map { Array($0.utf8) }, offline: offline.map { Array($0.utf8) },
            path: path(table, "path") ?? [])
    }

    /// That the patterns are some, name the device, and lead to fields.
    private func check(_ topic: MessageProfile.Topic, _ name: PayloadName, _ table: ProfileTable) {
        let patterns: [MessageProfile.Pattern]
        do throws(TopicPattern.Problem) {
            patterns = try MessageProfile.patterns(
                of: topic, bases: bases.isEmpty ? ["base"] : bases, fullTopics: fullTopics)
        } catch {
            return table.report("pattern", error.reason)
        }
        let namesItself: Set<PayloadName> = [.ignored, .discovery, .homie, .sparkplug]
        let isNamed = namesItself.contains(name) || topic.device != nil
        for pattern in patterns where !isNamed && !pattern.topic.has(.device) {
            if case .model(_, let device) = topic.payload, !device.isEmpty { continue }
            return table.report("pattern", "names no {device}")
        }
        let needsField = patterns.contains { !$0.topic.has(.quantity) && !$0.topic.has(.field) }
        if name == .number, needsField {
            guard table.required("field", table.string("field")) != nil else { return }
            if tree.node(at: topic.under).flatMap({ tree.plainField(at: $0) }) == nil {
                let names = tree.fields.map(\.pathText)
                let text = table.string("field") ?? ""
                let hint = MessageProfile.nearestName(text, among: names)
                table.report("field", "no [[field]] has the path `\(text)`", nearest: hint)
            }
        } else if tree.node(at: topic.under) == nil {
            table.report("under", "no [[field]] has a path that begins so")
        }
    }
}
