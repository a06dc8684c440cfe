import Metering
import Records
import Timekeeping

/// What a person decided about a counter's past: it stands beside the readings and never edits them.
///
/// It travels as a `command` record (`Records.md`, §7.4), so a replay honours it, and an `undo` takes it away again.
public struct Correction: Hashable, Sendable {
    public enum Action: Hashable, Sendable {
        /// Readings of `from ..< to` are as if they had not been; the energy is spread over the gap.
        case drop
        /// Rises of `from ... to` are booked, whatever the rating says.
        case accept
        /// The slots of `from ..< to` hold so many mWh in all, the same each.
        case amount(Int64)
        /// A new segment begins at `from`: the step to the next reading is not booked. Where the old register's end or
        /// the new one's start is known (mWh), what lies between it and the readings is.
        case segment(last: Int64?, first: Int64?)
    }

    public var id: CommandID
    public var device: DeviceID
    /// Nil: every channel of the device, every register of a channel.
    public var channel: Channel?
    public var quantity: Quantity?
    /// Within `Timestamp.validRange`, `from` ≤ `to`; of an amount both are starts of slots.
    public var from: Timestamp
    public var to: Timestamp
    public var action: Action
    /// False once it was undone: it is kept so that the same command sent again stays without effect.
    public var isActive = true

    public init(
        id: CommandID, device: DeviceID, channel: Channel? = nil, quantity: Quantity? = nil, from: Timestamp,
        to: Timestamp, action: Action
    ) {
        self.id = id
        self.device = device
        self.channel = channel
        self.quantity = quantity
        self.from = from
        self.to = to
        self.action = action
    }

    /// The longest span of an amount or of readings left out.
    public static let maximumSpan = 400 * Span.day

    /// Whether it says something about a quantity of a channel of its device.
    func concerns(_ channel: Channel, _ quantity: Quantity) -> Bool {
        (self.channel ?? channel) == channel && (self.quantity ?? quantity) == quantity
    }

    /// The share of an amount that falls on one slot; nil outside of the span. The shares sum to the amount.
    func share(of slot: Int64) -> Int64? {
        guard case .amount(let amount) = action else { return nil }
        let first = Slot(containing: from).index
        let count = Slot(containing: to).index - first
        guard slot >= first, slot < first + count else { return nil }
        let part = { (i: Int64) in Int64(Int128(amount) * Int128(i) / Int128(count)) }
        return part(slot - first + 1) - part(slot - first)
    }
}

/// Why a command has no effect: a sentence for whoever gave it.
public struct CorrectionError: Error, Hashable, Sendable, CustomStringConvertible {
    public let description: String

    public init(_ description: String) {
        self.description = description
    }
}

extension Correction {
    /// Reads a `correct` or `replace`; throws what is wrong with its arguments.
    public init(_ command: Command) throws(CorrectionError) {
        let arguments = CommandArguments(command)
        let from: Timestamp
        let to: Timestamp
        let action: Action
        var channel: Channel?
        var quantity: Quantity?
        let device: DeviceID
        switch command.verb {
        case .correct:
            let series = try arguments.series("series")
            (device, channel, quantity) = (series.device, series.channel, series.quantity)
            from = try arguments.time("from")
            to = try arguments.time("to")
            switch (arguments["value"], arguments["action"]) {
            case (let value?, nil): action = .amount(try arguments.thousandths(value, "value"))
            case (nil, "drop"): action = .drop
            case (nil, "accept"): action = .accept
            case (nil, "reset"): action = .segment(last: nil, first: nil)
            default: throw CorrectionError("a correction has either a value or an action: drop, accept or reset")
            }
        case .replace:
            device = try arguments.device("device")
            channel = try arguments.channel("channel")
            quantity = try arguments.quantity("quantity")
            from = try arguments.time("at")
            to = from
            action = .segment(
                last: try arguments["last"].map { text throws(CorrectionError) in
                    try arguments.thousandths(text, "last")
                },
                first: try arguments["first"].map { text throws(CorrectionError) in
                    try arguments.thousandths(text, "first")
                })
        case .undo, .rename, .acknowledge, .silence:
            throw CorrectionError("the command corrects no counter")
        }
        self.init(
            id: command.id, device: device, channel: channel, quantity: quantity, from: from, to: to, action: action)
        try check()
    }

