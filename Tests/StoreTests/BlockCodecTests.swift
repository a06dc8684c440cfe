import Metering
import Simulation
import Testing

@testable import History

@Suite struct BlockCodecTests {
    @Test func `what is encoded is decoded, the extremes too`() throws {
        for seed in 0..<300 as Range<UInt64> {
            var random = SplitMix64(seed: seed)
            var times: [Int64] = [random.between(-1000, 1 << 40)]
            var values: [Int64] = [Int64(bitPattern: random.next())]
            let divisor = random.between(1, 5000)
            for _ in 0..<random.between(0, 200) {
                times.append(times[times.count - 1] + (random.chance(900) ? 10_000 : random.between(1, 1 << 30)))
                values.append(random.chance(50) ? Int64(bitPattern: random.next()) : random.between(-99, 99) * divisor)
            }
            let decoded = decode(BlockCodec.encode(times: times, values: values))
            #expect(decoded?.times == times && decoded?.values == values, "seed \(seed)")
        }
    }

    private func decode(_ bytes: [UInt8]) -> (times: [Int64], values: [Int64])? {
        bytes.withUnsafeBytes { buffer in
            do { return try BlockCodec.decode(buffer) } catch { return nil }
        }
    }

    @Test func `damaged bytes give an error or other points, never a trap`() {
        let times = (0..<50).map { Int64($0) * 1000 }
        let bytes = BlockCodec.encode(times: times, values: times.map { $0 * 7 })
        for i in bytes.indices {
            for bit in 0..<8 as Range<UInt8> {
                var damaged = bytes
                damaged[i] ^= 1 << bit
                if let decoded = decode(damaged) {
                    #expect(decoded.times.count == decoded.values.count)
                }
                _ = decode(Array(damaged[..<i]))
            }
        }
    }
}
