/// The exact integral of a power over time, in whole mWh; what is less than one is carried, never lost.
public struct EnergyCounter: Hashable, Sendable {
    public private(set) var milliwattHours: Int64
    /// Microjoules (mW · ms) that do not make a mWh yet: 0..<3 600 000.
    private var rest: Int64 = 0

    public init(milliwattHours: Int64 = 0) {
        self.milliwattHours = milliwattHours
    }

    private static let microjoulesPerMilliwattHour: Int64 = 3_600_000

    /// Adds `milliwatts` (not negative) for `milliseconds`, and returns by how many mWh the counter rose.
    @discardableResult
    public mutating func add(milliwatts: Int64, milliseconds: Int64) -> Int64 {
        let (rise, remainder) = (rest + milliwatts * milliseconds).quotientAndRemainder(
            dividingBy: EnergyCounter.microjoulesPerMilliwattHour)
        rest = remainder
        milliwattHours += rise
        return rise
    }

    /// Sets the register to 0, as a device with a volatile counter does at its start.
    public mutating func reset() {
        milliwattHours = 0
    }
}