    private func check() throws(CorrectionError) {
        guard from <= to else { throw CorrectionError("from is after to") }
        guard to - from <= Correction.maximumSpan else { throw CorrectionError("the span is longer than 400 days") }
        switch action {
        case .drop:
            guard from < to else { throw CorrectionError("nothing lies between from and to") }
        case .amount(let amount):
            guard from < to, Slot(containing: from).start == from, Slot(containing: to).start == to else {
                throw CorrectionError("an amount is for whole slots: from and to are full quarters of an hour")
            }
            guard amount >= 0 else { throw CorrectionError("an amount is not negative") }
            guard let quantity, !FlowRole.roles(of: quantity, .lifetime).isEmpty else {
                throw CorrectionError("the series is no energy and no power")
            }
        case .segment(let last, let first):
            guard (last ?? 0) >= 0, (first ?? 0) >= 0 else { throw CorrectionError("a register is not negative") }
            if last != nil || first != nil, quantity == nil {
                throw CorrectionError("the first and last value are of one register: name its quantity")
            }
        case .accept: break
        }
    }

    /// The record that says the same.
    public func command(actor: String, decided: Timestamp, reason: String?) -> Command {
        var arguments: [Command.Argument] = []
        func add(_ name: String, _ value: String?) {
            if let value { arguments.append(Command.Argument(name: name, value: value)) }
        }
        var verb = Command.Verb.correct
        if let channel, let quantity, !isReplacement {
            add("series", "\(device)/\(channel)/\(quantity)")
            add("from", from.rfc3339())
            add("to", to.rfc3339())
            switch action {
            case .drop: add("action", "drop")
            case .accept: add("action", "accept")
            case .amount(let amount): add("value", Thousandths.text(amount))
            case .segment: add("action", "reset")
            }
        } else {
            verb = .replace
            add("device", device.description)
            add("channel", channel?.name)
            add("quantity", quantity?.name)
            add("at", from.rfc3339())
            if case .segment(let last, let first) = action {
                add("last", last.map(Thousandths.text))
                add("first", first.map(Thousandths.text))
            }
        }
        add("reason", reason)
        add("decided", decided.rfc3339())
        return Command(id: id, actor: actor, verb: verb, arguments: arguments)
    }

    private var isReplacement: Bool {
        if case .segment(let last, let first) = action { last != nil || first != nil } else { false }
    }
}

/// The arguments of a command by name, read strictly.
private struct CommandArguments {
    private let values: [String: String]

    init(_ command: Command) {
        values = Dictionary(command.arguments.map { ($0.name, $0.value) }, uniquingKeysWith: { $1 })
    }

    subscript(name: String) -> String? { values[name] }

    private func needed(_ name: String) throws(CorrectionError) -> String {
        guard let value = values[name] else { throw CorrectionError("\(name) is missing") }
        return value
    }

    func time(_ name: String) throws(CorrectionError) -> Timestamp {
        let text = try needed(name)
        guard let time = try? Timestamp(rfc3339: text), Timestamp.validRange.contains(time) else {
            throw CorrectionError("\(name) is not a time such as 2026-03-01T00:00:00Z: \(text)")
        }
        return time
    }

    func thousandths(_ text: String, _ name: String) throws(CorrectionError) -> Int64 {
        guard let decimal = DecimalText(text), let value = Thousandths.from(decimal),
            value.magnitude <= UsageLimits.maximumEnergy.magnitude
        else { throw CorrectionError("\(name) is not a number of Wh below 10^12: \(text)") }
        return value
    }

    func device(_ name: String) throws(CorrectionError) -> DeviceID {
        let text = try needed(name)
        guard let id = DeviceID(text) else { throw CorrectionError("\(name) is not a device's id: \(text)") }
        return id
    }

    func channel(_ name: String) throws(CorrectionError) -> Channel? {
        guard let text = values[name] else { return nil }
        guard let channel = Channel(text) else { throw CorrectionError("\(name) is not a channel: \(text)") }
        return channel
    }

    func quantity(_ name: String) throws(CorrectionError) -> Quantity? {
        guard let text = values[name] else { return nil }
        guard let quantity = Quantity(name: text) else {
            throw CorrectionError("\(name) is not a quantity: \(text)")
        }
        return quantity
    }

    func series(_ name: String) throws(CorrectionError) -> SeriesKey {
        let text = try needed(name)
        let parts = text.split(separator: "/", omittingEmptySubsequences: false).map(String.init)
        guard parts.count == 3, let device = DeviceID(parts[0]), let channel = Channel(parts[1]),
            let quantity = Quantity(name: parts[2])
        else { throw CorrectionError("\(name) is not device/channel/quantity: \(text)") }
        return SeriesKey(device: device, channel: channel, quantity: quantity)
    }
}
