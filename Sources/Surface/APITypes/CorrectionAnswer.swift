import Billing
import JSONText
import Metering
import Timekeeping
import Usage

/// What energyctl asks for when a person corrects a counter. Texts as they were typed; the daemon reads them.
public struct CorrectionRequest: Sendable {
    public enum Kind: Sendable {
        /// `series`, `from`, `to`, and `action` or `value`.
        case correct
        /// `device`, `at`, and, where known, `last` and `first` of one register.
        case replace
        /// `id` of the command that no longer counts.
        case undo
    }

    public var kind: Kind
    /// By the names of the members of the request's body.
    public var members: [String: String]

    public init(kind: Kind, members: [String: String]) {
        self.kind = kind
        self.members = members
    }

    /// The members that each kind may have.
    public static func names(_ kind: Kind) -> [String] {
        switch kind {
        case .correct: ["series", "from", "to", "action", "value", "reason", "actor"]
        case .replace: ["device", "at", "channel", "quantity", "last", "first", "reason", "actor"]
        case .undo: ["id", "reason", "actor"]
        }
    }
}

/// A command about a counter: who decided what, when, and whether it counts.
public struct CommandAnswer: JSONEncodable {
    public var id: String
    /// `correct`, `replace`, `undo`.
    public var verb: String
    public var actor: String
    public var time: Timestamp
    /// False for what was undone.
    public var active: Bool
    /// What it says: names instead of identities.
    public var arguments: [(name: String, value: String)]

    public init(
        id: String, verb: String, actor: String, time: Timestamp, active: Bool,
        arguments: [(name: String, value: String)]
    ) {
        self.id = id
        self.verb = verb
        self.actor = actor
        self.time = time
        self.active = active
        self.arguments = arguments
    }

    private subscript(name: String) -> String? { arguments.first { $0.name == name }?.value }

    public func encode(to json: inout JSONWriter) {
        json.object {
            $0.field("id", text: id)
            $0.field("time", text: time.rfc3339())
            $0.field("actor", text: actor)
            $0.field("command", text: verb)
            $0.field("target", text: self["series"] ?? self["device"] ?? self["command"])
            $0.field("from", text: self["from"] ?? self["at"])
            $0.field("to", text: self["to"] ?? self["at"])
            $0.field("action", text: action)
            $0.field("active", bool: active)
            $0.field("reason", text: self["reason"])
        }
    }

    private var action: String? {
        if let action = self["action"] { return action }
        if let value = self["value"] { return "\(value) Wh" }
        let ends = [("last", self["last"]), ("first", self["first"])].compactMap { name, value in
            value.map { "\(name) \($0)" }
        }
        return ends.isEmpty ? nil : ends.joined(separator: ", ")
    }
}

/// What a command changes, or would change.
public struct EffectAnswer: JSONEncodable {
    /// One flow of one slot.
    public struct Change: JSONEncodable {
        public var slot: Slot
        public var device: String
        public var channel: Channel
        /// `import`, `export`, `produced`, `charged`, `discharged`.
        public var flow: String
        /// mWh; nil: not known.
        public var before: Int64?
        public var after: Int64?
        public var quality: Quality

        public init(
            slot: Slot, device: String, channel: Channel, flow: String, before: Int64?, after: Int64?, quality: Quality
        ) {
            self.slot = slot
            self.device = device
            self.channel = channel
            self.flow = flow
            self.before = before
            self.after = after
            self.quality = quality
        }

        public func encode(to json: inout JSONWriter) {
            json.object {
                $0.field("from", text: slot.start.rfc3339())
                $0.field("device", text: device)
                $0.field("channel", text: channel.name)
                $0.field("flow", text: flow)
                $0.field("before_wh", raw: before.map(Thousandths.text))
                $0.field("after_wh", raw: after.map(Thousandths.text))
                $0.field("quality", text: quality.rawValue)
            }
        }
    }

