import Foundation
import Metering
import Testing
import Timekeeping

@Suite struct WordsTests {
    @Test func `a channel is 1 to 15 bytes of a to z, digits and underscores`() {
        for good in ["total", "l1", "0", "12", "dc_1", "abcdefghijklmno"] { #expect(Channel(good)?.name == good) }
        for bad in ["", "L1", "a b", "ä", "a-b", "a/b", "abcdefghijklmnop", "a\u{0}", "१"] {
            #expect(Channel(bad) == nil, "\(bad)")
        }
        #expect(Channel("xl1y".dropFirst().dropLast()) == .phase(1))
        #expect(Channel.total.name == "total" && Channel.output(0).name == "0")
        #expect(Channel.phase(1) < Channel.phase(2) && Channel.output(1) < .total)
    }

    @Test func `an identity is 32 lower-case hexadecimal digits, there and back`() throws {
        let id = DeviceID(high: 0x0123_4567_89AB_CDEF, low: 0x0000_0000_0000_000F)
        #expect(id.description == "0123456789abcdef000000000000000f")
        #expect(DeviceID(id.description) == id)
        let text = id.description
        for bad in [
            "", String(text.dropLast()), text + "0", text.uppercased(), "g" + text.dropFirst(), "é" + text.dropFirst(2),
        ] {
            #expect(DeviceID(bad) == nil, "\(bad)")
        }
        #expect(DeviceID(high: 1, low: .max) < DeviceID(high: 2, low: 0))
        var generator = SystemRandomNumberGenerator()
        for _ in 0..<100 {
            let random = DeviceID(using: &generator)
            #expect(DeviceID(random.description) == random)
        }
    }

    @Test func `quantity codes and names are unique and never change`() throws {
        let file = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
            .appendingPathComponent("Fixtures/quantities.txt")
        let lines = Quantity.all.map { "\($0.code) \($0.name) \($0.unit) \($0.behaviour)" }
        if ProcessInfo.processInfo.environment["UPDATE_GOLDEN"] != nil {
            try (lines.joined(separator: "\n") + "\n").write(to: file, atomically: true, encoding: .utf8)
        }
        let golden = try String(contentsOf: file, encoding: .utf8).split(separator: "\n").map(String.init)
        #expect(lines == golden)
        #expect(Set(Quantity.all.map(\.code)).count == lines.count)
        #expect(Set(Quantity.all.map(\.name)).count == lines.count)
        for quantity in Quantity.all { #expect(Quantity(name: quantity.name) == quantity) }
    }

    @Test func `a name is never invented, a code of a later version is kept`() {
        for bad in ["", "Power", "energy", "quantity_1", "power "] { #expect(Quantity(name: bad) == nil) }
        for code in [UInt16(0), 35, 63, 74, 75, .max] {
            let unknown = Quantity(code: code)
            #expect(unknown.name == "quantity_\(code)" && unknown.unit.isEmpty && unknown.behaviour == .gauge)
        }
    }

    @Test func `the shorthands mean what they say`() {
        let named: [(Quantity, String)] = [
            (.power, "power"), (.apparentPower, "apparent_power"), (.reactivePower, "reactive_power"),
            (.voltage, "voltage"), (.current, "current"), (.frequency, "frequency"), (.powerFactor, "power_factor"),
            (.energyImport, "energy_import"), (.energyExport, "energy_export"), (.energyTotal, "energy_total"),
            (.energyNet, "energy_net"), (.energyImportToday, "energy_import_today"),
            (.energyImportYesterday, "energy_import_yesterday"), (.energyImportDelta, "energy_import_delta"),
            (.energyExportDelta, "energy_export_delta"), (.productionPower, "production_power"),
            (.productionEnergy, "production_energy"), (.batteryPower, "battery_power"),
            (.batteryChargeEnergy, "battery_charge_energy"), (.batteryDischargeEnergy, "battery_discharge_energy"),
            (.temperature, "temperature"), (.switch, "switch"), (.available, "available"),
            (.brokerConnected, "gateway_broker_connected"), (.busErrors, "gateway_bus_errors"),
            (.busRequests, "gateway_bus_requests"), (.messages, "gateway_messages"),
            (.messagesRejected, "gateway_messages_rejected"), (.diskFree, "gateway_disk_free"),
            (.diskWritten, "gateway_disk_written"), (.clockSynchronized, "gateway_clock_synchronized"),
        ]
        for (quantity, name) in named { #expect(quantity.name == name) }
    }

    @Test func `quality follows its table, whatever the times`() {
        let span = Slot.length
        let cases: [(Int64, Int64, Quality)] = [
            (span, 0, .measured), (span, span, .measured), (span - 1, 1, .estimated), (0, span, .estimated),
            (span - 1, 0, .partial), (1, 0, .partial), (0, 1, .partial), (0, 0, .missing), (.max, .max, .measured),
            (0, .max, .estimated), (.min, .max, .estimated), (.min, .min, .missing),
        ]
        for (measured, filled, quality) in cases {
            #expect(Quality(measured: measured, filled: filled, of: span) == quality, "\(measured) \(filled)")
        }
    }

    @Test func `a counter from a broken file stays within bounds`() {
        func counter(_ step: Int64, _ modulus: Int64?) -> Counter {
            Counter(quantity: .energyImport, counterClass: .lifetime, step: step, modulus: modulus)
        }
        #expect(counter(.min, 0).step == 1 && counter(.max, -1).step == Counter.maximumStep)
        #expect(counter(1, 0).modulus == nil && counter(1, .max).modulus == nil && counter(1, 9).modulus == 9)
        var device = Device(id: DeviceID(high: 0, low: 1), name: "x", family: "tasmota", validFrom: .init(seconds: 0))
        #expect(device.plausibleWatts == Device.mainFuseWatts)
        device.ratingWatts = .max
        #expect(device.plausibleWatts == 1_000_000_000)
        device.ratingWatts = .min
        #expect(device.plausibleWatts == Device.mainFuseWatts)
        #expect(device.counter(for: .energyImportDelta).counterClass == .delta)
        #expect(device.counter(for: .energyImportToday).counterClass == .period)
        #expect(device.counter(for: .energyNet).counterClass == .net)
        #expect(device.counter(for: .energyImport).counterClass == .lifetime)
    }
}
