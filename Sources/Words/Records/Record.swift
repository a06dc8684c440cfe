import Metering
import Timekeeping

/// One fact, decision or result in a home's log. Everything that can change a result travels as one of these.
///
/// Kind numbers are part of the format (`Records.md`); a kind this version does not know is kept, passed on and
/// skipped.
public enum Record: Hashable, Sendable {
    /// Readings in the order they came; a batch of one message or one read cycle.
    case readings([Reading])
    /// A device as it is from its `validFrom` on.
    case device(Device)
    /// The home's zone and tariffs from their `validFrom` on.
    case settings(HomeSettings)
    /// A human or remote decision.
    case command(Command)
    /// What the gateway's clock was worth.
    case clock(ClockState)
    /// Offsets that no longer exist.
    case gap(Gap)
    /// A slot as Usage worked it out; topic `slots` only.
    case slot(SlotUsage)
    /// Prices of a list, as an exchange or a supplier published them.
    case prices(PriceRun)
    /// A kind of a later version.
    case unknown(kind: UInt64, body: [UInt8])

    /// The number that stands for the kind in the format.
    public var kind: UInt64 {
        switch self {
        case .readings: 1
        case .device: 2
        case .settings: 3
        case .command: 4
        case .clock: 5
        case .gap: 6
        case .slot: 7
        case .prices: 8
        case .unknown(let kind, _): kind
        }
    }
}

/// A recorded decision. `arguments` are names and texts; what each verb needs is listed in `Records.md`.
public struct Command: Hashable, Sendable {
    /// What to do; arguments of each: `Records.md`.
    public enum Verb: UInt64, Hashable, Sendable, CaseIterable {
        case correct = 1
        case undo = 2
        case replace = 3
        case rename = 4
        case acknowledge = 5
        case silence = 6
    }

    /// One named value, at most 64 and 4,096 bytes.
    public struct Argument: Hashable, Sendable {
        public var name: String
        public var value: String

        public init(name: String, value: String) {
            self.name = name
            self.value = value
        }
    }

    /// A reader drops a command that has more, and a writer writes no more.
    public static let maximumArguments = 64

    /// Random; the same decision sent twice has the same.
    public var id: CommandID
    /// Who decided: a user's name or `server`; at most 256 bytes.
    public var actor: String
    public var verb: Verb
    public var arguments: [Argument]

    public init(id: CommandID, actor: String, verb: Verb, arguments: [Argument]) {
        self.id = id
        self.actor = actor
        self.verb = verb
        self.arguments = arguments
    }
}

/// The relation of wall clock and monotonic clock, written at each start and whenever it changes.
public struct ClockState: Hashable, Sendable {
    /// Wall time less monotonic time, ms.
    public var offset: Int64
    /// Whether a time server had set the wall clock.
    public var synchronized: Bool
    /// Wall time of the observation.
    public var at: Timestamp

    public init(offset: Int64, synchronized: Bool, at: Timestamp) {
        self.offset = offset
        self.synchronized = synchronized
        self.at = at
    }
}

/// Offsets `first ..< end` of `epoch` that no longer exist, and why.
public struct Gap: Hashable, Sendable {
    /// Why they are gone.
    public enum Reason: UInt64, Hashable, Sendable {
        case overwritten = 1
        case damaged = 2
        /// Given up before they reached the disk, because neither it nor memory had room. Such a record lies at
        /// `first` itself, and the next one at `end`.
        case dropped = 3
    }

    public var epoch: UInt64
    public var first: UInt64
    public var end: UInt64
    public var reason: Reason

    public init(epoch: UInt64, first: UInt64, end: UInt64, reason: Reason) {
        self.epoch = epoch
        self.first = first
        self.end = end
        self.reason = reason
    }
}

/// A stream of records with its own offsets and cursors. Numbers are part of the frame format.
public enum Topic: UInt8, Hashable, Sendable, CaseIterable {
    /// Readings, devices, settings, commands, clock: all that results follow from.
    case facts = 0
    /// What Usage derived; can be made again from `facts`.
    case slots = 1
    /// Alert transitions; can be made again from `facts`.
    case alerts = 2

    public var name: String {
        switch self {
        case .facts: "facts"
        case .slots: "slots"
        case .alerts: "alerts"
        }
    }
}

/// The next record a consumer wants: opaque to it but for equality and the order within one epoch.
public struct Cursor: Hashable, Sendable {
    /// One life of the log; larger is later.
    public var epoch: UInt64
    /// Of the next record in that epoch.
    public var offset: UInt64

    public init(epoch: UInt64, offset: UInt64) {
        self.epoch = epoch
        self.offset = offset
    }
}
