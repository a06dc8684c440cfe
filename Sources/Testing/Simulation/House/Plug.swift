import Timekeeping

/// A smart plug: the load behind it, and what its own counters make of it.
public struct Plug: Sendable {
    public let device: HouseDevice
    public private(set) var load: Load
    /// Not heard of now.
    public private(set) var isSilent = false
    /// When it last started.
    public private(set) var started: Timestamp
    /// True counter at local midnight, and the whole day before.
    public private(set) var dayStart: Int64
    public private(set) var yesterday: Int64

    /// True counter at which a volatile register stood at 0.
    private var base: Int64 = 0
    private var lag: Int64 = 0
    private var showsZero = false

    init(device: HouseDevice, load: Load, at time: Timestamp) {
        self.device = device
        self.load = load
        // It has been up for a while.
        started = time - 3 * Span.day
        dayStart = load.energy.milliwattHours
        yesterday = 0
        if device.counter == .volatile { base = load.energy.milliwattHours }
    }

    /// What the register shows, mWh; nil for a plug without one.
    public var shownMilliwattHours: Int64? {
        if device.counter == .missing { return nil }
        return showsZero ? 0 : max(0, load.energy.milliwattHours - base - lag)
    }

    mutating func beginDay(_ moment: LocalMoment, atMidnight: Bool) {
        load.beginDay(weekday: moment.weekday, at: moment.secondOfDay)
        // At birth there was no midnight: today starts with what the counter shows.
        if atMidnight { yesterday = load.energy.milliwattHours - dayStart }
        dayStart = load.energy.milliwattHours
    }

    mutating func runSecond(_ moment: LocalMoment) -> Int64 {
        load.runSecond(moment)
    }

    /// `faults` are this plug's that began, up to `time`; some of them end just now.
    mutating func apply(_ faults: [Fault], at time: Timestamp) {
        isSilent = false
        lag = 0
        showsZero = false
        for fault in faults {
            switch fault.effect {
            case .reset:
                base = load.energy.milliwattHours
                started = time
            case .silent where fault.until > time: isSilent = true
            case .behind(let milliwattHours) where fault.until > time:
                lag = milliwattHours
                started = max(started, fault.from)
            case .zero where fault.until > time:
                showsZero = true
                started = max(started, fault.from)
            case .silent, .behind, .zero: break
            }
        }
    }
}
