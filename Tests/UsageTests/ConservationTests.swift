import Metering
import Records
import Simulation
import Testing
import Timekeeping

@testable import Usage

/// A random register with every fault there is, and what its slots must sum to.
struct FaultyCounter {
    struct Delivery {
        var time: Int64
        var value: Int64
    }

    var deliveries: [Delivery] = []
    /// Σ over segments of (last − first), and for a volatile register the first value of each later one; mWh.
    var expected: Int64 = 0
    var counterClass: CounterClass

    init(_ generator: inout SplitMix64, counterClass: CounterClass) {
        self.counterClass = counterClass
        var time: Int64 = Int64.random(in: 0...900, using: &generator)
        var register = Int64.random(in: 1_000_000...900_000_000, using: &generator)
        for segment in 0..<Int.random(in: 1...5, using: &generator) {
            if segment > 0 {
                time += Int64.random(in: 30...4_000, using: &generator)
                register =
                    counterClass == .lifetime
                    ? Int64.random(in: 1...max(1, register / 2), using: &generator)
                    : Int64.random(in: 1...20_000, using: &generator)
            }
            addSegment(segment, &time, &register, &generator)
        }
    }

    private mutating func addSegment(
        _ segment: Int, _ time: inout Int64, _ register: inout Int64, _ generator: inout SplitMix64
    ) {
        let first = register
        var genuine: [Delivery] = [Delivery(time: time, value: register)]
        for _ in 0..<Int.random(in: 12...60, using: &generator) {
            // Mostly seconds, now and then a gap of up to two days.
            // After a restart little flows at first: a register that is back at its old level within three readings
            // cannot be told from one that never fell.
            let fresh = segment > 0 && genuine.count < 6
            let gap = !fresh && Int.random(in: 0..<30, using: &generator) == 0
            let elapsed = Int64.random(in: gap ? 900...170_000 : fresh ? 20...60 : 20...400, using: &generator)
            time += elapsed
            register += Int64.random(in: 0...(elapsed * (fresh ? 100 : 1000)), using: &generator)
            genuine.append(Delivery(time: time, value: register))
        }
        expected += register - first
        if segment > 0, counterClass == .volatile { expected += first }
        // A segment's first four readings and its last come in time and as they are, so that it can be recognised.
        // Three glitches in a row may look like a reset, so none follows another.
        var glitched = false
        for (i, reading) in genuine.enumerated() {
            if i >= 5, i < genuine.count - 1, !glitched {
                let count = deliveries.count
                defer { glitched = deliveries.count == count + 1 && deliveries[count].value != reading.value }
                switch Int.random(in: 0..<12, using: &generator) {
                case 0: deliveries.append(Delivery(time: reading.time, value: 0))
                // Below the reading before: what lies between the two could be true.
                case 1: deliveries.append(Delivery(time: reading.time, value: genuine[i - 1].value / 3))
                case 2: deliveries.append(Delivery(time: reading.time, value: reading.value + 900_000_000_000))
                case 3:
                    deliveries.append(reading)
                    deliveries.append(reading)
                case 4:
                    // Late: after the next one.
                    let last = deliveries.count
                    deliveries.append(reading)
                    if i + 1 < genuine.count - 1, last > 0 {
                        deliveries.insert(genuine[i + 1], at: last)
                    }
                case 5: continue
                default: deliveries.append(reading)
                }
            } else {
                deliveries.append(reading)
                glitched = false
            }
        }
        // And some once more, long after.
        if generator.next() % 2 == 0, let old = genuine.dropFirst(5).dropLast().randomElement(using: &generator),
            let last = deliveries.popLast()
        {
            deliveries.append(old)
            deliveries.append(last)
        }
    }
}

struct ConservationTests {
    @Test(arguments: [CounterClass.lifetime, .resettable, .volatile])
    func `slots sum to the segments, whatever happened to the counter`(counterClass: CounterClass) {
        for seed in 1...60 as ClosedRange<UInt64> {
            var generator = SplitMix64(seed: seed)
            let faulty = FaultyCounter(&generator, counterClass: counterClass == .resettable ? .lifetime : counterClass)
            var meters = Meters()
            let counter = Counter(quantity: .energyImport, counterClass: counterClass, step: 1)
            meters.add(Meters.device(1, counters: [counter]))
            for delivery in faulty.deliveries {
                meters.read(delivery.time, delivery.value)
                if generator.next() % 3 == 0 { meters.settle() }
            }
            meters.settle()
            #expect(meters.sum() == faulty.expected, "seed \(seed)")
            #expect(meters.slots().allSatisfy { ($0.imported ?? 0) >= 0 && $0.estimated >= 0 }, "seed \(seed)")
            #expect(
                meters.slots().allSatisfy { $0.measuredTime + $0.filledTime <= Slot.length }, "seed \(seed)")
        }
    }

    @Test func `a clean counter sums to last less first through any delay within the lateness`() throws {
        for seed in 1...20 as ClosedRange<UInt64> {
            var generator = SplitMix64(seed: seed)
            var value: Int64 = 1_000_000
            var readings: [(Int64, Int64)] = []
            for t in stride(from: Int64(0), through: 40_000, by: 120) {
                readings.append((t, value))
                value += Int64.random(in: 0...100_000, using: &generator)
            }
            // Each is delayed by up to the lateness less a bit; the newest of all comes last, as it would.
            var queue = readings.dropFirst().dropLast().map {
                ($0.0 + Int64.random(in: 0...7000, using: &generator), $0)
            }
            queue.sort { $0.0 < $1.0 }
            var meters = Meters()
            meters.add(Meters.device(1, counters: [Counter(quantity: .energyImport, counterClass: .lifetime, step: 1)]))
            for reading in [readings[0]] + queue.map(\.1) + [readings[readings.count - 1]] {
                meters.read(reading.0, reading.1)
                if generator.next() % 3 == 0 { meters.settle() }
                if generator.next() % 40 == 0 { meters.state = try UsageState(decoding: meters.state.encoded()) }
            }
            meters.settle()
            var inTime = Meters()
            inTime.add(Meters.device(1, counters: [Counter(quantity: .energyImport, counterClass: .lifetime, step: 1)]))
            for reading in readings { inTime.read(reading.0, reading.1) }
            inTime.settle()
            #expect(meters.sum() == readings[readings.count - 1].1 - readings[0].1, "seed \(seed)")
            #expect(meters.slots().map(\.sameAs) == inTime.slots().map(\.sameAs), "seed \(seed)")
            #expect(meters.decisions.isEmpty, "seed \(seed)")
        }
    }
}
