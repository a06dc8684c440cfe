import Metering
import Records
import Simulation
import Testing
import Timekeeping

@testable import Usage

struct RecomputationTests {
    @Test func `what came hours too late is where it belongs after the recomputation`() throws {
        var late = Meters()
        var inOrder = Meters()
        for meters in [0, 1] {
            var all = Meters()
            all.add(Meters.device(1))
            // An uneven day, of which the noon came in the evening.
            for minute in Int64(0)...1440 where meters == 0 || !(600..<900).contains(minute) {
                all.read(60 * minute, 1000 * minute * minute / 100)
            }
            if meters == 0 { inOrder = all } else { late = all }
        }
        for minute in Int64(600)..<900 { late.read(60 * minute, 1000 * minute * minute / 100) }
        inOrder.settle()
        late.settle()
        #expect(late.kinds == [.late])
        #expect(late.state.late == 300)
        #expect(late.slots().map(\.imported) != inOrder.slots().map(\.imported))
        try late.recompute()
        #expect(late.slots().map { $0.sameAs } == inOrder.slots().map { $0.sameAs })
        #expect(late.sum() == 20_736_000)
    }

    @Test func `a second counter whose year comes after the first one's is counted as well`() throws {
        var meters = Meters()
        meters.add(Meters.device(1, role: .grid, watts: nil))
        for hour in Int64(0)...720 { meters.read(3600 * hour, 100_000 * hour, .energyImport) }
        for hour in Int64(0)...720 { meters.read(3600 * hour, 40_000 * hour, .energyExport) }
        try meters.recompute()
        #expect(meters.sum() == 72_000_000)
        #expect(meters.sum(1, \.exported) == 28_800_000)
        #expect(meters.slots().allSatisfy { $0.imported == 25_000 && $0.exported == 10_000 })
    }

    @Test func `nothing is worked out twice: a recomputation of any span leaves every slot as it is`() throws {
        for seed in 1...24 as ClosedRange<UInt64> {
            var generator = SplitMix64(seed: seed)
            let counterClass: CounterClass = seed % 2 == 0 ? .lifetime : .volatile
            let faulty = FaultyCounter(&generator, counterClass: counterClass)
            var meters = Meters()
            meters.add(
                Meters.device(1, counters: [Counter(quantity: .energyImport, counterClass: counterClass, step: 1)]))
            var last: Int64 = 0
            for (i, delivery) in faulty.deliveries.enumerated() {
                meters.read(delivery.time, delivery.value)
                last = max(last, delivery.time)
                guard i > 20, generator.next() % 16 == 0 else { continue }
                let from = Meters.start + Int64.random(in: 0...last, using: &generator)
                meters.state.ask(
                    Recompute(
                        device: Meters.id(1), channel: .total, from: Timestamp(seconds: from),
                        to: Timestamp(seconds: from + 900), source: meters.offset))
                try meters.recompute()
            }
            meters.settle()
            #expect(meters.sum() == faulty.expected, "seed \(seed)")
        }
    }

    @Test func `corrections, batches and stored states give the same bytes as one after another`() throws {
        for seed in 1...12 as ClosedRange<UInt64> {
            var generator = SplitMix64(seed: seed)
            var reference = Meters()
            var split = Meters()
            reference.add(Meters.device(1))
            split.add(Meters.device(1))
            var value: Int64 = 5_000_000
            for minute in Int64(0)...600 {
                value += Int64.random(in: 0...30_000, using: &generator)
                let shown = generator.next() % 50 == 0 ? value + 40_000 : value
                reference.read(60 * minute, shown)
                split.read(60 * minute, shown)
                if generator.next() % 60 == 0 {
                    let from = 60 * Int64.random(in: 0...minute, using: &generator)
                    let id = UInt64(minute) + 10
                    let slot = from / 900 * 900
                    let (action, start, end): (Correction.Action, Int64, Int64) =
                        switch generator.next() % 4 {
                        case 0: (.drop, from, from + 61)
                        case 1: (.accept, from, from + 300)
                        case 2: (.segment(last: nil, first: nil), from, from)
                        default: (.amount(77_777), slot, slot + 2700)
                        }
                    try reference.decide(action, from: start, to: end, id: id)
                    try split.decide(action, from: start, to: end, id: id)
                }
                switch generator.next() % 20 {
                case 0: split.settle()
                case 1: split.state = try UsageState(decoding: split.state.encoded())
                default: break
                }
            }
            reference.settle()
            split.settle()
            let different = split.ledger.filter { reference.ledger[$0.key] != $0.value }.map(\.key.slot.index).sorted()
            #expect(different == [], "seed \(seed)")
            #expect(split.ledger.count == reference.ledger.count, "seed \(seed)")
            #expect(split.state.encoded() == reference.state.encoded(), "seed \(seed)")
            // And as if every correction had been known from the start.
            var known = Meters()
            known.add(Meters.device(1))
            for correction in reference.state.knownCorrections {
                known.apply(.command(correction.command(actor: "", decided: Timestamp(seconds: 0), reason: nil)))
            }
            known.archive = reference.archive
            for point in reference.archive.all(of: 1, .energyImport) { known.read(point.0, point.1) }
            try known.recompute()
            let other = zip(known.slots(), reference.slots()).filter { $0.sameAs != $1.sameAs }
            #expect(other.map(\.0.slot.index) == [], "seed \(seed)")
        }
    }

