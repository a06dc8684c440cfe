import Metering
import TOML

extension Profile {
    /// The name of the profile that the configuration's mappings make together.
    public static let mappingName = "mapping"
    public static let maximumMappings = 256

    private static let mappingKeys = ["topic", "payload", "device", "root", "time", "value", "class", "step"]

    /// What `[[mqtt.mapping]]` says: topics of a home's own and what stands on them. The keys of a value are those of a
    /// profile's field and may stand in the mapping itself where it has one value. `value` is the configuration's
    /// array; nil with problems when it cannot be used.
    public static func mapped(_ value: TOMLValue) -> (profile: Profile?, problems: [ProfileProblem]) {
        let problems = ProfileProblems()
        guard let array = value.array, array.count <= maximumMappings, array.allSatisfy({ $0.table != nil }) else {
            problems.report(
                value.place, key: "mqtt.mapping",
                "has to be written as [[mqtt.mapping]], at most \(maximumMappings) times")
            return (nil, problems.list)
        }
        var reader = MappingReader(problems: problems)
        for (index, element) in array.enumerated() {
            guard let table = element.table else { continue }
            reader.read(table, at: element.place, index, keys: mappingKeys)
        }
        guard problems.list.isEmpty, let messages = reader.messages(at: value.place) else {
            return (nil, problems.list)
        }
        let profile = Profile(
            name: mappingName, aliases: [], version: 1, title: "Mappings of the configuration", maker: "", model: "",
            role: .load,
            ratingWatts: nil, counters: reader.counters, kind: .mqtt(messages), tests: [], file: value.place.file)
        return (profile, [])
    }
}

/// Collects the topics and fields of all mappings; each mapping's fields stand under a name of its own.
private struct MappingReader {
    let problems: ProfileProblems
    private var fields: [Field] = []
    private var times: [[String]] = []
    private var drafts: [Draft] = []
    private(set) var counters: [Counter] = []

    private struct Draft {
        let table: ProfileTable
        let topic: String
        let payload: MessageProfile.Payload
        let device: String?
        let under: [String]
    }

    init(problems: ProfileProblems) {
        self.problems = problems
    }

    private enum PayloadName: String, CaseIterable {
        case number, json, csv
    }

    mutating func read(_ raw: TOMLTable, at place: TOMLPlace, _ index: Int, keys: [String]) {
        let fieldKeys = MessageProfile.fieldKeys + ["class", "step"]
        let table = ProfileTable(
            raw, at: place, name: "mqtt.mapping", keys: keys + fieldKeys, problems: problems)
        let hasPath = raw["path"] != nil || raw["value"] != nil
        let name = table.word("payload", as: PayloadName.self) ?? (hasPath ? .json : .number)
        guard let topic = table.required("topic", table.string("topic")) else { return }
        let prefix = ["#\(index)"]
        var values = table.tables("value", keys: fieldKeys)
        if values.isEmpty { values = [table] }
        for value in values {
            let paths = name == .number ? ["#number"] : MessageProfile.paths(of: value)
            for var field in MessageProfile.fields(value, paths: paths) {
                field.path = prefix + field.path
                fields.append(field)
            }
            addCounter(value)
        }
        if let text = table.string("time"), let path = MessageProfile.path(table, "time", text) {
            times.append(prefix + path)
        }
        let root = table.string("root").flatMap { MessageProfile.path(table, "root", $0) } ?? []
        let payload: MessageProfile.Payload =
            switch name {
            case .number: .number
            case .json: .json(root: root)
            case .csv: .csv
            }
        drafts.append(
            Draft(
                table: table, topic: topic, payload: payload, device: table.string("device", maximum: 64),
                under: name == .number ? prefix + ["#number"] : prefix))
    }

    private mutating func addCounter(_ table: ProfileTable) {
        // What is wrong with it was told when its field was read.
        guard let quantity = table.table["quantity"]?.string.flatMap({ Quantity(name: $0) }),
            quantity.behaviour == .counter || quantity == .energyNet,
            !counters.contains(where: { $0.quantity == quantity }), counters.count < Device.maximumCounters
        else { return }
        var counterClass = quantity == .energyNet ? CounterClass.net : .lifetime
        if let text = table.string("class") {
            if let stated = CounterClass(name: text) {
                counterClass = stated
            } else {
                table.unknown("class", text, among: CounterClass.allCases.map(\.name))
            }
        }
        var step: Int64 = 1000
        if table.table["step"] != nil, let decimal = table.decimal("step"),
            let conversion = table.conversion(of: quantity)
        {
            step = conversion.thousandths(decimal) ?? step
        }
        counters.append(Counter(quantity: quantity, counterClass: counterClass, step: step))
    }

    mutating func messages(at place: TOMLPlace) -> MessageProfile? {
        guard fields.count <= MessageProfile.maximumFields,
            let tree = FieldTree(fields: fields, time: times, ignored: [])
        else {
            problems.report(place, key: "mqtt.mapping", "has more than \(MessageProfile.maximumFields) values")
            return nil
        }
        var topics: [MessageProfile.Topic] = []
        for draft in drafts {
            let topic = MessageProfile.Topic(
                patterns: [MessageProfile.PatternText(text: draft.topic, prefix: nil)], payload: draft.payload,
                under: draft.under, channel: .total, channelNames: [:], device: draft.device, devices: [], models: [],
                isForKnownDevices: false)
            do throws(TopicPattern.Problem) {
                let patterns = try MessageProfile.patterns(of: topic, bases: [], fullTopics: [])
                if draft.device == nil, !patterns.allSatisfy({ $0.topic.has(.device) }) {
                    draft.table.report("topic", "names no {device}; say which with `device`")
                }
            } catch {
                draft.table.report("topic", error.reason)
            }
            topics.append(topic)
        }
        guard problems.list.isEmpty else { return nil }
        return MessageProfile(
            topics: topics, tree: tree, canonical: MessageProfile.canonicalTree, arrays: .init(), combinations: [],
            bases: [], fullTopics: [], yieldsToDiscovery: false, isConfigured: true, reportInterval: nil)
    }
}
