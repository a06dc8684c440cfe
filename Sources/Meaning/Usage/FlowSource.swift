import Metering
import Timekeeping

/// What the device says about one of its counters, within bounds that keep all sums in range.
struct CounterTraits: Equatable {
    /// mWh; 0 when not known.
    let modulus: Int64
    private let shortStep: Int32
    private let shortWatts: Int32
    let counterClass: CounterClass

    init(counterClass: CounterClass, step: Int64, modulus: Int64, watts: Int64) {
        self.counterClass = counterClass
        shortStep = Int32(min(max(step, 1), 1_000_000_000))
        self.modulus = min(max(modulus, 0), UsageLimits.maximumEnergy)
        shortWatts = Int32(min(max(watts, 1), 100_000_000))
    }

    /// mWh.
    var step: Int64 { Int64(shortStep) }
    /// W.
    var watts: Int64 { Int64(shortWatts) }

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

/// The part that one series plays in one flow of its channel: its register, power or amounts as a line of booked
/// energy.
///
/// The line is changed by readings later than all before; an earlier one within the lateness only moves energy
/// between slots. Times are ms, values thousandths of the unit.
struct FlowSource: Equatable {
    /// Why readings are held back.
    enum Hold: UInt8 {
        case none = 0
        /// Below the register's mark: a reset, or a glitch.
        case drop = 1
        /// Above what the device can have reached since.
        case high = 2
    }

    var channel: Int32
    /// The next source of the channel; −1 after the last.
    var next: Int32 = -1
    let quantity: Quantity
    let role: FlowRole
    /// Whether the last reading was taken as noise, so that noise is told once and not at every reading.
    var jittering = false
    private var shadow = Int32.max
    var traits: CounterTraits
    var track = Track()
    /// The register's high-water mark (`net`: its last value); the last power; unused for amounts.
    var mark: Int64 = 0
    /// Newest time seen, also of readings that were held back.
    var newest: Int64 = -1
    /// Start of the segment: before it a register's value says nothing about `track`.
    var segmentStart: Int64 = 0
    /// What most sources do not have most of the time: none or one.
    private var seldom: [Seldom] = []

    /// The part of a state that is there while something is unusual, and for powers and amounts.
    struct Seldom: Equatable {
        /// Power only: mW·ms not yet a whole mWh.
        var remainder: Int64 = 0
        /// Readings held back, `booked` being the register itself.
        var held = TrackLine()
        var hold = Hold.none
        var heldCount: UInt8 = 0
        /// When the held readings began to count.
        var heldSince: Int64 = 0
        /// Amounts only: times of the latest messages, ascending.
        var messages: [Int64] = []
    }

    var isHolding: Bool { !seldom.isEmpty && seldom[0].hold != .none }

    var rest: Seldom {
        get { seldom.isEmpty ? Seldom() : seldom[0] }
        _modify {
            if seldom.isEmpty { seldom = [Seldom()] }
            yield &seldom[0]
        }
    }

    /// Gives the room back that `rest` takes where it says nothing.
    mutating func tidy() {
        if !seldom.isEmpty, seldom[0] == Seldom() { seldom = [] }
    }

    /// First slot that belongs to a source of a better rank; slots end far below 2³¹.
    var shadowedFrom: Int64 {
        get { shadow == .max ? .max : Int64(shadow) }
        set { shadow = Int32(clamping: newValue) }
    }

    init(channel: Int32, quantity: Quantity, role: FlowRole, traits: CounterTraits) {
        self.channel = channel
        self.quantity = quantity
        self.role = role
        self.traits = traits
    }

    static func == (a: FlowSource, b: FlowSource) -> Bool {
        a.channel == b.channel && a.quantity == b.quantity && a.role.flow == b.role.flow && a.track == b.track
            && a.rest.held == b.rest.held && a.mark == b.mark && a.newest == b.newest
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
    var earliestChangeable: Int64? { track.earliestChangeable(limit: newest - UsageLimits.lateness) }
}
