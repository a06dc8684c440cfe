import Glibc

/// The data set that time-series stores are compared on: 1,000 series of 10,080 values at 10 s, the same numbers as the
/// C program `gen.c` writes (seed 88172645463325252), checked by a checksum. In tenths: W for series 0 … 499, Wh for
/// 500 … 999.
///
/// 0–199 smart plugs, 200–399 house mains, 400–499 photovoltaics; 500 + i is the energy counter of i in whole Wh.
struct PerfDataSet {
    static let seriesCount = 1000
    static let count = 10_080
    /// FNV-1a of the values as little-endian 32-bit integers in the order of `gen.c`: time by time.
    static let checksum: UInt64 = 0xC65B_7775_363A_65B2

    /// By series, then by time.
    private(set) var values: [[Int32]]
    private var state: UInt64 = 88_172_645_463_325_252

    init() {
        values = (0..<PerfDataSet.seriesCount).map { _ in [Int32](repeating: 0, count: PerfDataSet.count) }
        for i in 0..<PerfDataSet.seriesCount / 2 { make(i) }
    }

    private mutating func uniform() -> Double {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return Double(state >> 11) * (1.0 / 9_007_199_254_740_992.0)
    }

    private mutating func normal() -> Double {
        let radius = sqrt(-2 * log(uniform() + 1e-300))
        return radius * cos(6.283185307 * uniform())
    }

    /// One house's power and counter. The order in which numbers are drawn is that of the C program.
    private mutating func make(_ i: Int) {
        var energy = 1e4 * uniform() * 1000
        var (noise, cloud) = (0.0, 1.0)
        var isOn = uniform() < 0.4
        let level = uniform() < 0.5 ? 5 + uniform() * 60 : 100 + uniform() * 2000
        var loads = [Bool](repeating: false, count: 6)
        let sizes = (0..<6).map { _ in 40 + uniform() * 2200 }
        let base = 60 + uniform() * 250
        let peak = 600 + uniform() * 9000
        for t in 0..<PerfDataSet.count {
            let power: Double
            if i < 200 {
                power = plug(i, level, &isOn)
            } else if i < 400 {
                power = mains(base, sizes, &noise, &loads)
            } else {
                let hour = fmod(Double(t) / 360, 24)
                let sun = sin((hour - 6) / 12 * Double.pi)
                cloud = min(1, max(0.15, cloud + 0.04 * normal()))
                power = sun > 0 ? peak * sun * cloud * (1 + 0.003 * normal()) : 0
            }
            let tenths = Int32(lround(power * 10))
            values[i][t] = tenths
            energy += Double(tenths) / 10 * 10 / 3600
            values[i + PerfDataSet.seriesCount / 2][t] = Int32(floor(energy)) * 10
        }
    }

    private mutating func plug(_ i: Int, _ level: Double, _ isOn: inout Bool) -> Double {
        if uniform() < (isOn ? 1 / 180.0 : 1 / 400.0) { isOn.toggle() }
        return max(0, isOn ? level * (1 + 0.003 * normal()) : (i % 3 != 0 ? 0 : 0.4))
    }

    private mutating func mains(
        _ base: Double, _ sizes: [Double], _ noise: inout Double, _ loads: inout [Bool]
    ) -> Double {
        noise = 0.95 * noise + 2.5 * normal()
        var power = base + noise + 1.2 * normal()
        for k in loads.indices {
            if uniform() < (loads[k] ? 1 / 60.0 : 1 / 500.0) { loads[k].toggle() }
            if loads[k] { power += sizes[k] * (1 + 0.004 * normal()) }
        }
        return power
    }

    /// Of these values, to compare with `checksum`.
    var sum: UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for t in 0..<PerfDataSet.count {
            for series in values {
                var word = UInt32(bitPattern: series[t])
                for _ in 0..<4 {
                    hash = (hash ^ UInt64(word & 0xFF)) &* 0x100_0000_01B3
                    word >>= 8
                }
            }
        }
        return hash
    }
}
