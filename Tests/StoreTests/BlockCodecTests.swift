import Compression
import Metering
import Simulation
import Testing
import Timekeeping

@testable import History

@Suite struct BlockCodecTests {
    private let compressor = ZstdCompressor()
    private let scratch = DecodingScratch()

    private func decode(_ bytes: [UInt8]) -> PointColumns? {
        bytes.withUnsafeBytes { buffer in
            do { return try BlockCodec.points(buffer, scratch) } catch { return nil }
        }
    }

    private func decodeBuckets(_ bytes: [UInt8]) -> BucketColumns? {
        bytes.withUnsafeBytes { buffer in
            do { return try BlockCodec.buckets(buffer, scratch) } catch { return nil }
        }
    }

    @Test func `what is encoded is decoded, the extremes too`() throws {
        for seed in 0..<300 as Range<UInt64> {
            var random = SplitMix64(seed: seed)
            var points = PointColumns(
                times: [random.between(-1000, 1 << 40)], values: [Int64(bitPattern: random.next())])
            let divisor = random.between(1, 5000)
            for _ in 0..<random.between(0, 200) {
                let step = random.chance(500) ? 10_000 : random.between(1, 1 << 33)
                points.times.append(points.times[points.count - 1] + step)
                points.values.append(
                    random.chance(50) ? Int64(bitPattern: random.next()) : random.between(-99, 99) * divisor)
            }
            let (bytes, stored) = PointBlock.encode(points, compressor)
            // What divides all changes is found out.
            let changes = zip(points.values.dropFirst(), points.values).map { ($0 &- $1).magnitude }
            points.divisor = changes.reduce(into: CommonDivisor()) { $0.add($1) }.value
            #expect(stored == points, "seed \(seed)")
            #expect(decode(bytes) == stored, "seed \(seed)")
        }
    }

    @Test func `times with jitter lie on a grid, none moved beyond the tolerance`() throws {
        for seed in 0..<200 as Range<UInt64> {
            var random = SplitMix64(seed: seed)
            let step = random.between(1, 120) * 1000
            let drift = random.between(-200, 200)  // in 1/65,536 of the step
            let tolerance = TimeGrid.tolerance(step)
            let jitter = tolerance * 2 / 5
            var points = PointColumns()
            var base: Int64 = 1_790_000_000_000
            for i in 0..<random.between(8, 900) {
                if random.chance(5) { base += random.between(step, 20 * step) }
                let time = base + i * step + i * step * drift / 65_536 + random.between(-jitter, jitter)
                if let last = points.times.last, time <= last { continue }
                points.times.append(time)
                points.values.append(random.between(0, 9) * 100)
            }
            let (bytes, stored) = PointBlock.encode(points, compressor)
            #expect(decode(bytes) == stored, "seed \(seed)")
            #expect(stored.values == points.values && stored.moved <= tolerance, "seed \(seed)")
            let moves = zip(points.times, stored.times).map { abs($0 - $1) }
            #expect(moves.max() == stored.moved, "seed \(seed)")
            #expect(zip(stored.times, stored.times.dropFirst()).allSatisfy { $0 < $1 }, "seed \(seed)")
            // A second time nothing may be added to what the first has used up.
            let again = PointBlock.encode(stored, compressor).points
            #expect(again.moved <= tolerance, "seed \(seed)")
            #expect(zip(points.times, again.times).allSatisfy { abs($0 - $1) <= tolerance }, "seed \(seed)")
        }
    }

    @Test func `jitter costs next to nothing`() throws {
        var random = SplitMix64(seed: 1)
        let values = (0..<720).map { _ in random.between(0, 60) * 100 }
        let even = PointColumns(times: (0..<720).map { 1_790_000_000_000 + Int64($0) * 10_000 }, values: values)
        var jittered = even
        for i in jittered.times.indices { jittered.times[i] += random.between(-20, 20) }
        let (plain, loose) = (PointBlock.encode(even, compressor).bytes, PointBlock.encode(jittered, compressor).bytes)
        #expect(loose.count <= plain.count + 40)
    }

    @Test func `times that keep no step are stored as they are`() throws {
        var random = SplitMix64(seed: 2)
        var points = PointColumns()
        var time: Int64 = 1_790_000_000_000
        for _ in 0..<500 {
            time += random.between(1, 20_000)
            points.times.append(time)
            points.values.append(0)
        }
        let (bytes, stored) = PointBlock.encode(points, compressor)
        points.divisor = 0
        #expect(stored == points && stored.moved == 0)
        #expect(decode(bytes) == points)
    }

    @Test func `buckets are decoded as they were, sums beyond 64 bits too`() throws {
        for seed in 0..<200 as Range<UInt64> {
            var random = SplitMix64(seed: seed)
            var buckets = BucketColumns()
            var start = random.between(0, 1 << 24) * 60_000
            let isWild = random.chance(200)
            for _ in 0..<random.between(1, 300) {
                var bucket = HistoryBucket(
                    start: Timestamp(milliseconds: start), first: random.between(-900, 900) * 100)
                for _ in 0..<random.between(0, 8) {
                    bucket.add(isWild ? Int64(bitPattern: random.next()) : random.between(-900, 900) * 100)
                }
                buckets.append(bucket)
                start += 60_000 * (random.chance(900) ? 1 : random.between(1, 100))
            }
            buckets.step = 60_000  // as it is read
            let bytes = BucketBlock.encode(buckets, step: 60_000, compressor)
            #expect(decodeBuckets(bytes) == buckets, "seed \(seed)")
        }
    }

    @Test func `damaged bytes give an error or other values, never a trap`() {
        var random = SplitMix64(seed: 3)
        var points = PointColumns()
        var buckets = BucketColumns()
        for i in 0..<50 as Range<Int64> {
            points.times.append(i * 1000 + random.between(0, 500))
            points.values.append(random.between(0, 1 << 20))
            buckets.append(HistoryBucket(start: Timestamp(milliseconds: i * 60_000), first: random.between(0, 999)))
        }
        for bytes in [
            PointBlock.encode(points, compressor).bytes, BucketBlock.encode(buckets, step: 60_000, compressor),
        ] {
            for i in bytes.indices {
                for bit in 0..<8 as Range<UInt8> {
                    var damaged = bytes
                    damaged[i] ^= 1 << bit
                    if let decoded = decode(damaged) { #expect(decoded.times.count == decoded.values.count) }
                    if let decoded = decodeBuckets(damaged) { #expect(decoded.starts.count == decoded.sums.count) }
                }
                _ = decode(Array(bytes[..<i]))
                _ = decodeBuckets(Array(bytes[..<i]))
            }
        }
    }

    @Test func `exact division is division`() {
        var random = SplitMix64(seed: 4)
        for _ in 0..<2000 {
            let divisor = random.between(1, random.chance(500) ? 100 : 1 << 40)
            let quotient = random.between(-1 << 20, 1 << 20)
            let division = ExactDivision(by: UInt64(divisor))
            #expect(division.quotient(quotient * divisor) == quotient)
            #expect(division.quotient(UInt64(abs(quotient) * divisor)) == UInt64(abs(quotient)))
        }
    }
}
