/// How long a unit takes to answer, from its last answers; the line's own time not counted. In µs.
struct Latency: Sendable {
    private static let capacity = 64
    /// Fewer answers than this say too little.
    private static let enough = 8

    private var samples: [Int64] = []
    private var next = 0
    private var slowest: Int64 = 0

    mutating func add(_ latency: Int64) {
        if samples.count < Self.capacity {
            samples.append(latency)
            slowest = max(slowest, latency)
        } else {
            let old = samples[next]
            samples[next] = latency
            next = (next + 1) % Self.capacity
            if latency >= slowest {
                slowest = latency
            } else if old == slowest {
                slowest = samples.max() ?? 0
            }
        }
    }

    /// Twice the slowest of the last answers, within the limits; doubled for each time-out since the last answer, as
    /// the unit may have become slower than it ever was.
    func timeout(_ limits: BusLimits, doublings: Int) -> Int64 {
        var timeout = 2 * slowest
        if samples.count < Self.enough { timeout = max(timeout, BusLimits.unknownTimeout) }
        timeout = min(max(timeout, limits.timeoutFloor), limits.timeoutCeiling)
        return min(timeout << min(doublings, 10), limits.timeoutCeiling)
    }

    var isEmpty: Bool { samples.isEmpty }

    /// The value that so many permille of the last answers did not exceed; nil before the first answer.
    func quantile(permille: Int) -> Int64? {
        guard !samples.isEmpty else { return nil }
        return samples.sorted()[(samples.count - 1) * permille / 1_000]
    }
}
