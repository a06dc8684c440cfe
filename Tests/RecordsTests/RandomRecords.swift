import Metering
import Records
import Simulation
import Timekeeping

/// Valid records of every kind, with values at the ends of their ranges as often as between.
struct RandomRecords {
    var generator: SplitMix64

    mutating func record() -> Record {
        switch number(9) {
        case 0: .readings(readings())
        case 1: .device(device())
        case 2: .settings(settings())
        case 3: .command(command())
        case 4: .clock(ClockState(offset: integer(), synchronized: flag(), at: time()))
        case 5: gap()
        case 6: .slot(slot())
        case 7: .prices(prices())
        default: .unknown(kind: 9 + unsigned() / 2, body: (0..<number(400)).map { _ in UInt8(number(256)) })
        }
    }

    mutating func number(_ bound: Int) -> Int { Int.random(in: 0..<bound, using: &generator) }
    mutating func flag() -> Bool { Bool.random(using: &generator) }
    private mutating func unsigned() -> UInt64 { generator.next() >> UInt64(number(64)) }
    private mutating func integer() -> Int64 {
        switch number(8) {
        case 0: .min
        case 1: .max
        default: Int64(bitPattern: generator.next()) >> Int64(number(64))
        }
    }
    private mutating func optional() -> Int64? { flag() ? integer() : nil }
    mutating func time() -> Timestamp {
        let range = Timestamp.validRange
        switch number(10) {
        case 0: return range.lowerBound
        case 1: return range.upperBound
        default: return Samples.wall + Int64.random(in: -100_000...100_000, using: &generator)
        }
    }
    mutating func text(_ limit: Int) -> String {
        let letters = ["a", "Z", "ß", "€", "🔌", "\u{301}", " ", "\""]
        var text = ""
        for _ in 0..<number(limit) {
            let letter = letters[number(letters.count)]
            if text.utf8.count + letter.utf8.count <= limit { text += letter }
        }
        return text
    }
    private mutating func id<Kind>() -> PermanentID<Kind> { PermanentID(using: &generator) }

    private mutating func readings() -> [Reading] {
        var received = time()
        return (0..<number(40)).map { _ in
            if number(4) == 0 { received = time() }
            return Reading(
                series: SeriesNumber(UInt32(number(65_536))), time: flag() ? received : time(), received: received,
                value: integer(), flags: ReadingFlags(rawValue: flag() ? 0 : UInt16(number(65_536))))
        }
    }

    private mutating func device() -> Device {
        Device(
            id: id(), name: text(64), role: DeviceRole.allCases[number(5)], family: text(64), profile: text(64),
            profileVersion: UInt32(truncatingIfNeeded: generator.next()), model: text(128), ratingWatts: optional(),
            parent: flag() ? id() : nil,
            counters: (0..<number(5)).map { _ in
                Counter(
                    quantity: Quantity(code: UInt16(number(65_536))), counterClass: CounterClass.allCases[number(6)],
                    step: integer(), modulus: optional())
            },
            bindings: (0..<number(4)).map { _ in Binding(address: text(256)) }, validFrom: time())
    }

    mutating func price() -> Decimal {
        let nano = Int64.random(in: -999_999_999_999_999_999...999_999_999_999_999_999, using: &generator)
        return Decimal(atto: Int128(nano >> Int64(number(60))) * 1_000_000_000)
    }

    private mutating func settings() -> HomeSettings {
        HomeSettings(
            name: text(64), zone: text(64),
            tariffs: (0..<number(4)).map { _ in tariff() }, validFrom: time(),
            billingDay: BillingDay(number(3) == 0 ? 31 : 1 + number(28))!)
    }

    private mutating func command() -> Command {
        Command(
            id: id(), actor: text(256), verb: Command.Verb.allCases[number(6)],
            arguments: (0..<number(5)).map { _ in .init(name: text(64), value: text(300)) })
    }

    private mutating func gap() -> Record {
        let ends = [unsigned(), unsigned()].sorted()
        return .gap(Gap(epoch: unsigned(), first: ends[0], end: ends[1], reason: flag() ? .overwritten : .damaged))
    }

    private mutating func slot() -> SlotUsage {
        SlotUsage(
            device: id(), channel: flag() ? .total : .output(number(1000)), slot: Slot(containing: time()),
            imported: optional(), exported: optional(), produced: optional(), charged: optional(),
            discharged: optional(), estimated: integer(), measuredTime: Int64(number(900_001)),
            filledTime: Int64(number(900_001)), source: unsigned())
    }
}
