import Metering
import Records
import Simulation
import Testing
import Timekeeping

@testable import Usage

struct SlotTests {
    @Test func `a delta across a border is split by time, rounded down, the rest in the last slot`() {
        var meters = Meters()
        meters.add(Meters.device(1))
        meters.read(890, 0)
        meters.read(920, 10_000)
        meters.settle()
        #expect(meters.slots().map(\.imported) == [3_333, 6_667])
        #expect(meters.slots().map(\.measuredTime) == [10_000, 20_000])
        #expect(meters.slots().map(\.quality) == [.partial, .partial])
    }

    @Test func `a late power in a hole moves the rounding of no slot after it`() {
        for late in 1...40 as ClosedRange<Int64> {
            var meters = Meters()
            meters.add(Meters.device(1))
            // Whole milliwatts for ten seconds are parts of a mWh.
            for t in stride(from: Int64(0), through: 6_000, by: 10) where !(1_000..<1_700).contains(t) {
                meters.read(t, 100_000 + t * 7919 % 991, .power)
            }
            meters.settle()
            let before = meters.slots().map(\.imported)
            meters.read(1_500, late * 13_331, .power)
            meters.settle()
            let after = meters.slots().map(\.imported)
            #expect(before[1] != after[1], "late \(late)")
            #expect(before.enumerated().allSatisfy { $0.offset == 1 || $0.element == after[$0.offset] }, "late \(late)")
            #expect(meters.state.openSlots(from: Slot(index: 0)).map(\.imported) == after, "late \(late)")
        }
    }

    @Test func `fifteen minutes are measured, a millisecond more is a gap`() {
        for (extra, estimated) in [(Int64(0), Int64(0)), (1, 900)] {
            var meters = Meters()
            meters.add(Meters.device(1))
            let series = meters.series(1, .energyImport)
            for (ms, value) in [(Int64(1000), Int64(0)), (901_000 + extra, 900)] {
                let time = Timestamp(milliseconds: Meters.start * 1000 + ms)
                meters.apply(.readings([Reading(series: series, time: time, received: time, value: value)]))
            }
            meters.settle()
            #expect(meters.sum() == 900)
            #expect(meters.slots().reduce(0) { $0 + $1.estimated } == estimated)
        }
    }

    @Test func `a gap is spread over its slots and marked, the total exact`() {
        var meters = Meters()
        meters.add(Meters.device(1))
        for t in stride(from: Int64(0), through: 900, by: 300) { meters.read(t, 1_000_000 + t * 10) }
        meters.read(900 + 3 * 900 + 450, 1_009_000 + 7_001)
        meters.settle()
        let slots = meters.slots()
        #expect(slots.map(\.imported) == [9_000, 2_000, 2_000, 2_000, 1_001])
        #expect(slots.map(\.quality) == [.measured, .estimated, .estimated, .estimated, .partial])
        #expect(slots.map(\.estimated) == [0, 2_000, 2_000, 2_000, 1_001])
        #expect(slots.map(\.filledTime) == [0, 900_000, 900_000, 900_000, 450_000])
    }

    @Test func `a late reading moves energy between slots and adds none`() {
        var meters = Meters()
        meters.add(Meters.device(1))
        meters.read(0, 0)
        meters.read(600, 60_000)
        meters.read(1200, 120_000)
        meters.settle()
        #expect(meters.slots().map(\.imported) == [90_000, 30_000])
        meters.read(900, 70_000)
        meters.settle()
        #expect(meters.slots().map(\.imported) == [70_000, 50_000])
        // One that contradicts its neighbours says nothing.
        meters.read(930, 69_000)
        meters.read(870, 130_000)
        meters.settle()
        #expect(meters.slots().map(\.imported) == [70_000, 50_000])
        #expect(meters.decisions.isEmpty)
    }

