import Metering
import Records
import Simulation
import Testing
import Timekeeping

@testable import Usage

/// A register that does everything registers do, one thing after another.
struct UnrulyCounter {
    /// Seconds and mWh, in the order of time.
    private(set) var readings: [(time: Int64, value: Int64)] = []
    private(set) var faults: Set<Fault> = []
    static let modulus: Int64 = 10_000_000_000

    enum Fault: CaseIterable {
        case jitter, reset, rollover, rollBack, momentaryZero, unitJump, spike, level, silence
    }

    init(_ generator: inout SplitMix64, count: Int) {
        var time = Int64.random(in: 0...900, using: &generator)
        var register = Int64.random(in: 50_000_000...900_000_000, using: &generator)
        while readings.count < count {
            for _ in 0..<Int.random(in: 3...25, using: &generator) {
                step(&time, &register, &generator)
            }
            guard let fault = Fault.allCases.randomElement(using: &generator) else { continue }
            faults.insert(fault)
            let shown = (1...Int.random(in: 1...6, using: &generator)).map { _ in
                Int64.random(in: 20...200, using: &generator)
            }
            switch fault {
            case .jitter:
                for wait in shown { show(&time, wait, register - Int64.random(in: 0...2000, using: &generator)) }
            case .momentaryZero: for wait in shown { show(&time, wait, 0) }
            case .spike: for wait in shown.prefix(2) { show(&time, wait, register + 500_000_000_000) }
            case .unitJump: for wait in shown { show(&time, wait, register * 1000) }
            case .level: register += 700_000_000
            case .reset: register = Int64.random(in: 0...20_000, using: &generator)
            case .rollBack: register -= min(register, Int64.random(in: 10_000...5_000_000, using: &generator))
            case .silence: time += Int64.random(in: 900...90_000, using: &generator)
            case .rollover:
                let last = UnrulyCounter.modulus - 30_000
                for _ in 0..<12 { step(&time, &register, &generator, at: last) }
                register = 5_000
            }
        }
    }

    private mutating func show(_ time: inout Int64, _ wait: Int64, _ value: Int64) {
        time += wait
        readings.append((time, value))
    }

    private mutating func step(
        _ time: inout Int64, _ register: inout Int64, _ generator: inout SplitMix64, at level: Int64? = nil
    ) {
        let wait = Int64.random(in: 20...300, using: &generator)
        if let level, register < level { register = level }
        register += level == nil ? Int64.random(in: 0...wait * 900, using: &generator) : 1000
        show(&time, wait, register)
    }
}

extension Array {
    /// The same in an order in which each element is delayed by less than `delay`, in the elements' own time.
    func delayed(by delay: Int64, _ time: (Element) -> Int64, _ generator: inout SplitMix64) -> [Element] {
        map { element in
            // Most come in time, some much later.
            let late = generator.next() % 4 == 0
            return (time(element) + (late ? Int64.random(in: 0..<delay, using: &generator) : 0), element)
        }
        .enumerated().sorted { ($0.element.0, $0.offset) < ($1.element.0, $1.offset) }
        .map(\.element.1)
    }
}

struct OrderTests {
    @Test(arguments: CounterClass.allCases)
    func `whatever the register does, any order within two hours gives what the order of time gives`(
        counterClass: CounterClass
    ) throws {
        for seed in 1...16 as ClosedRange<UInt64> {
            var generator = SplitMix64(seed: seed)
            let unruly = UnrulyCounter(&generator, count: 150)
            let counter = Counter(
                quantity: .energyImport, counterClass: counterClass, step: 1000, modulus: UnrulyCounter.modulus)
            var inTime = Meters(revisesDecisions: true)
            inTime.add(Meters.device(1, counters: [counter]))
            for reading in unruly.readings { inTime.read(reading.time, reading.value) }
            inTime.settle()
            var mixed = Meters(revisesDecisions: true)
            mixed.add(Meters.device(1, counters: [counter]))
            for reading in unruly.readings.delayed(by: 7_000, \.time, &generator) {
                mixed.read(reading.time, reading.value)
                switch generator.next() % 12 {
                case 0: mixed.settle()
                case 1: mixed.state = try UsageState(decoding: mixed.state.encoded())
                case 2: try mixed.recompute()
                default: break
                }
            }
            try mixed.recompute()
            let different = mixed.differences(from: inTime)
            #expect(different.isEmpty, "seed \(seed), \(unruly.faults)")
        }
    }

