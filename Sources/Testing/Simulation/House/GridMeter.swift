/// The three-phase meter between the house and the grid.
///
/// Its energy per second is the sum of what the devices took, in whole mWh: the house is conserved exactly. As real
/// meters do, it balances the phases before it counts its totals, so the phases' imports do not sum to the total's.
public struct GridMeter: Sendable {
    /// One phase, or all three.
    public struct Registers: Hashable, Sendable {
        /// + from the grid, − into it.
        public fileprivate(set) var milliwatts: Int64 = 0
        public fileprivate(set) var millivars: Int64 = 0
        public fileprivate(set) var importMilliwattHours: Int64 = 0
        public fileprivate(set) var exportMilliwattHours: Int64 = 0

        public var millivoltamperes: Int64 {
            // Squared in units of 0.01: 21 kW fit with room to spare, and mW would not.
            let active = milliwatts / 10
            let reactive = millivars / 10
            return FixedPoint.squareRoot(active * active + reactive * reactive) * 10
        }

        fileprivate mutating func count(_ milliwattHours: Int64) {
            if milliwattHours >= 0 {
                importMilliwattHours += milliwattHours
            } else {
                exportMilliwattHours -= milliwattHours
            }
        }
    }

    public private(set) var phases: [Registers] = [Registers(), Registers(), Registers()]
    public private(set) var total = Registers()
    /// Inductive reactive energy, mvarh; the house has no capacitive load.
    public private(set) var reactive = EnergyCounter()

    init(_ random: inout SplitMix64) {
        // Below 4096 kWh an f32 register of kWh still resolves a quarter of a watt-hour.
        total.importMilliwattHours = random.between(2_100_000_000, 3_600_000_000)
        total.exportMilliwattHours = random.between(1_100_000_000, 1_900_000_000)
        for phase in 0..<3 {
            phases[phase].importMilliwattHours = random.between(700_000_000, 1_000_000_000)
            phases[phase].exportMilliwattHours = random.between(300_000_000, 500_000_000)
        }
    }

    /// Takes in one second of each phase.
    mutating func runSecond(_ flows: InlineArray<3, PhaseFlow>) {
        var sum = PhaseFlow()
        for phase in 0..<3 {
            phases[phase].count(flows[phase].milliwattHours)
            phases[phase].milliwatts = flows[phase].milliwatts
            phases[phase].millivars = flows[phase].millivars
            sum.milliwattHours += flows[phase].milliwattHours
            sum.milliwatts += flows[phase].milliwatts
            sum.millivars += flows[phase].millivars
        }
        total.count(sum.milliwattHours)
        total.milliwatts = sum.milliwatts
        total.millivars = sum.millivars
        reactive.add(milliwatts: sum.millivars, milliseconds: 1000)
    }
}

/// What flowed from the grid side through one phase in one second; negative the other way.
struct PhaseFlow {
    var milliwattHours: Int64 = 0
    var milliwatts: Int64 = 0
    var millivars: Int64 = 0

    mutating func add(_ load: Load, _ energy: Int64) {
        milliwattHours += energy
        milliwatts += load.milliwatts
        millivars += load.millivars
    }
}
