import Metering
import Records
import Simulation
import Testing
import Timekeeping

@testable import Usage

/// Random facts about a few devices, plausible or not.
private func facts(_ generator: inout SplitMix64, count: Int, wild: Bool) -> (SeriesDictionary, [Record]) {
    let quantities: [Quantity] = [
        .energyImport, .energyExport, .energyTotal, .energyNet, .power, .energyImportDelta, .energyImportToday,
        .productionEnergy, .productionPower, .batteryPower, .voltage,
    ]
    var dictionary = SeriesDictionary()
    var records: [Record] = []
    for i in 1...4 as ClosedRange<UInt64> {
        let classes = CounterClass.allCases
        let counter = Counter(
            quantity: .energyImport, counterClass: classes[Int(generator.next() % UInt64(classes.count))],
            step: wild ? Int64.random(in: .min ... .max, using: &generator) : 1000,
            modulus: wild ? Int64.random(in: .min ... .max, using: &generator) : 20_000_000)
        records.append(
            .device(
                Meters.device(
                    i, watts: wild ? Int64.random(in: .min ... .max, using: &generator) : 5000, counters: [counter])))
    }
    var now = Meters.start * 1000
    var values: [UInt32: Int64] = [:]
    for _ in 0..<count {
        now +=
            generator.next() % 40 == 0
            ? Int64.random(in: 0...90_000_000, using: &generator) : Int64.random(in: 0...120_000, using: &generator)
        var readings: [Reading] = []
        for _ in 0..<Int.random(in: 1...5, using: &generator) {
            let key = SeriesKey(
                device: Meters.id(1 + generator.next() % 4), channel: generator.next() % 3 == 0 ? .output(0) : .total,
                quantity: quantities.randomElement(using: &generator)!)
            let series = dictionary.number(for: key)!
            var time = now
            if generator.next() % 5 == 0 { time -= Int64.random(in: 0...10_000_000, using: &generator) }
            var value = values[series.value] ?? Int64.random(in: 0...19_000_000, using: &generator)
            switch generator.next() % 10 {
            case 0: value = Int64.random(in: 0...19_000_000, using: &generator)
            case 1: value = 0
            default: value += Int64.random(in: 0...20_000, using: &generator)
            }
            values[series.value] = value
            if wild {
                let extremes: [Int64] = [.min, .max, 0, -1, 1, 1_000_000_000_000_000, -1_000_000_000_000_000]
                if generator.next() % 4 == 0 { value = extremes.randomElement(using: &generator)! }
                let times: [Int64] = [.min, .max, 0, Timestamp.validRange.upperBound.milliseconds, -1]
                if generator.next() % 30 == 0 { time = times.randomElement(using: &generator)! }
            }
            readings.append(
                Reading(
                    series: series, time: Timestamp(milliseconds: time), received: Timestamp(milliseconds: now),
                    value: value, flags: ReadingFlags(rawValue: generator.next() % 20 == 0 ? 1 : 0)))
        }
        records.append(.readings(readings))
    }
    return (dictionary, records)
}

struct SnapshotTests {
    @Test func `any split into batches, with the state stored and read back, gives the same slots and bytes`() throws {
        for seed in 1...40 as ClosedRange<UInt64> {
            var generator = SplitMix64(seed: seed)
            let (dictionary, records) = facts(&generator, count: 300, wild: false)
            var reference = Meters()
            var split = Meters()
            var decisions: [Decision] = []
            for record in records {
                reference.dictionary = dictionary
                reference.apply(record)
                reference.settle()
                split.dictionary = dictionary
                split.apply(record)
                switch generator.next() % 20 {
                case 0: split.settle()
                case 1: split.state = try UsageState(decoding: split.state.encoded())
                default: break
                }
            }
            split.settle()
            decisions = split.decisions
            #expect(split.ledger == reference.ledger, "seed \(seed)")
            #expect(decisions == reference.decisions, "seed \(seed)")
            #expect(split.state.takeRecomputes() == reference.state.takeRecomputes(), "seed \(seed)")
            #expect(split.state.encoded() == reference.state.encoded(), "seed \(seed)")
            #expect(!reference.ledger.isEmpty)
        }
    }

    @Test func `no reading traps, whatever its value and time`() {
        for seed in 1...4 as ClosedRange<UInt64> {
            var generator = SplitMix64(seed: seed)
            let (dictionary, records) = facts(&generator, count: 300, wild: true)
            var meters = Meters()
            meters.dictionary = dictionary
            for record in records { meters.apply(record) }
            meters.settle()
            #expect(meters.slots(1).allSatisfy { $0.measuredTime >= 0 && $0.filledTime >= 0 }, "seed \(seed)")
        }
    }

    @Test func `mutated bytes never trap, and what they decode to does not either`() throws {
        var generator = SplitMix64(seed: 5)
        let (dictionary, records) = facts(&generator, count: 60, wild: false)
        var meters = Meters()
        meters.dictionary = dictionary
        for record in records { meters.apply(record) }
        let good = meters.state.encoded()
        #expect(throws: RecordError.self) { try UsageState(decoding: []) }
        for length in stride(from: 0, to: good.count, by: 7) {
            #expect(throws: RecordError.self) { try UsageState(decoding: Array(good.prefix(length))) }
        }
        var survivors = 0
        for _ in 0..<1000 {
            var bytes = good
            for _ in 0...(generator.next() % 3) {
                bytes[6 + Int(generator.next() % UInt64(bytes.count - 10))] = UInt8(
                    truncatingIfNeeded: generator.next())
            }
            // Sealed again, so that the checks behind the checksum are the ones at work.
            bytes.removeLast(4)
            let checksum = bytes.withUnsafeBytes { CRC32C.update(0, $0) }
            withUnsafeBytes(of: checksum.littleEndian) { bytes.append(contentsOf: $0) }
            guard var state = try? UsageState(decoding: bytes) else { continue }
            survivors += 1
            for record in records.suffix(20) { state.apply(record, offset: 1) { dictionary[$0] } }
            _ = state.takeChanges()
            _ = state.openSlots(from: Slot(index: 0))
            _ = state.encoded()
        }
        #expect(survivors > 100)
    }

    @Test func `a damaged snapshot is told from a newer one`() throws {
        var bytes = UsageState().encoded()
        bytes[4] = 9
        #expect { try UsageState(decoding: bytes) } throws: { ($0 as? RecordError)?.kind == .badChecksum }
        bytes.removeLast(4)
        let checksum = bytes.withUnsafeBytes { CRC32C.update(0, $0) }
        withUnsafeBytes(of: checksum.littleEndian) { bytes.append(contentsOf: $0) }
        #expect { try UsageState(decoding: bytes) } throws: { ($0 as? RecordError)?.kind == .newerFormat }
    }

    @Test func `the empty state's bytes are those of version 4`() {
        // Typed from the layout: magic, version, four counters and eight lengths of zero, checksum.
        let zeros = [UInt8](repeating: 0, count: 12)
        #expect(UsageState().encoded().dropLast(4) == [0x65, 0x55, 0x53, 0x47, 4, 0] + zeros)
    }
}
