/// The grid's voltage and frequency at the house: slow random walks around their nominal values.
public struct Supply: Hashable, Sendable {
    /// Line to neutral, mV, of L1, L2, L3: within 228–236 V.
    public private(set) var millivolts: [Int64]
    /// Within 49.95–50.05 Hz.
    public private(set) var millihertz: Int64 = 50_000

    init(_ random: inout SplitMix64) {
        millivolts = (0..<3).map { _ in random.between(230_500, 233_500) }
    }

    /// One step of the walk; called every ten seconds.
    mutating func wander(_ random: inout SplitMix64) {
        for phase in 0..<3 {
            let pull = (232_000 - millivolts[phase]) / 100
            millivolts[phase] = min(max(millivolts[phase] + pull + random.between(-250, 250), 228_000), 236_000)
        }
        millihertz = min(max(millihertz + (50_000 - millihertz) / 20 + random.between(-6, 6), 49_950), 50_050)
    }
}
