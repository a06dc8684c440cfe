/// Steele, Lea and Flood's SplitMix64: small, fast, and the same numbers on every platform for ever.
///
/// The standard library's `random(in:using:)` does not promise how it maps bits to a range, so the mapping is here too.
public struct SplitMix64: RandomNumberGenerator, Sendable {
    private var state: UInt64

    public init(seed: UInt64) {
        state = seed
    }

    /// A generator of its own for part `index` of a seeded whole: adding one part changes no other.
    public init(seed: UInt64, stream index: UInt64) {
        var parent = SplitMix64(seed: seed ^ (index &+ 1) &* 0xD1B5_4A32_D192_ED03)
        state = parent.next()
    }

    public mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    /// Uniform from `low` through `high`; the bias of the multiplication is below 2⁻³² for the spans used here.
    public mutating func between(_ low: Int64, _ high: Int64) -> Int64 {
        precondition(low <= high)
        let span = (high - low).magnitude + 1
        return low + Int64(next().multipliedFullWidth(by: span).high)
    }

    /// True `permille` times in a thousand.
    public mutating func chance(_ permille: Int64) -> Bool {
        between(0, 999) < permille
    }
}
