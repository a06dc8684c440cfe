import Timekeeping

/// What makes one simulated house differ from another. Equal settings and an equal start give an equal house.
public struct HouseSettings: Sendable {
    public static let maximumPlugs = 200

    public var seed: UInt64
    /// Smart plugs besides the grid meter and the inverter, 1…`maximumPlugs`.
    public var plugs = 8
    /// Thousandths of a degree, north and east positive.
    public var latitude: Int64 = 52_500
    public var longitude: Int64 = 13_400
    /// Panels' power under full sun and what the inverter passes at most, mW.
    public var photovoltaicPeak: Int64 = 7_200_000
    public var photovoltaicLimit: Int64 = 6_000_000
    public var faults = FaultPlan.seeded
    /// Seconds east of UTC of the house's clocks at an instant; a pure function. People get up by it.
    public var zoneOffset: @Sendable (Timestamp) -> Int = { _ in 3600 }

    public init(seed: UInt64) {
        self.seed = seed
    }
}
