import Metering
import Testing
import Timekeeping

@testable import Usage

/// One rule of the counters: readings as (seconds, Wh), what is booked in Wh, and the decisions.
struct CounterCase: CustomTestStringConvertible, Sendable {
    var name: String
    var counterClass = CounterClass.lifetime
    var step: Int64 = 1
    var modulus: Int64?
    var readings: [(Int64, Int64)]
    var booked: Int64
    var decisions: [Decision.Kind] = []
    var testDescription: String { name }

    static let all: [CounterCase] = [
        CounterCase(name: "the first reading books nothing", readings: [(0, 5000)], booked: 0),
        CounterCase(name: "rises are booked", readings: [(0, 5000), (60, 5010), (120, 5020)], booked: 20),
        CounterCase(
            name: "two steps of noise are jitter, and the mark stays",
            readings: [(0, 5000), (60, 5010), (120, 5008), (180, 5009), (240, 5012)], booked: 12,
            decisions: [.jitter]),
        CounterCase(
            name: "a momentary zero is no reset", readings: [(0, 5000), (60, 0), (120, 0), (180, 0), (240, 5010)],
            booked: 10, decisions: [.suspect, .cancelled]),
        CounterCase(
            name: "zeros never confirm, however long they last",
            readings: [(0, 5000)] + (1...120).map { ($0 * 60, 0) } + [(7260, 5010)], booked: 10,
            decisions: [.suspect, .cancelled]),
        CounterCase(
            name: "a dip that returns books the difference",
            readings: [(0, 5000), (60, 4000), (120, 4001), (180, 5003)], booked: 3, decisions: [.suspect, .cancelled]),
        CounterCase(
            name: "a return within the noise is a return",
            readings: [(0, 5000), (60, 4000), (120, 4998), (180, 5003)], booked: 3,
            decisions: [.suspect, .jitter, .cancelled]),
        CounterCase(
            name: "a lifetime counter that fell goes on from there, the step not booked",
            readings: [(0, 5000), (60, 5010), (120, 3), (180, 8), (240, 13), (300, 20)], booked: 10 + 17,
            decisions: [.suspect, .reset]),
        CounterCase(
            name: "a partial roll-back is a new segment",
            readings: [(0, 5000), (60, 4900), (120, 4905), (180, 4910), (240, 4960)], booked: 10 + 50,
            decisions: [.suspect, .reset]),
        CounterCase(
            name: "two readings do not confirm", readings: [(0, 5000), (60, 10), (180, 20)], booked: 0,
            decisions: [.suspect]),
        CounterCase(
            name: "59 seconds do not confirm", readings: [(0, 5000), (10, 10), (30, 11), (50, 12), (69, 13)], booked: 0,
            decisions: [.suspect]),
        CounterCase(
            name: "falling again starts the count anew",
            readings: [(0, 5000), (60, 400), (120, 405), (180, 100), (240, 110), (300, 120)], booked: 20,
            decisions: [.suspect, .reset]),
        CounterCase(
            name: "the first value of a volatile counter counts from zero", counterClass: .volatile,
            readings: [(0, 5000), (60, 5010), (120, 3), (180, 8), (240, 13)], booked: 10 + 13,
            decisions: [.suspect, .reset]),
        CounterCase(
            name: "a volatile counter that fell but not to zero does not count its level", counterClass: .volatile,
            readings: [(0, 5000), (60, 4000), (120, 4008), (180, 4013)], booked: 13, decisions: [.suspect, .reset]),
        CounterCase(
            name: "a resettable counter is as a lifetime one", counterClass: .resettable,
            readings: [(0, 5000), (60, 2), (120, 5), (180, 9)], booked: 7, decisions: [.suspect, .reset]),
        CounterCase(
            name: "a period counter falls at midnight without a word", counterClass: .period,
            readings: [(0, 5000), (60, 5010), (120, 0), (180, 0), (240, 2), (300, 4), (360, 6)], booked: 10 + 6),
        CounterCase(
            name: "a period counter that blinks loses nothing", counterClass: .period,
            readings: [(0, 5000), (60, 0), (120, 5010)], booked: 10, decisions: [.cancelled]),
        CounterCase(
            name: "a register passes its modulus", modulus: 9_999_990,
            readings: [(0, 9_999_970), (60, 9_999_980), (120, 5), (180, 15)], booked: 10 + 15 + 10,
            decisions: [.rollover]),
        CounterCase(
            name: "a zero far below the modulus is a glitch", modulus: 9_999_990,
            readings: [(0, 9_900_000), (60, 0), (120, 9_900_010)], booked: 10, decisions: [.suspect, .cancelled]),
        CounterCase(
            name: "a spike is not booked", readings: [(0, 5000), (60, 9_000_000), (120, 5010)], booked: 10,
            decisions: [.quarantined, .cancelled]),
        CounterCase(
            name: "a level that holds 3 readings and 10 minutes is a segment, the step not booked",
            readings: [(0, 5000), (60, 9_000_000), (360, 9_000_010), (660, 9_000_020), (960, 9_000_030)],
            booked: 30, decisions: [.quarantined, .newSegment]),
        CounterCase(
            name: "a level of 9 minutes is none",
            readings: [(0, 5000), (60, 9_000_000), (360, 9_000_010), (600, 9_000_020)],
            booked: 0, decisions: [.quarantined]),
        CounterCase(
            name: "a rise of the rating and one step is believed",
            readings: [(0, 5000), (3600, 5000 + 3701)], booked: 3701),
        CounterCase(
            name: "one mWh more is not", readings: [(0, 5000), (3600, 5000 + 3702)], booked: 0,
            decisions: [.quarantined]),
        CounterCase(
            name: "negative registers and those over 10^12 Wh are never levels",
            readings: [(0, 5000), (60, -5), (120, 1_000_000_000_001), (180, 5010)], booked: 10,
            decisions: [.quarantined, .quarantined]),
        CounterCase(
            name: "a silence of over 400 days is not spread",
            readings: [(0, 5000), (34_560_001, 9000), (34_560_061, 9010)],
            booked: 10, decisions: [.newSegment]),
        CounterCase(
            name: "a silence of 400 days is", readings: [(0, 5000), (34_560_000, 9000)], booked: 4000),
        CounterCase(
            name: "a volatile counter jitters, rolls over and spikes as any other", counterClass: .volatile,
            modulus: 9_999_990,
            readings: [(0, 9_999_960), (60, 9_999_959), (120, 12_000_000), (180, 9_999_970), (240, 10)],
            booked: 10 + 30, decisions: [.jitter, .quarantined, .cancelled, .rollover]),
        CounterCase(
            name: "a volatile counter that shows zeros at boot counts from there", counterClass: .volatile,
            readings: [(0, 5000), (60, 0), (120, 0), (180, 4), (240, 8), (300, 12)], booked: 12,
            decisions: [.suspect, .reset]),
        CounterCase(
            name: "a resettable counter jitters and blinks as any other", counterClass: .resettable,
            readings: [(0, 5000), (60, 4999), (120, 0), (180, 5010)], booked: 10,
            decisions: [.jitter, .suspect, .cancelled]),
        CounterCase(
            name: "a period counter never rises above the rating", counterClass: .period,
            readings: [(0, 100), (60, 90_000), (120, 110)], booked: 10, decisions: [.quarantined, .cancelled]),
        CounterCase(
            name: "a period counter that starts again above zero does not count its level", counterClass: .period,
            readings: [(0, 5000), (60, 900), (120, 905), (180, 910)], booked: 10,
            decisions: [.reset]),
        CounterCase(
            name: "a level ten times as high that does not hold is a blink",
            readings: [(0, 50_000), (60, 500_010), (120, 50_020)], booked: 20, decisions: [.quarantined, .cancelled]),
        CounterCase(
            name: "a spike on top of a fall", readings: [(0, 5000), (60, 10), (120, 9_000_000), (180, 5003)], booked: 3,
            decisions: [.suspect, .quarantined, .cancelled]),
    ]
}