    @Test func `late readings give the same slots as the same readings in time`() {
        let readings: [(Int64, Int64)] = (0...20).map { ($0 * 400, $0 * $0 * 500) }
        var inTime = Meters()
        inTime.add(Meters.device(1))
        for (t, v) in readings { inTime.read(t, v) }
        inTime.settle()
        for seed in 1...50 as ClosedRange<UInt64> {
            var generator = SplitMix64(seed: seed)
            var shuffled = Meters()
            shuffled.add(Meters.device(1))
            // The last one first: nothing else can then be taken for a rise.
            for (t, v) in [readings[0], readings[20]] + readings[1..<20].shuffled(using: &generator) {
                // 8000 s stay below the lateness of two hours only for the second half.
                if 8000 - t > 7200, t > 0 { continue }
                shuffled.read(t, v)
                shuffled.settle()
            }
            var partly = Meters()
            partly.add(Meters.device(1))
            for (t, v) in readings where 8000 - t <= 7200 || t == 0 { partly.read(t, v) }
            partly.settle()
            #expect(
                shuffled.slots().map(\.imported) == partly.slots().map(\.imported), "seed \(seed)")
            #expect(
                shuffled.slots().map(\.measuredTime) == partly.slots().map(\.measuredTime), "seed \(seed)")
        }
        #expect(inTime.sum() == 200_000)
    }

    @Test func `a reading before the first one extends the series backwards`() {
        var meters = Meters()
        meters.add(Meters.device(1))
        meters.read(600, 60_000)
        meters.read(0, 10_000)
        meters.settle()
        #expect(meters.sum() == 50_000)
    }

    @Test func `readings over two hours late are counted and asked for again`() {
        var meters = Meters()
        meters.add(Meters.device(1))
        meters.read(0, 0)
        meters.read(7_300, 7_000)
        meters.read(50, 100)
        meters.read(1_000, 500)
        meters.settle()
        // 50 s is 7250 s late, 1000 s is not.
        #expect(meters.kinds == [.late])
        #expect(meters.state.late == 1)
        #expect(meters.sum() == 7_000)
        let asked = meters.state.takeRecomputes()
        #expect(asked.count == 1)
        #expect(asked.first?.from == Timestamp(seconds: Meters.start))
        #expect(asked.first?.to == Timestamp(seconds: Meters.start + 900))
        #expect(meters.state.takeRecomputes().isEmpty)
    }

    @Test func `power holds until the next reading, at most five and a half minutes`() {
        var meters = Meters()
        meters.add(Meters.device(1))
        meters.read(0, 1_000_000, .power)
        meters.read(60, 500_000, .power)
        meters.read(900, 0, .power)
        meters.settle()
        // 1 kW for 60 s and 0.5 kW for 330 s: 16 666.67 and 45 833.33 mWh.
        #expect(meters.sum() == 62_500)
        #expect(meters.slots().first?.measuredTime == 390_000)
        #expect(meters.slots().first?.exported == 0)
    }

    @Test func `no energy is lost in many small steps of power`() {
        var meters = Meters()
        meters.add(Meters.device(1))
        for t in 0...3600 as ClosedRange<Int64> { meters.read(t, 1_001, .power) }
        meters.settle()
        // 1.001 W for an hour, of which less than 1 mWh is still carried.
        #expect(meters.sum() == 1_001)
    }

    @Test func `the negative part of a power is exported`() {
        var meters = Meters()
        meters.add(Meters.device(1))
        for (t, w) in [(0, -1_000), (300, 600), (600, -300), (900, 0)] as [(Int64, Int64)] {
            meters.read(t, w * 1000, .power)
        }
        meters.settle()
        #expect(meters.sum() == 50_000)
        #expect(meters.sum(1, \.exported) == 83_333 + 25_000)
    }

    @Test func `power counts until there is a counter, and never beside it`() {
        var meters = Meters()
        meters.add(Meters.device(1))
        for t in stride(from: Int64(0), through: 3600, by: 60) {
            meters.read(t, 600_000, .power)
            // The counter appears in the third slot and says half of it.
            if t >= 2000 { meters.read(t, 5_000_000 + (t - 2000) * 1000 / 12, .energyImport) }
            meters.settle()
        }
        let imported = meters.slots().map(\.imported)
        #expect(imported[0] == 150_000)
        #expect(imported[1] == 150_000)
        #expect(imported[2]! < 75_000)
        #expect(imported[3] == 75_000)
        // Power without a sign stops saying anything about export.
        #expect(meters.slots()[3].exported == nil)
    }

    @Test(arguments: [true, false])
    func `beside an import counter a power that never was negative says nothing of export`(powerFirst: Bool) {
        var meters = Meters()
        meters.add(Meters.device(1))
        for minute in Int64(0)...30 {
            if powerFirst { meters.read(60 * minute, 1_000_000, .power) }
            meters.read(60 * minute, 5_000_000 + 16_000 * minute, .energyImport)
            if !powerFirst { meters.read(60 * minute, 1_000_000, .power) }
        }
        meters.settle()
        #expect(meters.slots().count == 3 && meters.slots().allSatisfy { $0.exported == nil })
        #expect(meters.sum() == 480_000)
    }

    @Test func `a total register gives way to an import register`() {
        var meters = Meters()
        meters.add(Meters.device(1))
        for t in stride(from: Int64(0), through: 1800, by: 60) {
            meters.read(t, t * 100, .energyTotal)
            meters.read(t, t * 50, .energyImport)
            meters.read(t, t * 20, .energyImportToday)
        }
        meters.settle()
        #expect(meters.sum() == 90_000)
    }

    @Test func `coverage is the least of the flows`() {
        var meters = Meters()
        meters.add(Meters.device(1, role: .grid, watts: nil))
        meters.read(0, 0, .energyImport)
        meters.read(0, 0, .energyExport)
        meters.read(600, 100, .energyExport)
        meters.read(900, 1000, .energyImport)
        meters.settle()
        #expect(meters.slots().first?.measuredTime == 600_000)
        #expect(meters.slots().first?.imported == 1000)
        #expect(meters.slots().first?.exported == 100)
    }

    @Test func `a source that lags does not undo what the others said`() {
        var meters = Meters()
        meters.add(Meters.device(1, role: .grid, watts: nil))
        meters.read(0, 0, .energyImport)
        meters.read(0, 0, .energyExport)
        // A night without export, then what came together all at once.
        for t in stride(from: Int64(60), through: 36_000, by: 60) {
            meters.read(t, t * 10, .energyImport)
            meters.settle()
        }
        meters.read(36_000, 4_000, .energyExport)
        meters.settle()
        let slots = meters.slots()
        #expect(slots.count == 40)
        #expect(slots.allSatisfy { $0.imported == 9_000 && $0.exported == 100 })
        #expect(meters.sum(1, \.exported) == 4_000)
    }

    @Test func `a source away too long books into open slots until all are worked out again`() throws {
        var meters = Meters()
        meters.add(Meters.device(1, role: .grid, watts: nil))
        meters.read(0, 0, .energyExport)
        let end: Int64 = 10 * 86_400
        for t in stride(from: Int64(0), through: end, by: 600) {
            meters.read(t, t * 10, .energyImport)
            meters.settle()
        }
        meters.read(end, 672_000, .energyExport)
        meters.settle()
        #expect(meters.sum(1, \.exported) == 672_000)
        #expect(meters.sum() == end * 10)
        #expect(meters.slots().filter { $0.exported != nil }.count == 672)
        #expect(meters.slots().allSatisfy { $0.imported == 9_000 })
        try meters.recompute()
        #expect(meters.slots().count == 960)
        #expect(meters.slots().allSatisfy { $0.imported == 9_000 && $0.exported == 700 })
    }

    @Test func `open slots show what is booked so far`() {
        var meters = Meters()
        meters.add(Meters.device(1))
        meters.read(0, 0)
        meters.read(300, 300)
        let slot = Slot(containing: Timestamp(seconds: Meters.start))
        #expect(meters.state.openSlots(from: slot).map(\.imported) == [300])
        #expect(meters.state.openSlot(device: Meters.id(1), channel: .total, slot: slot)?.imported == 300)
        #expect(meters.state.openSlot(device: Meters.id(2), channel: .total, slot: slot) == nil)
        #expect(meters.state.openSlots(from: slot.next).isEmpty)
    }
}
