import Metering
import Timekeeping

/// What Usage decided about a reading that was not simply counted, and why.
public struct Decision: Hashable, Sendable {
    public enum Kind: String, Hashable, Sendable {
        /// A fall was confirmed; the counter goes on from its new level.
        case reset
        /// The register passed its modulus and went on from 0.
        case rollover
        /// A fall within the noise of the display.
        case jitter
        /// A fall that may be a reset or a glitch; nothing is booked until it is known.
        case suspect
        /// What was held came to nothing: the register went on from where it had been.
        case cancelled
        /// A value the device cannot have reached; kept, not booked.
        case quarantined
        /// A level that held, or a silence too long to spread over: counting starts anew, the step is not booked.
        case newSegment = "new_segment"
        /// Too old for the state, told once a day of the series: its slots are worked out again from the readings.
        case late
        /// Decided by a person: `Correction`.
        case corrected
    }

    public var series: SeriesKey
    /// The reading's own time.
    public var time: Timestamp
    public var kind: Kind
    /// The register before and after, in thousandths of the unit; nil where there is none.
    public var from: Int64?
    public var to: Int64?
    /// Which rule decided, as a short name for people: `rise above rating`.
    public var rule: String

    public init(series: SeriesKey, time: Timestamp, kind: Kind, from: Int64?, to: Int64?, rule: String) {
        self.series = series
        self.time = time
        self.kind = kind
        self.from = from
        self.to = to
        self.rule = rule
    }
}

/// What one reading did to its source: slots that changed, and decisions. Reused, so that the usual reading
/// allocates nothing; the memory of all tracks goes with it wherever one can change.
struct Effects {
    struct Verdict {
        var time: Int64
        var kind: Decision.Kind
        var from: Int64?
        var to: Int64?
        var rule: String
    }

    /// Times whose slots changed; empty when `changedFrom > changedTo`.
    private(set) var changedFrom = Int64.max
    private(set) var changedTo = Int64.min
    private(set) var verdicts: [Verdict] = []
    /// Time of a reading that came out of order, and whose effect is not known without those around it.
    private(set) var asked: Int64?
    /// How a power says that the energy since the last accepted reading falls on slots; prepared before the reading is
    /// taken, where a border lies between.
    var shares: PowerShares?
    var bytes = TrackBytes()

    mutating func reset() {
        changedFrom = .max
        changedTo = .min
        asked = nil
        if shares != nil { shares = nil }
        if !verdicts.isEmpty { verdicts.removeAll(keepingCapacity: true) }
    }

    mutating func changed(from: Int64, to: Int64) {
        changedFrom = min(changedFrom, from)
        changedTo = max(changedTo, to)
    }

    mutating func ask(_ time: Int64) { asked = time }

    mutating func decide(_ kind: Decision.Kind, at time: Int64, from: Int64?, to: Int64?, _ rule: String) {
        verdicts.append(Verdict(time: time, kind: kind, from: from, to: to, rule: rule))
    }
}
