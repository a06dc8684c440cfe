import Metering
import Timekeeping

/// What the device says about one of its counters, within bounds that keep all sums in range.
struct CounterTraits: Hashable {
    /// mWh.
    let step: Int64
    /// mWh; 0 when not known.
    let modulus: Int64
    /// W.
    let watts: Int64
    let counterClass: CounterClass

    init(counterClass: CounterClass, step: Int64, modulus: Int64, watts: Int64) {
        self.counterClass = counterClass
        self.step = min(max(step, 1), 1_000_000_000)
        self.modulus = min(max(modulus, 0), UsageLimits.maximumEnergy)
        self.watts = min(max(watts, 1), 100_000_000)
    }

    init(device: Device, quantity: Quantity) {
        let counter = device.counter(for: quantity)
        if quantity.behaviour == .gauge, quantity != .energyNet {
            // A power is refused where it is absurd; an unstated rating is too weak a reason to lose energy.
            self.init(
                counterClass: .lifetime, step: 1, modulus: 0,
                watts: device.plausibleWatts)
            return
        }
        self.init(
            counterClass: counter.counterClass, step: counter.step, modulus: counter.modulus ?? 0,
            watts: device.plausibleWatts)
    }

    /// The most that can have flowed in `elapsed` ms, and one step of the display; mWh.
    @inline(__always)
    func plausibleRise(in elapsed: Int64) -> Int64 {
        watts * min(elapsed, UsageLimits.maximumGap) / 3600 + step
    }
}

/// What sources of the same sort have in common, once for all of them.
final class SourceKind: Hashable, Sendable {
    let quantity: Quantity
    let role: FlowRole
    let traits: CounterTraits

    init(quantity: Quantity, role: FlowRole, traits: CounterTraits) {
        self.quantity = quantity
        self.role = role
        self.traits = traits
    }

    /// Parts of booked energy in one mWh: a power's is kept in mW·ms, so that it can be worked out from any hour on.
    var unit: Int64 { role.method == .power ? 3_600_000 : 1 }

    static func == (a: SourceKind, b: SourceKind) -> Bool {
        a.quantity == b.quantity && a.role == b.role && a.traits == b.traits
    }

    func hash(into hasher: inout Hasher) {
        hasher.combine(quantity)
        hasher.combine(role)
        hasher.combine(traits)
    }
}

/// The part that one series plays in one flow of its channel: its register, power or amounts as a line of booked
/// energy.
///
/// The line is changed by readings later than all before; an earlier one within the lateness only moves energy
/// between slots. Times are ms, values thousandths of the unit. A server holds millions: it is 64 bytes.
struct FlowSource {
    /// Why readings are held back.
    enum Hold: UInt8 {
        case none = 0
        /// Below the register's mark: a reset, or a glitch.
        case drop = 1
        /// Above what the device can have reached since.
        case high = 2
    }

    /// The line; a register's stands at the register's own level, so that its newest energy is the high-water mark.
    var track = Track()
    /// First slot of a better source (30 bits) and two flags.
    private var shadow: UInt32 = FlowSource.unshadowed
    /// Channel (17 bits), next source of the channel (17), and what the method needs besides (30).
    private var place: UInt64
    var kind: SourceKind
    /// What most sources do not have most of the time: none or one.
    private var seldom: [Seldom] = []

    private static let unshadowed: UInt32 = 1 << 30 - 1

    /// The part of a state that is there while something is unusual.
    struct Seldom: Equatable {
        /// Readings held back, `booked` being the register itself.
        var held = TrackLine()
        var hold = Hold.none
        var heldCount: UInt8 = 0
        /// When the held readings began to count.
        var heldSince: Int64 = 0
        /// Start of the segment that a person set.
        var setSegment: Int64 = 0
        /// A `net` register's last value.
        var level: Int64 = 0
        /// Power only: beside a counter.
        var curve: PowerCurve?
        /// Power only, in the direction of −1: time of the first that flowed there.
        var signSince = Int64.max
        /// Amounts only: times of the latest messages, ascending.
        var messages: [Int64] = []
    }

    init(channel: Int32, kind: SourceKind) {
        place = UInt64(channel)
        self.kind = kind
    }

    var quantity: Quantity { kind.quantity }
    var role: FlowRole { kind.role }
    var traits: CounterTraits { kind.traits }

    var channel: Int32 {
        get { Int32(place & 0x1FFFF) }
        set { place = place & ~0x1FFFF | UInt64(newValue) }
    }

