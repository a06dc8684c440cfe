import Devices
import Intake
import Metering
import Simulation
import Testing
import Timekeeping

@Suite struct NormalizerTests {
    private let received = Timestamp(seconds: 1_750_000_000)
    private let device = DeviceID(high: 1, low: 2)

    /// Numbers series in the order in which they are asked for.
    private final class Numbers {
        var keys: [SeriesKey] = []

        func number(_ key: SeriesKey) -> SeriesNumber? {
            if let known = keys.firstIndex(of: key) { return SeriesNumber(UInt32(known)) }
            keys.append(key)
            return SeriesNumber(UInt32(keys.count - 1))
        }
    }

    private func context(
        _ offset: Int64 = 0, retained: Bool = false, synchronized: Bool = true, connection: UInt32 = 0
    ) -> Normalizer.Context {
        Normalizer.Context(
            device: device, received: received + offset, retained: retained, clockSynchronized: synchronized,
            connection: connection)
    }

    private func power(_ value: Int64, _ time: SampleTime = .none) -> Sample {
        Sample(channel: .total, quantity: .power, value: value, time: time)
    }

    private func run(
        _ normalizer: inout Normalizer, _ samples: [Sample], _ context: Normalizer.Context
    ) -> (readings: [Reading], complaint: String?) {
        let numbers = Numbers()
        var readings: [Reading] = []
        let complaint = normalizer.normalize(samples, context, number: numbers.number, into: &readings)
        return (readings, complaint)
    }

    @Test func `a source's time is believed from 2015 to five minutes ahead, both included`() {
        let bounds: [(Timestamp, Bool)] = [
            (Normalizer.earliestTime, true), (Normalizer.earliestTime - 1, false),
            (received + 5 * Span.minute, true), (received + 5 * Span.minute + 1, false), (received, true),
            (Timestamp(milliseconds: .min), false), (Timestamp(milliseconds: .max), false),
        ]
        for (time, isBelieved) in bounds {
            var normalizer = Normalizer()
            let reading = run(&normalizer, [power(1, .utc(time))], context()).readings.first
            #expect(reading?.time == (isBelieved ? time : received))
            #expect(reading?.flags.contains(.timeUntrusted) == !isBelieved)
            #expect(normalizer.counters.untrustedTimes == (isBelieved ? 0 : 1))
        }
    }

    @Test func `without a time of its own a sample was true when it came`() {
        var normalizer = Normalizer()
        let reading = run(&normalizer, [power(1)], context()).readings.first
        #expect(reading?.time == received)
        #expect(reading?.received == received)
        #expect(reading?.flags == .firstAfterConnect)
    }

    @Test func `an earlier time than the newest of the series is late`() {
        var normalizer = Normalizer()
        let samples = [power(1, .utc(received)), power(2, .utc(received - 1)), power(3, .utc(received))]
        let flags = run(&normalizer, samples, context()).readings.map { $0.flags.contains(.late) }
        #expect(flags == [false, true, false])
    }

    @Test func `the first reading after each connection says so, once for every series`() {
        var normalizer = Normalizer()
        let voltage = Sample(channel: .total, quantity: .voltage, value: 230_000)
        var seen: [Bool] = []
        for connection: UInt32 in [1, 1, 2] {
            seen += run(&normalizer, [power(1), voltage], context(connection: connection)).readings
                .map { $0.flags.contains(.firstAfterConnect) }
        }
        #expect(seen == [true, true, false, false, true, true])
    }

    @Test func `flags of the message are on each of its readings`() {
        var normalizer = Normalizer()
        let readings = run(&normalizer, [power(1)], context(retained: true, synchronized: false)).readings
        #expect(readings.map(\.flags) == [[.retained, .clockUnsynced, .firstAfterConnect]])
    }

    @Test func `an implausible sample is refused with a reason, and the others stay`() {
        var normalizer = Normalizer()
        let wild = Sample(channel: .total, quantity: .voltage, value: 1_000_001)
        let result = run(&normalizer, [wild, power(5), wild], context())
        #expect(result.readings.map(\.value) == [5])
        #expect(result.complaint?.hasPrefix("voltage of 1000.001 V is outside") == true)
        #expect(normalizer.counters.implausible == 2)
    }

    @Test func `a power factor a hair above one is one`() {
        var normalizer = Normalizer()
        let sample = Sample(channel: .total, quantity: .powerFactor, value: -1_005)
        let readings = run(&normalizer, [sample], context()).readings
        #expect(readings.map(\.value) == [-1000])
    }

    @Test func `a device that invents channels gets 256 series and no more`() throws {
        var normalizer = Normalizer()
        let samples = try (0..<300).map { number in
            Sample(channel: try #require(Channel("c\(number)")), quantity: .power, value: 1)
        }
        let result = run(&normalizer, samples, context())
        #expect(result.readings.count == Normalizer.maximumSeriesPerDevice)
        #expect(result.complaint?.contains("at most 256") == true)
        // What it has goes on.
        let known = run(&normalizer, [samples[3]], context()).readings
        #expect(known.count == 1)
    }

    @Test func `random samples never trap, and every reading is plausible and in time`() throws {
        let seed = UInt64.random(in: 0 ... .max)
        var random = SplitMix64(seed: seed)
        var normalizer = Normalizer()
        let edges: [Int64] = [.min, .max, 0, -1, 1, 1_000_000_000_000_000, -1_000_000_000]
        for _ in 0..<3000 {
            let samples = (0..<Int.random(in: 0...5, using: &random)).map { _ -> Sample in
                let isEdge = Bool.random(using: &random)
                let wild = Int64.random(in: .min ... .max, using: &random)
                let value = isEdge ? edges.randomElement(using: &random)! : wild
                let time: SampleTime =
                    switch Int.random(in: 0...2, using: &random) {
                    case 0: .none
                    case 1: .untrusted
                    default: .utc(Timestamp(milliseconds: edges.randomElement(using: &random)!))
                    }
                return Sample(
                    channel: .output(Int.random(in: 0...20, using: &random)),
                    quantity: Quantity.all.randomElement(using: &random)!, value: value, time: time)
            }
            let now = Timestamp(milliseconds: edges.randomElement(using: &random)!)
            let context = Normalizer.Context(
                device: DeviceID(high: 0, low: UInt64.random(in: 0...3, using: &random)), received: now,
                connection: UInt32.random(in: 0...2, using: &random))
            let readings = run(&normalizer, samples, context).readings
            for reading in readings where reading.time != now {
                #expect(reading.time >= Normalizer.earliestTime, "seed \(seed)")
                #expect(reading.time <= now + Normalizer.futureTolerance, "seed \(seed)")
            }
            #expect(readings.count <= samples.count, "seed \(seed)")
        }
    }
}
