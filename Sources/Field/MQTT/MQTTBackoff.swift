/// How long to wait before each new attempt to reach the broker: doubling from `shortest` to `longest`, jittered.
///
/// | failures so far | wait, before jitter, with 1 s … 30 s |
/// | --- | --- |
/// | 1, 2, 3, 4, 5 | 1 s, 2 s, 4 s, 8 s, 16 s |
/// | 6 and more | 30 s |
///
/// The jitter adds up to a quarter, so that the gateways of a village do not all return in the same second after a
/// power cut. It comes from a seed: the same seed waits the same times.
public struct MQTTBackoff: Sendable {
    /// The first wait in milliseconds, at least 1.
    public let shortest: Int
    /// No wait is longer than this many milliseconds, jitter included.
    public let longest: Int
    private var failures = 0
    private var random: UInt64

    /// Waits in milliseconds are brought into 1 … one hour, and `longest` to at least `shortest`.
    public init(shortest: Int = 1_000, longest: Int = 30_000, seed: UInt64) {
        let hour = 3_600_000
        self.shortest = min(max(shortest, 1), hour)
        self.longest = min(max(longest, self.shortest), hour)
        self.random = seed
    }

    /// The wait in milliseconds after one more failure.
    public mutating func next() -> Int {
        let doublings = min(failures, 22)  // 2^22 ms is beyond the hour: the shift stays far from overflow
        failures = min(failures + 1, 1_000)
        let wait = min(shortest << doublings, longest)
        return min(wait + Int(nextRandom() % UInt64(wait / 4 + 1)), longest)
    }

    /// To be called when a connection has proved itself: the next wait is the shortest again.
    public mutating func reset() {
        failures = 0
    }

    /// SplitMix64: eight lines, and good enough to spread reconnections.
    private mutating func nextRandom() -> UInt64 {
        random &+= 0x9E37_79B9_7F4A_7C15
        var z = random
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}
