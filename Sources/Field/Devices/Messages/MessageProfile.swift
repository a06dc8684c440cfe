import Metering

/// How one family's messages become samples.
package struct MessageProfile: Hashable, Sendable {
    /// What a topic's payload is.
    enum Payload: Hashable, Sendable {
        /// An object, read below `root` with the profile's fields.
        case json(root: [String])
        /// Our own object: members are quantities, or channels that hold quantities.
        case canonical
        /// One number; what it measures stands in the topic or in `fixed`.
        case number(fixed: Int?)
        case availability(online: [[UInt8]], offline: [[UInt8]])
        /// Known to hold no measurement.
        case ignored
    }

    struct Topic: Hashable, Sendable {
        let pattern: TopicPattern
        let payload: Payload
        /// The channel of a number whose topic names none.
        let channel: Channel
        /// The device's words for channels, where they are not ours: `0` → `l1`.
        let channelNames: [String: Channel]
    }

    /// How the elements of an array are told apart.
    struct ArrayChannels: Hashable, Sendable {
        /// The channel of the first element, counted on from there.
        var first = 1
        /// Arrays of three are phases when the value at this path is an array of three as well.
        var phasesWhen: [String] = []
    }

    let topics: [Topic]
    /// What stands in `number` topics with a `{field}`, by name, or by `fixed` index.
    let fields: [Field]
    let tree: FieldTree
    /// Our own payload: every quantity under its canonical name.
    let canonical: FieldTree
    let arrays: ArrayChannels
    /// How often a healthy device reports, in ms; nil: on change only, so silence says nothing.
    package let reportInterval: Int64?

    /// The MQTT filters to subscribe to, without repeats.
    package var subscriptions: [String] {
        var seen: Set<String> = []
        return topics.flatMap(\.pattern.subscriptions).filter { seen.insert($0).inserted }
    }

    /// Every quantity that a device may state about itself; `available` has a topic of its own, and the gateway's
    /// health is the gateway's.
    static let statedQuantities = Quantity.all.filter { $0 != .available && !$0.name.hasPrefix("gateway_") }

    static let canonicalTree: FieldTree = {
        let fields = statedQuantities.map {
            Field(path: [$0.name], quantity: $0, conversion: .canonical, channel: .total, takesArrays: false)
        }
        guard var tree = FieldTree(fields: fields, time: ["time"], ignored: []) else {
            preconditionFailure("more quantities than an object may have members")
        }
        tree.objectsAreChannels = true
        tree.takesBatches = true
        tree.isStrict = true
        return tree
    }()
}
