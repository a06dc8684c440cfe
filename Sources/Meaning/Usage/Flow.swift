import Metering
import Timekeeping

/// One of the energies that a slot tells apart.
public enum Flow: UInt8, Hashable, Sendable, CaseIterable {
    case imported = 0
    case exported = 1
    case produced = 2
    case charged = 3
    case discharged = 4
}

/// How readings of one quantity become energy of one flow.
enum Method: UInt8 {
    /// Differences of a register.
    case register = 0
    /// Differences of a register that may fall: only its rises are this flow.
    case net = 1
    /// An amount per message.
    case delta = 2
    /// The integral of a power.
    case power = 3
}

/// What a quantity says about a flow, and how much it is believed: of several sources of one flow of one channel the
/// one with the lowest `rank` counts, the others are not added.
struct FlowRole: Hashable {
    var flow: Flow
    var method: Method
    var rank: UInt8
    /// −1 where the flow is the negative part of the quantity.
    var sign: Int8

    private static let energyExportToday = Quantity(name: "energy_export_today")
    private static let productionEnergyToday = Quantity(name: "production_energy_today")

    init(flow: Flow, method: Method, rank: UInt8, sign: Int8) {
        self.flow = flow
        self.method = method
        self.rank = rank
        self.sign = sign
    }

    private init(_ flow: Flow, _ method: Method, _ rank: UInt8, _ sign: Int8 = 1) {
        self.init(flow: flow, method: method, rank: rank, sign: sign)
    }

    /// The roles of a quantity: none for what is no energy, two for a signed one. The class decides where a profile
    /// states that a register runs both ways, or that a quantity is an amount per message.
    static func roles(of quantity: Quantity, _ counterClass: CounterClass) -> [FlowRole] {
        let usual = roles(of: quantity)
        guard usual.count == 1, let only = usual.first, only.method == .register else { return usual }
        switch counterClass {
        case .net where only.flow == .imported:
            return [FlowRole(.imported, .net, only.rank), FlowRole(.exported, .net, 2, -1)]
        case .delta:
            return [FlowRole(only.flow, .delta, 3)]
        default:
            return usual
        }
    }

    private static func roles(of quantity: Quantity) -> [FlowRole] {
        switch quantity {
        case .energyImport: [FlowRole(.imported, .register, 0)]
        case .energyTotal: [FlowRole(.imported, .register, 1)]
        case .energyExport: [FlowRole(.exported, .register, 0)]
        case .energyNet: [FlowRole(.imported, .net, 2), FlowRole(.exported, .net, 2, -1)]
        case .energyImportDelta: [FlowRole(.imported, .delta, 3)]
        case .energyExportDelta: [FlowRole(.exported, .delta, 3)]
        case .energyImportToday: [FlowRole(.imported, .register, 4)]
        case energyExportToday: [FlowRole(.exported, .register, 4)]
        case .power: [FlowRole(.imported, .power, 5), FlowRole(.exported, .power, 5, -1)]
        case .productionEnergy: [FlowRole(.produced, .register, 0)]
        case productionEnergyToday: [FlowRole(.produced, .register, 4)]
        case .productionPower: [FlowRole(.produced, .power, 5)]
        case .batteryChargeEnergy: [FlowRole(.charged, .register, 0)]
        case .batteryDischargeEnergy: [FlowRole(.discharged, .register, 0)]
        case .batteryPower: [FlowRole(.charged, .power, 5), FlowRole(.discharged, .power, 5, -1)]
        default: []
        }
    }
}

/// The limits of §"counters" in one place; all times in ms.
public enum UsageLimits {
    /// Two readings at most this far apart measure what lies between them; farther apart they only bound it.
    public static let measuredInterval: Int64 = 15 * 60_000
    /// A power holds until the next reading, but no longer than this: the usual report period of plugs is 300 s, and
    /// half a minute of delay must not make a hole.
    public static let maximumHold: Int64 = 330_000
    /// A reading older than this against the newest of its series is not taken in any more.
    public static let lateness: Int64 = 2 * 3_600_000
    /// A rise over a longer silence than this is not spread.
    public static let maximumGap: Int64 = 400 * 86_400_000
    /// How many slots a channel keeps open for a source of it that lags behind the others: seven days.
    static let maximumLagSlots: Int64 = 7 * 96
    /// Slots in one run of changes: those of the longest gap, and a few.
    static let longestRun: Int64 = maximumGap / Slot.length + 8
    /// No register shows more than 10¹² Wh.
    static let maximumEnergy: Int64 = 1_000_000_000_000_000
    /// A reset is believed after this many readings above zero …
    static let confirmingReadings = 3
    /// … and this time.
    static let resetConfirmation: Int64 = 60_000
    /// A level above what is plausible is believed after this time.
    static let levelConfirmation: Int64 = 600_000
    /// Messages of a delta series that are remembered, to tell a late one from a duplicate.
    static let rememberedDeltas = 64
    /// A device reports an amount at least this often; bounds what one message may hold.
    static let deltaPeriod: Int64 = 3_600_000
    /// Sources held in all; further series are counted and left out.
    public static let maximumSources = 131_072
    /// Decisions held until they are taken; beyond it the oldest go, counted.
    public static let maximumDecisions = 4096
    /// Corrections in force, and undone ones, that are remembered; a command beyond is refused.
    public static let maximumCorrections = 1024
}