struct CounterTests {
    @Test(arguments: CounterCase.all)
    func `each rule books what it says`(_ rule: CounterCase) {
        var meters = Meters()
        let counter = Counter(
            quantity: .energyImport, counterClass: rule.counterClass, step: rule.step * 1000,
            modulus: rule.modulus.map { $0 * 1000 })
        meters.add(Meters.device(1, counters: [counter]))
        for (seconds, value) in rule.readings {
            meters.read(seconds, value * 1000)
            // One record at a time and one take: the strictest split.
            meters.settle()
        }
        #expect(meters.sum() == rule.booked * 1000)
        #expect(meters.kinds == rule.decisions)
        #expect(meters.slots().allSatisfy { $0.exported == nil })
    }

    @Test(arguments: [
        (60, 50_000_010, "unit jump ×1000"), (60, 500_100, "unit jump ×10"), (60, 50, "unit jump ÷1000"),
        (60, 5001, "unit jump ÷10"), (60, 90_000_000, "rise above rating"), (60, 3000, "fall"),
        // In an hour the plug could have got anywhere near.
        (14_400, 500_100, "rise above rating"),
    ])
    func `a step by a power of ten is named so, and held like any other`(after: Int64, value: Int64, rule: String) {
        var meters = Meters()
        meters.add(Meters.device(1))
        meters.read(0, 50_000_000)
        meters.read(after, value * 1000)
        meters.settle()
        #expect(meters.decisions.map(\.rule) == [rule])
        #expect(meters.sum() == 0)
        for minute in Int64(1)...11 { meters.read(after + 60 * minute, value * 1000 + minute) }
        meters.settle()
        #expect(meters.sum() == 11)
        if rule.hasPrefix("unit") { #expect(meters.decisions.map(\.rule) == [rule, rule]) }
    }

    @Test func `a net register that leaps either way is held back`() {
        var meters = Meters()
        meters.add(Meters.device(1, role: .grid))
        for (t, wh) in [(0, 100), (60, 90_000), (120, 110), (180, -90_000), (240, 105)] as [(Int64, Int64)] {
            meters.read(t, wh * 1000, .energyNet)
        }
        meters.settle()
        #expect(meters.sum() == 10_000)
        #expect(meters.sum(1, \.exported) == 5_000)
        #expect(meters.kinds.filter { $0 == .quarantined }.count == 4)
    }

    @Test func `an amount above the rating or below zero is quarantined`() {
        var meters = Meters()
        meters.add(Meters.device(1))
        for (t, wh) in [(0, 10), (60, 4000), (120, -3), (180, 20)] as [(Int64, Int64)] {
            meters.read(t, wh * 1000, .energyImportDelta)
        }
        meters.settle()
        #expect(meters.sum() == 30_000)
        #expect(meters.decisions.map(\.rule) == ["amount above rating", "negative amount"])
    }

    @Test func `retained readings book nothing and move nothing`() {
        var meters = Meters()
        meters.add(Meters.device(1))
        meters.read(0, 5_000_000)
        meters.read(60, 5_020_000, flags: .retained)
        meters.read(70, 0, flags: .retained)
        meters.read(120, 5_010_000)
        meters.settle()
        #expect(meters.sum() == 10_000)
        #expect(meters.decisions.isEmpty)
    }

    @Test func `a net register splits into rises and falls`() {
        var meters = Meters()
        meters.add(Meters.device(1, role: .grid, watts: nil))
        for (t, wh) in [(0, 100), (300, 150), (600, 40), (900, -20), (1200, 10)] as [(Int64, Int64)] {
            meters.read(t, wh * 1000, .energyNet)
        }
        meters.settle()
        #expect(meters.sum() == 80_000)
        #expect(meters.sum(1, \.exported) == 170_000)
        #expect(meters.decisions.isEmpty)
    }

    @Test func `a total register whose profile says net has both flows`() {
        var meters = Meters()
        let counter = Counter(quantity: .energyTotal, counterClass: .net, step: 1000)
        meters.add(Meters.device(1, role: .grid, watts: nil, counters: [counter]))
        for (t, wh) in [(0, 100), (300, 150), (600, 40)] as [(Int64, Int64)] { meters.read(t, wh * 1000, .energyTotal) }
        meters.settle()
        #expect(meters.sum() == 50_000)
        #expect(meters.sum(1, \.exported) == 110_000)
    }

    @Test func `an amount is added once, whatever is delivered twice or late`() {
        var meters = Meters()
        meters.add(Meters.device(1))
        for (t, wh) in [(330, 10), (600, 20), (600, 20), (1200, 40), (900, 30), (900, 30), (330, 10), (1500, 50)]
            as [(Int64, Int64)]
        {
            meters.read(t, wh * 1000, .energyImportDelta)
            meters.settle()
        }
        meters.read(1500, 50_000, .energyImportDelta, flags: .retained)
        meters.settle()
        #expect(meters.sum() == 150_000)
        #expect(meters.slots().map(\.imported) == [60_000, 90_000])
        // The first amount reaches back as far as a value holds, no farther.
        #expect(meters.slots().map(\.measuredTime) == [900_000, 600_000])
        #expect(meters.slots().allSatisfy { $0.estimated == 0 })
    }

    @Test func `a counter of no energy makes no slots`() {
        var meters = Meters()
        meters.read(0, 5_000_000, .voltage)
        meters.read(900, 5_000_000, .temperature)
        meters.settle()
        #expect(meters.ledger.isEmpty)
    }
}
