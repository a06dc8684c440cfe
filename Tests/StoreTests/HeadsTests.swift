import Simulation
import Testing

@testable import History

@Suite struct HeadsTests {
    /// What a series is like: its values' usual change, and how its times come.
    private struct Manner {
        let divisor: Int64
        let width: Int64
        let step: Int64
        let jitter: Int64

        init(_ random: inout SplitMix64) {
            divisor = random.between(0, 2) == 0 ? 1 : random.between(1, random.chance(100) ? 1 << 33 : 5000)
            width = random.between(0, 3) == 0 ? 0 : 1 << random.between(0, 26)
            step = random.chance(100) ? random.between(1, 900) : random.between(1, 60) * 1000
            jitter = random.between(0, 2) == 0 ? random.between(0, 40) : 0
        }

        func change(_ random: inout SplitMix64) -> Int64 {
            random.chance(300) ? 0 : random.between(-width, width) &* divisor
        }
    }

    @Test(arguments: 0..<40 as Range<UInt64>)
    func `heads give back what they were given, in the order of time`(seed: UInt64) {
        print("seed \(seed)")
        var random = SplitMix64(seed: seed)
        var heads = Heads()
        let count = Int(random.between(1, 40))
        let manners = (0..<count).map { _ in Manner(&random) }
        for _ in 0..<count { heads.addSeries() }
        for _ in 0..<3 {
            var models = [[Int64: Int64]](repeating: [:], count: count)
            var times = [Int64](repeating: 1_790_000_000_000, count: count)
            var values = [Int64](repeating: 0, count: count)
            var total = 0
            for _ in 0..<random.between(0, 9000) {
                let slot = Int(random.between(0, Int64(count) - 1))
                let manner = manners[slot]
                let isOdd = random.chance(4)
                times[slot] += isOdd ? random.between(-50_000, 5_000_000) : manner.step
                values[slot] =
                    isOdd && random.chance(200)
                    ? Int64(bitPattern: random.next()) : values[slot] &+ manner.change(&random)
                let time = times[slot] + (manner.jitter > 0 ? random.between(-manner.jitter, manner.jitter) : 0)
                heads.append(slot, time, values[slot])
                models[slot][time] = values[slot]
                total += 1
            }
            #expect(heads.count == total)
            for slot in 0..<count { check(heads, slot, models[slot]) }
            heads.removeAll()
            #expect(heads.count == 0 && heads.byteCount == 0)
        }
    }

    private func check(_ heads: borrowing Heads, _ slot: Int, _ model: [Int64: Int64]) {
        let head = heads.points(slot)
        let points = head.sorted()
        let times = model.keys.sorted()
        #expect(points.times == times && points.values == times.map { model[$0] })
        let (first, latest) = (heads.first(slot), heads.latest(slot))
        #expect(first == times.first && latest?.time == times.last && latest?.value == times.last.flatMap { model[$0] })
        #expect(points.divisor >= 1)
        let differences = points.values.map { $0.subtractingReportingOverflow(points.values[0]) }
        #expect(
            points.divisor == 1
                || differences.allSatisfy { !$0.overflow && $0.partialValue.magnitude % points.divisor == 0 })
    }

    @Test func `changes at the ends of what a block holds come back`() {
        let ends: [Int64] = [0, 1, -1, .init(Int32.max), .init(Int32.min), 1 << 31, -1 << 31 - 1, .max, .min]
        for first in ends {
            for second in ends {
                var heads = Heads()
                heads.addSeries()
                var model: [Int64: Int64] = [:]
                for (i, value) in [0, first, second, 7, second, first, 0, 0, first, second].enumerated() {
                    let time = Int64(i) * 1000
                    heads.append(0, time, value)
                    model[time] = value
                }
                check(heads, 0, model)
            }
        }
    }

    @Test func `every width of a block comes back`() {
        var random = SplitMix64(seed: 8)
        for bits in 0...32 {
            var block = SIMD8<UInt32>()
            for i in 0..<8 where bits > 0 { block[i] = UInt32(truncatingIfNeeded: random.next() >> UInt64(64 - bits)) }
            let code = HeadBlock.code(bits: HeadBlock.bits(block))
            let width = HeadBlock.width(code: code)
            #expect(width >= HeadBlock.bits(block) && width % 2 * 8 <= 8 * width && code < 16)
            var bytes = [UInt8](repeating: 0xAA, count: 48)
            bytes.withUnsafeMutableBytes { room in
                guard let base = room.baseAddress else { return }
                HeadBlock.write(block, width: width, to: base)
                let isSame = HeadBlock.read(width: width, from: base) == block
                #expect(isSame, "\(bits) bits")
            }
        }
    }

    @Test func `a series that keeps its value and its step takes next to nothing`() {
        var heads = Heads()
        heads.addSeries()
        for i in 0..<7200 as Range<Int64> { heads.append(0, 1_790_000_000_000 + i * 1000, 230_000) }
        #expect(heads.byteCount <= 64)
        #expect(heads.points(0).sorted().values == [Int64](repeating: 230_000, count: 7200))
    }

    @Test func `a step that was doubled by one lost value is found again`() {
        var heads = Heads()
        heads.addSeries()
        for i in 0..<1000 as Range<Int64> where i != 3 { heads.append(0, i * 1000, 5) }
        #expect(heads.byteCount <= 64)
        #expect(heads.points(0).sorted().times == (0..<1000).filter { $0 != 3 }.map { $0 * 1000 })
    }

    @Test func `the divisor of a series is known again after it was emptied`() {
        var heads = Heads()
        heads.addSeries()
        for round in 0..<3 as Range<Int64> {
            for i in 0..<100 as Range<Int64> { heads.append(0, (round * 100 + i) * 1000, i * i * 700) }
            #expect(heads.points(0).sorted().divisor == 700)
            heads.removeAll()
        }
    }
}