    /// The next source of the channel; −1 after the last. Source 0 is nobody's next.
    var next: Int32 {
        get { Int32(place >> 17 & 0x1FFFF) - (place >> 17 & 0x1FFFF == 0 ? 1 : 0) }
        set { place = place & ~(0x1FFFF << 17) | UInt64(max(0, newValue)) << 17 }
    }

    private var detail: UInt64 {
        get { place >> 34 }
        set { place = place & (1 << 34 - 1) | newValue << 34 }
    }

    /// Registers: the first slot from which on every reading was simply counted.
    var settledFrom: Int64 {
        get { Int64(detail) }
        set { detail = UInt64(max(0, min(newValue, 1 << 30 - 1))) }
    }

    /// The register's high-water mark (`net`: its last value); the last power, mW; meaningless for amounts.
    var mark: Int64 {
        get {
            switch role.method {
            case .power: Int64(detail)
            case .net: rest.level
            case .register, .delta: track.level
            }
        }
        set {
            switch role.method {
            case .power: detail = UInt64(newValue)
            case .net: rest.level = newValue
            case .register: track.level = newValue
            case .delta: break
            }
        }
    }

    /// Newest time seen, also of readings that were held back; −1 before the first.
    var newest: Int64 {
        let accepted = track.last?.time ?? -1
        if !seldom.isEmpty, let held = seldom[0].held.last { return max(held.time, accepted) }
        return accepted
    }

    /// Whether the last reading was taken as noise, so that noise is told once and not at every reading.
    var jittering: Bool {
        get { shadow >> 31 != 0 }
        set { shadow = shadow & ~(1 << 31) | (newValue ? 1 << 31 : 0) }
    }

    /// Whether a power of the channel tells when the energy of this source flowed.
    var hasCurve: Bool {
        get { shadow >> 30 & 1 != 0 }
        set { shadow = shadow & ~(1 << 30) | (newValue ? 1 << 30 : 0) }
    }

    /// First slot that belongs to a source of a better rank; slots end far below 2³⁰.
    var shadowedFrom: Int64 {
        get { shadow & FlowSource.unshadowed == FlowSource.unshadowed ? .max : Int64(shadow & FlowSource.unshadowed) }
        set {
            let slot = UInt32(clamping: min(newValue, Int64(FlowSource.unshadowed)))
            shadow = shadow & ~FlowSource.unshadowed | slot
        }
    }

    var isHolding: Bool { !seldom.isEmpty && seldom[0].hold != .none }

    var rest: Seldom {
        get { seldom.isEmpty ? Seldom() : seldom[0] }
        _modify {
            if seldom.isEmpty { seldom = [Seldom()] }
            yield &seldom[0]
        }
    }

    /// Of `rest`, without a copy of it.
    var signSince: Int64 { seldom.isEmpty ? .max : seldom[0].signSince }

    /// Of `rest`, without a copy of it.
    var curve: PowerCurve? {
        _read { if seldom.isEmpty { yield nil } else { yield seldom[0].curve } }
        _modify {
            if seldom.isEmpty { seldom = [Seldom()] }
            yield &seldom[0].curve
        }
    }

    /// Gives the room back that `rest` takes where it says nothing.
    mutating func tidy() {
        if !seldom.isEmpty, seldom[0] == Seldom() { seldom = [] }
    }

    /// Forgets every reading.
    mutating func clear(_ bytes: inout TrackBytes) {
        track.set(TrackLine(), &bytes)
        seldom = []
        detail = 0
        jittering = false
    }

    /// Takes one reading at a time within `Timestamp.validRange`. `accepts`: a person has said that it is true,
    /// however much it is.
    mutating func take(_ time: Int64, _ value: Int64, accepts: Bool, _ effects: inout Effects) {
        switch role.method {
        case .register, .net: takeRegister(time, value, accepts: accepts, &effects)
        case .delta: takeAmount(time, value, accepts: accepts, &effects)
        case .power: takePower(time, value, accepts: accepts, &effects)
        }
    }

    /// Whether `time` is too old to be taken in.
    func isLate(_ time: Int64) -> Bool { newest - time > UsageLimits.lateness }

    /// The first slot this source counts for; nil before its first reading.
    var since: Int64? { track.firstSlot }

    /// The earliest slot that a reading to come can still change; nil before the first reading.
    func earliestChangeable(_ bytes: TrackBytes) -> Int64? {
        track.earliestChangeable(limit: newest - UsageLimits.lateness, bytes)
    }
}