    @Test func `of two values of one register in one millisecond the higher counts, whichever came first`() throws {
        for values in [[5_000_000, 5_010_000], [5_010_000, 5_000_000], [5_010_000, 0, 5_010_000]] as [[Int64]] {
            var meters = Meters()
            meters.add(Meters.device(1))
            meters.read(0, 4_990_000)
            for value in values { meters.read(840, value) }
            try meters.recompute()
            #expect(meters.sum() == 20_000)
            // Hours without a word follow: what was shown last is where it belongs.
            meters.read(40_000, 5_010_000)
            try meters.recompute()
            #expect(meters.slots().first?.imported == 20_000)
            #expect(meters.sum() == 20_000)
            #expect(meters.decisions.isEmpty)
        }
    }

    @Test func `a power comes to the same mWh in any order, and worked out again from any instant`() throws {
        for seed in 1...30 as ClosedRange<UInt64> {
            var generator = SplitMix64(seed: seed)
            var time: Int64 = 0
            var readings: [(time: Int64, value: Int64)] = []
            for _ in 0..<400 {
                // Silences of over the hold among them, and what flows back.
                time += generator.next() % 40 == 0 ? 1_234 : Int64.random(in: 1...200, using: &generator)
                readings.append((time, Int64.random(in: -900_000...3_000_000, using: &generator)))
            }
            var inTime = Meters()
            inTime.add(Meters.device(1))
            for reading in readings { inTime.read(reading.time, reading.value, .power) }
            inTime.settle()
            var mixed = Meters()
            mixed.add(Meters.device(1))
            for reading in readings.delayed(by: 7_000, \.time, &generator) {
                mixed.read(reading.time, reading.value, .power)
                guard generator.next() % 20 == 0 else { continue }
                let from = Timestamp(seconds: Meters.start + Int64.random(in: 0...reading.time, using: &generator))
                mixed.state.ask(
                    Recompute(device: Meters.id(1), channel: .total, from: from, to: from + 1, source: mixed.offset))
                try mixed.recompute()
            }
            try mixed.recompute()
            #expect(mixed.differences(from: inTime) == [], "seed \(seed)")
        }
    }

    @Test func `of two powers in one millisecond the one that came last holds, and an amount counts once`() throws {
        var meters = Meters()
        meters.add(Meters.device(1))
        meters.add(Meters.device(2))
        for (time, watts) in [(0, 1000), (60, 3000), (60, 600), (360, 0)] as [(Int64, Int64)] {
            meters.read(time, watts * 1000, .power)
        }
        for time in [300, 600, 600, 900] as [Int64] { meters.read(time, 5_000, device: 2, .energyImportDelta) }
        try meters.recompute()
        // 16,666.7 mWh and 50,000 mWh: whole ones are booked, as the recorded cases have it.
        #expect(meters.sum() == 66_666)
        #expect(meters.sum(2) == 15_000)
    }
}

extension Meters {
    /// What another way of taking the same readings in came to, line by line: slots and decisions.
    func differences(from other: Meters, device: UInt64 = 1) -> [String] {
        func lines(_ meters: Meters) -> Set<String> {
            var lines = Set(
                meters.slots(device).filter(\.isKnown).map { slot in
                    let energies = [slot.imported, slot.exported].map { $0.map(String.init) ?? "–" }
                    return "\(slot.slot.start) \(energies) \(slot.estimated) \(slot.measuredTime) \(slot.filledTime)"
                })
            for decision in meters.decisions where decision.kind != .late {
                let values = [decision.from, decision.to].map { $0.map(String.init) ?? "–" }
                lines.insert("\(decision.time) \(decision.kind) \(decision.series.quantity) \(values) \(decision.rule)")
            }
            return lines
        }
        let (own, others) = (lines(self), lines(other))
        return own.subtracting(others).map { "+ " + $0 }.sorted() + others.subtracting(own).map { "- " + $0 }.sorted()
    }
}

extension Meters {
    /// Reads lines of device 1, some of them up to two hours late, with rests, restarts and recomputations in between.
    mutating func readMixed(
        _ lines: [(time: Int64, quantity: Quantity, value: Int64)], _ generator: inout SplitMix64
    ) throws {
        for line in lines.delayed(by: 7_000, \.time, &generator) {
            read(line.time, line.value, line.quantity)
            switch generator.next() % 20 {
            case 0: settle()
            case 1: state = try UsageState(decoding: state.encoded())
            case 2: try recompute()
            default: break
            }
        }
    }
}
