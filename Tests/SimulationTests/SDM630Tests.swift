import Metering
import Simulation
import Testing
import Timekeeping

@Suite struct SDM630Tests {
    private func value(_ words: [UInt16], _ address: Int) -> Float {
        Float(bitPattern: UInt32(words[address]) << 16 | UInt32(words[address + 1]))
    }

    /// Addresses are those of the maker's register list.
    @Test func `the registers hold what the house's meter holds`() {
        var house = house(seed: 12)
        for hour in 1...24 as ClosedRange<Int64> {
            house.advance(to: midsummer + hour * Span.hour)
            let words = SDM630.inputRegisters(house)
            #expect(words.count == SDM630.wordCount)
            let meter = house.meter
            func near(_ address: Int, _ expected: Int64, _ tolerance: Float = 0.001) -> Bool {
                abs(value(words, address) - Float(expected) / 1000) <= tolerance
            }
            for phase in 0..<3 {
                #expect(near(2 * phase, house.supply.millivolts[phase]))
                #expect(near(0x0C + 2 * phase, meter.phases[phase].milliwatts))
                let apparent = value(words, 0x12 + 2 * phase)
                let current = value(words, 0x06 + 2 * phase)
                #expect(abs(apparent - current * value(words, 2 * phase)) < 0.5)
                #expect(near(0x15A + 2 * phase, meter.phases[phase].importMilliwattHours / 1000, 0.002))
                #expect(near(0x160 + 2 * phase, meter.phases[phase].exportMilliwattHours / 1000, 0.002))
            }
            #expect(near(0x34, meter.total.milliwatts))
            #expect(value(words, 0x34) < 0 || value(words, 0x3E) > 0)
            #expect(value(words, 0x34) > 0 || value(words, 0x3E) < 0)
            #expect(abs(value(words, 0x34) - value(words, 0x0C) - value(words, 0x0E) - value(words, 0x10)) < 0.01)
            #expect(near(0x46, house.supply.millihertz))
            #expect(near(0x48, meter.total.importMilliwattHours / 1000, 0.002))
            #expect(near(0x4A, meter.total.exportMilliwattHours / 1000, 0.002))
            #expect((390...412).contains(value(words, 0xC8)))
            #expect(value(words, 0xE0) >= 0)
        }
    }

    @Test func `history shows the same as the registers`() throws {
        var house = house(seed: 12)
        house.advance(to: midsummer + 13 * Span.hour)
        let words = SDM630.inputRegisters(house)
        let readings = house.readings(of: 0)
        func shown(_ quantity: Quantity, _ channel: Channel = .total) throws -> Int64 {
            try #require(readings.first { $0.quantity == quantity && $0.channel == channel }).value
        }
        #expect(try shown(.power) == Thousandths.from(Double(value(words, 0x34))))
        #expect(try shown(.energyImport) == Thousandths.from(Double(value(words, 0x48)), scale: Scale(1000)))
        #expect(try shown(.energyExport) == Thousandths.from(Double(value(words, 0x4A)), scale: Scale(1000)))
        #expect(try shown(.voltage, .phase(2)) == Thousandths.from(Double(value(words, 0x02))))
        #expect(try shown(.current, .phase(3)) == Thousandths.from(Double(value(words, 0x0A))))
        let third = Thousandths.from(Double(value(words, 0x15E)), scale: Scale(1000))
        #expect(try shown(.energyImport, .phase(3)) == third)
    }
}
