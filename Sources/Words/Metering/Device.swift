import Timekeeping

/// How a register behaves when it falls; stated by the profile, never guessed from data.
public enum CounterClass: UInt8, Hashable, Sendable, CaseIterable {
    /// Rises for the life of the device.
    case lifetime = 1
    /// Starts from zero at each reboot of the device.
    case volatile = 2
    /// May be set back by its user at any time.
    case resettable = 3
    /// Set back by the device at the end of a local day or month.
    case period = 4
    /// Not a register: an amount per report.
    case delta = 5
    /// Import less export: falling is normal.
    case net = 6

    public var name: String {
        switch self {
        case .lifetime: "lifetime"
        case .volatile: "volatile"
        case .resettable: "resettable"
        case .period: "period"
        case .delta: "delta"
        case .net: "net"
        }
    }

    public init?(name: String) {
        guard let found = CounterClass.allCases.first(where: { $0.name == name }) else { return nil }
        self = found
    }
}

/// What the profile knows about one counter.
public struct Counter: Hashable, Sendable {
    public var quantity: Quantity
    public var counterClass: CounterClass
    /// The smallest step the device shows, in thousandths of the unit (mWh); at least 1.
    public var step: Int64
    /// The value at which the register starts again from 0, in thousandths, above 0; nil when not known.
    public var modulus: Int64?

    /// A gigawatt-hour, and a billion of them: what is beyond comes from a broken file, and must not overflow a sum.
    public static let maximumStep: Int64 = 1_000_000_000_000
    public static let maximumModulus: Int64 = 1_000_000_000_000_000_000

    /// A step out of range becomes the nearest end of it; a modulus out of range is none.
    public init(quantity: Quantity, counterClass: CounterClass, step: Int64, modulus: Int64? = nil) {
        self.quantity = quantity
        self.counterClass = counterClass
        self.step = max(1, min(step, Counter.maximumStep))
        self.modulus = modulus.flatMap { $0 > 0 && $0 <= Counter.maximumModulus ? $0 : nil }
    }
}

/// What a device is to its home.
public enum DeviceRole: UInt8, Hashable, Sendable, CaseIterable {
    /// Uses energy; the usual case.
    case load = 1
    /// The meter at the home's connection to the grid: its energy is the home's.
    case grid = 2
    /// Produces energy behind the grid meter.
    case solar = 3
    /// Stores energy behind the grid meter.
    case battery = 4
    /// The gateway itself, whose readings are its own health.
    case gateway = 5

    public var name: String {
        switch self {
        case .load: "load"
        case .grid: "grid"
        case .solar: "solar"
        case .battery: "battery"
        case .gateway: "gateway"
        }
    }

    public init?(name: String) {
        guard let found = DeviceRole.allCases.first(where: { $0.name == name }) else { return nil }
        self = found
    }
}

/// Where a device is heard: a topic or a bus address. It may change; the device stays the same.
public struct Binding: Hashable, Sendable, CustomStringConvertible {
    /// `mqtt:tasmota:plug_washer`, `modbus:tcp://meter:502/1`, `replay:washer`: transport, then its own address.
    public var address: String
    /// At most this many bytes, in records and in configuration.
    public static let maximumLength = 256

    public init(address: String) {
        self.address = address
    }

    public var description: String { address }
}

/// A device as it is known from `validFrom` on. A change is a new descriptor with the same `id`.
public struct Device: Hashable, Sendable {
    public var id: DeviceID
    /// Unique in the home; what people type. At most 64 bytes.
    public var name: String
    public var role: DeviceRole
    /// `tasmota`, `energy`, `modbus` …
    public var family: String
    /// Profile's name and version; a new version may read the same bytes differently.
    public var profile: String
    public var profileVersion: UInt32
    /// Maker's model where it is known, else empty.
    public var model: String
    /// The most the device can carry, in W; nil means the default of its phases.
    public var ratingWatts: Int64?
    /// The device whose energy includes this one's; nil: directly in the home.
    public var parent: DeviceID?
    public var counters: [Counter]
    public var bindings: [Binding]
    public var validFrom: Timestamp

    public static let maximumNameLength = 64
    public static let maximumCounters = 64
    public static let maximumBindings = 16

    public init(
        id: DeviceID, name: String, role: DeviceRole = .load, family: String, profile: String = "",
        profileVersion: UInt32 = 1, model: String = "", ratingWatts: Int64? = nil, parent: DeviceID? = nil,
        counters: [Counter] = [], bindings: [Binding] = [], validFrom: Timestamp
    ) {
        self.id = id
        self.name = name
        self.role = role
        self.family = family
        self.profile = profile
        self.profileVersion = profileVersion
        self.model = model
        self.ratingWatts = ratingWatts
        self.parent = parent
        self.counters = counters
        self.bindings = bindings
        self.validFrom = validFrom
    }

    /// The counter the profile states for `quantity`, else a lifetime counter with a step of one watt-hour.
    public func counter(for quantity: Quantity) -> Counter {
        if let stated = counters.first(where: { $0.quantity == quantity }) { return stated }
        let counterClass: CounterClass
        switch quantity.behaviour {
        case .delta: counterClass = .delta
        case .period: counterClass = .period
        default: counterClass = quantity == .energyNet ? .net : .lifetime
        }
        return Counter(quantity: quantity, counterClass: counterClass, step: 1000)
    }

    /// 63 A × 230 V × 3: the most that a home's own fuses let through.
    public static let mainFuseWatts: Int64 = 43_470

    /// What cannot flow through this device, in W: as stated by its profile or the configuration (a plug's profile says
    /// 3.7 kW), else what the main fuses let through.
    public var plausibleWatts: Int64 {
        guard let ratingWatts, ratingWatts > 0 else { return Device.mainFuseWatts }
        // A gigawatt is no home; the bound keeps a rating from a broken file from overflowing a product.
        return min(ratingWatts, 1_000_000_000)
    }
}
