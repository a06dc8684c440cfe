import Metering

/// How one family's messages become samples. `MessageProfiles.md` says how such a profile is written.
public struct MessageProfile: Hashable, Sendable {
    /// What a topic's payload is.
    enum Payload: Hashable, Sendable {
        /// An object, read below `root` with the profile's fields.
        case json(root: [String])
        /// Our own object: members are quantities, or channels that hold quantities.
        case canonical
        /// One number, or word; what it measures stands in the topic, or is the field at the topic's `under`.
        case number
        case availability(Availability)
        /// Known to hold no measurement.
        case ignored
        /// OBIS lines; in a JSON payload the text at `root`.
        case obis(root: [String])
        /// Values with commas between, as the elements of an array.
        case csv
        /// JSON that names the device's model, and perhaps the device.
        case model(path: [String], device: [String])
        case discovery, homie, sparkplug
        /// Says which field the numbers beside it are …
        case fieldName
        /// … and such a number. Where the rule has several patterns, the first that is heard counts.
        case namedNumber
    }

    struct Availability: Hashable, Sendable {
        var online: [[UInt8]]
        var offline: [[UInt8]]
        /// Where the word stands when the payload is JSON.
        var path: [String]
    }

    /// The text of a pattern before a base or a FullTopic is put in.
    struct PatternText: Hashable, Sendable {
        let text: String
        /// Tasmota's prefix; nil: the text is a pattern of its own.
        let prefix: String?
    }

    struct Topic: Hashable, Sendable {
        let patterns: [PatternText]
        let payload: Payload
        /// Where in the tree of fields the payload, or the topic's `{field}`, begins.
        let under: [String]
        /// The member by which the elements of an array tell their channel; empty: an array is a mistake.
        var elements = ""
        /// The channel of a value whose topic or path names none.
        let channel: Channel
        /// The device's words for channels, where they are not ours: `0` → `l1`. If there are any, there are no others.
        let channelNames: [String: Channel]
        /// The device where the topic names none.
        let device: String?
        /// Only for devices of such names, or of such models; empty: for all.
        let devices: [NameGlob]
        let models: [String]
        /// Only for devices that were heard on another topic: the pattern alone tells too little.
        let isForKnownDevices: Bool
    }

    /// How the elements of an array are told apart.
    struct ArrayChannels: Hashable, Sendable {
        /// The channel of the first element, counted on from there.
        var first = 1
        /// Arrays of three are phases when the value at this path is an array of three as well.
        var phasesWhen: [String] = []
    }

    let topics: [Topic]
    let tree: FieldTree
    /// Our own payload: every quantity under its canonical name.
    let canonical: FieldTree
    let arrays: ArrayChannels
    let combinations: [Combination]
    /// What `{base}` stands for in patterns, unless the configuration says otherwise.
    let bases: [String]
    /// Tasmota's FullTopics, to which the configuration may add.
    let fullTopics: [String]
    /// What Home Assistant's discovery announces on these topics comes first: it knows the units.
    let yieldsToDiscovery: Bool
    /// Said by the home's own configuration: comes before what any profile says of a topic.
    let isConfigured: Bool
    /// How often a healthy device reports, in ms; nil: on change only, so silence says nothing.
    public let reportInterval: Int64?

    var fields: [Field] { tree.fields }

    /// Every quantity that a device may state about itself; `available` has a topic of its own, and the gateway's
    /// health is the gateway's.
    static let statedQuantities = Quantity.all.filter { $0 != .available && !$0.name.hasPrefix("gateway_") }

    static let canonicalTree: FieldTree = {
        let fields = statedQuantities.map { quantity in
            var field = Field(path: [quantity.name], quantity: quantity, conversion: .canonical)
            field.takesArrays = false
            return field
        }
        guard var tree = FieldTree(fields: fields, time: [["time"]], ignored: []) else {
            preconditionFailure("more quantities than an object may have members")
        }
        tree.objectsAreChannels = true
        tree.takesBatches = true
        tree.isStrict = true
        return tree
    }()

    /// A pattern ready to be matched, and the device where the topic names none.
    struct Pattern: Hashable, Sendable {
        let topic: TopicPattern
        let device: String?
    }

    /// The patterns of `rule` with each of `bases` and `fullTopics` put in.
    static func patterns(
        of rule: Topic, bases: [String], fullTopics: [String]
    ) throws(TopicPattern.Problem) -> [Pattern] {
        var patterns: [Pattern] = []
        for source in rule.patterns {
            if let prefix = source.prefix {
                for full in fullTopics {
                    let text = TopicPattern.text(fullTopic: full, prefix: prefix, end: source.text)
                    patterns.append(Pattern(topic: try TopicPattern(text), device: rule.device))
                }
                continue
            }
            for base in source.text.hasPrefix("{base}") ? bases : [""] {
                guard let text = TopicPattern.text(source.text, base: base) else { continue }
                let device = rule.device == "{base}" ? base : rule.device
                patterns.append(Pattern(topic: try TopicPattern(text), device: device))
            }
        }
        return patterns
    }
}