    /// The command's; of a preview nil.
    public var id: String?
    public var slots: [Change]
    /// Of these slots; nil where nothing has a price.
    public var costBefore: Decimal?
    public var costAfter: Decimal?
    public var currency: Currency?
    /// The bills of the periods in which a slot changes, each priced as a whole before and after.
    public var bills: [BillChange]

    public init(
        id: String?, slots: [Change], bills: [BillChange] = [], costBefore: Decimal? = nil, costAfter: Decimal? = nil,
        currency: Currency? = nil
    ) {
        self.id = id
        self.slots = slots
        self.bills = bills
        self.costBefore = costBefore
        self.costAfter = costAfter
        self.currency = currency
    }

    public func encode(to json: inout JSONWriter) {
        json.object {
            $0.field("id", text: id)
            $0.field("preview", bool: id == nil)
            $0.field("before_wh", raw: Thousandths.text(EffectAnswer.sum(slots.map(\.before))))
            $0.field("after_wh", raw: Thousandths.text(EffectAnswer.sum(slots.map(\.after))))
            $0.field("cost_before", text: costBefore?.text(places: 9))
            $0.field("cost_after", text: costAfter?.text(places: 9))
            $0.field("currency", text: currency?.code)
            $0.field("slots", list: slots)
            $0.field("bills", list: bills.map(BillChangeAnswer.init))
        }
    }

    private static func sum(_ energies: [Int64?]) -> Int64 {
        energies.reduce(0) { sum, next in
            let (total, overflow) = sum.addingReportingOverflow(next ?? 0)
            return overflow ? sum : total
        }
    }
}

/// What the bill of one billing period comes to before and after.
public struct BillChangeAnswer: JSONEncodable {
    public var change: BillChange

    public init(_ change: BillChange) {
        self.change = change
    }

    public func encode(to json: inout JSONWriter) {
        let places = change.currency.places
        func text(_ amount: Decimal?) -> String? { amount?.text(places: places, minimum: places) }
        json.object {
            $0.field("from", text: change.from.rfc3339(offsetSeconds: change.fromOffset))
            $0.field("to", text: change.to.rfc3339(offsetSeconds: change.toOffset))
            $0.field("tariff", text: change.tariff)
            $0.field("currency", text: change.currency.code)
            $0.field("before", text: text(change.before))
            $0.field("after", text: text(change.after))
            $0.field("difference", text: text((change.after ?? .zero) - (change.before ?? .zero)))
            $0.key("lines")
            $0.array { json in
                for line in change.lines {
                    json.object {
                        $0.field("kind", text: line.kind.rawValue)
                        $0.field("label", text: line.label)
                        $0.field("before", text: text(line.before))
                        $0.field("after", text: text(line.after))
                    }
                }
            }
        }
    }
}

/// All that is known about a series around one instant.
public struct ExplanationAnswer: JSONEncodable {
    public var series: String
    public var time: Timestamp
    public var readings: [ReadingAnswer]
    public var decisions: [DecisionAnswer]
    public var commands: [CommandAnswer]
    /// What was booked: before and after are the same.
    public var slots: [EffectAnswer.Change]

    public init(
        series: String, time: Timestamp, readings: [ReadingAnswer], decisions: [DecisionAnswer],
        commands: [CommandAnswer], slots: [EffectAnswer.Change]
    ) {
        self.series = series
        self.time = time
        self.readings = readings
        self.decisions = decisions
        self.commands = commands
        self.slots = slots
    }

    public func encode(to json: inout JSONWriter) {
        json.object {
            $0.field("series", text: series)
            $0.field("time", text: time.rfc3339())
            $0.field("readings", list: readings)
            $0.field("decisions", list: decisions)
            $0.field("commands", list: commands)
            $0.key("slots")
            $0.array { json in
                for slot in slots {
                    json.object {
                        $0.field("from", text: slot.slot.start.rfc3339())
                        $0.field("flow", text: slot.flow)
                        $0.field("wh", raw: slot.after.map(Thousandths.text))
                        $0.field("quality", text: slot.quality.rawValue)
                    }
                }
            }
        }
    }
}