    @Test func `slots whose readings are no longer kept stay as they are`() throws {
        var meters = Meters()
        meters.add(Meters.device(1))
        for minute in Int64(0)...1200 { meters.read(60 * minute, 10_000 * minute) }
        meters.settle()
        // The ring has overwritten the first ten hours, and a bit of a slot.
        meters.archive.forget(before: Meters.start + 36_300)
        let before = meters.slots()
        try meters.decide(.drop, from: 3600, to: 7200)
        #expect(meters.slots() == before)
        try meters.decide(.drop, from: 32_400, to: 43_200, id: 2)
        #expect(meters.slots().prefix(41) == before.prefix(41))
        #expect(meters.slots().dropFirst(48) == before.dropFirst(48))
    }

    @Test func `a late reading of a time that the archive has given up changes nothing`() throws {
        for value in [905_000, 900_000, 50, 900_000_000] as [Int64] {
            var meters = Meters(revisesDecisions: true)
            meters.add(Meters.device(1))
            for minute in Int64(0)...1200 { meters.read(60 * minute, 10_000 * minute) }
            meters.settle()
            meters.archive.forget(before: Meters.start + 36_300)
            let before = meters.slots()
            meters.read(5_430, value)
            try meters.recompute()
            #expect(meters.slots() == before)
            #expect(meters.kinds == [.late])
            // What comes afterwards is counted as ever.
            meters.read(72_060, 12_010_000)
            try meters.recompute()
            #expect(meters.sum() == 12_010_000)
        }
    }

    @Test func `what comes in about a time before all slots is counted though the archive has given it up`() throws {
        var meters = Meters(revisesDecisions: true)
        meters.add(Meters.device(1))
        for minute in Int64(6000)...7200 { meters.read(60 * minute, 10_000 * minute) }
        meters.settle()
        meters.archive.forget(before: Meters.start + 60 * 6800)
        let before = meters.slots()
        // Ten hours of the weeks before, from another system.
        for minute in Int64(0)...600 { meters.read(60 * minute, 7_000 * minute) }
        try meters.recompute()
        #expect(meters.sum() == 12_000_000 + 600 * 7_000)
        #expect(meters.slots().suffix(before.count) == before[...])
        #expect(meters.slots().count == 40 + before.count)
    }

    @Test func `a series that fell silent long ago does not make a late reading work through all the time since`()
        throws
    {
        var meters = Meters()
        meters.add(Meters.device(1, role: .grid, watts: nil))
        meters.read(0, 0, .energyExport)
        meters.read(900, 100, .energyExport)
        for minute in Int64(0)...14_400 where minute != 14_350 { meters.read(60 * minute, 10_000 * minute) }
        meters.settle()
        _ = try meters.recompute()
        let before = meters.slots()
        meters.read(60 * 14_350, 10_000 * 14_350 - 5_000)
        let wanted = meters.state.takeRecomputes()
        #expect(wanted.count == 1)
        let counting = CountingArchive(meters.archive)
        let result = try meters.state.recomputation(of: wanted[0], from: counting)
        #expect(counting.count < 1_000)
        #expect(result.range.lowerBound >= Slot(containing: Timestamp(seconds: Meters.start + 60 * 14_300)))
        meters.state.ask(wanted[0])
        try meters.recompute()
        #expect(meters.slots().map(\.sameAs) == before.map(\.sameAs))
    }

    @Test func `a span long past is worked out without the years since`() throws {
        var meters = Meters()
        meters.add(Meters.device(1))
        for hour in Int64(0)...3000 { meters.read(3600 * hour, 50_000 * hour) }
        meters.settle()
        let counting = CountingArchive(meters.archive)
        let from = Timestamp(seconds: Meters.start + 3600 * 100)
        let result = try meters.state.recomputation(
            of: Recompute(device: Meters.id(1), channel: .total, from: from, to: from + 900_000, source: 1),
            from: counting)
        #expect(result.outcome == nil)
        #expect(counting.count < 400)
        #expect(result.changes(against: meters.slots().filter { result.range.contains($0.slot) }).isEmpty)
    }
}

/// Counts what is asked for.
private final class CountingArchive: ReadingArchive {
    var begin: Timestamp { archive.begin }
    private let archive: Archive
    var count = 0

    init(_ archive: Archive) { self.archive = archive }

    func readings(of series: SeriesKey, from: Timestamp, until: Timestamp, _ body: (Timestamp, Int64) -> Void) {
        archive.readings(of: series, from: from, until: until) {
            count += 1
            body($0, $1)
        }
    }
}

extension SlotUsage {
    /// All but which record changed it last.
    var sameAs: SlotUsage {
        var copy = self
        copy.source = 0
        return copy
    }
}
