import Foundation
import Modbus
import Simulation
import Testing

/// From the wire to the terminal: what was published is what is printed, to the milliwatt-hour.
@Suite(.serialized, .timeLimit(.minutes(3)))
struct UsageEndToEndTests {
    @Test func `a day of 25 hours is exact by slot, hour, day and month`() async throws {
        try await withHome { home in
            let daemon = try await home.startDaemon()
            try await home.awaitStage("mqtt", "ok")
            let house = AutumnHouse()
            let publisher = try await Publisher(home)
            for meter in house.meters { try await publisher.publish(meter) }
            try await home.awaitImport("grid", since: house.since, milliwattHours: house.gridImport)
            try await home.awaitImport("boiler", since: house.since, milliwattHours: house.boilerImport)
            for period in AutumnHouse.Period.allCases {
                let rows = try await home.rows("usage", "--by", period.rawValue, "--since", house.since)
                let expected = house.rows(by: period)
                #expect(rows.count == expected.count, "by \(period)")
                for (row, wanted) in zip(rows, expected) { #expect(row == wanted, "by \(period)") }
            }
            #expect(await daemon.stop() == .exited(code: 0))
        }
    }

    @Test func `the same usage comes as a table and as CSV`() async throws {
        try await withHome { home in
            _ = try await home.startDaemon()
            let house = AutumnHouse()
            let publisher = try await Publisher(home)
            for meter in house.meters { try await publisher.publish(meter) }
            try await home.awaitImport("grid", since: house.since, milliwattHours: house.gridImport)
            try await home.awaitImport("boiler", since: house.since, milliwattHours: house.boilerImport)
            let expected = house.rows(by: .day)

            let csv = try await home.energyctl("usage", "--by", "day", "--since", house.since, "-o", "csv")
            let lines = csv.output.split(separator: "\n").map {
                $0.split(separator: ",", omittingEmptySubsequences: false)
            }
            let header = try #require(lines.first).map(String.init)
            #expect(header.prefix(5) == ["from", "device", "channel", "import_wh", "export_wh"])
            #expect(lines.count == expected.count + 1)
            for (line, row) in zip(lines.dropFirst(), expected) {
                for (name, cell) in zip(header, line) where name != "produced_wh" {
                    #expect(String(cell) == (row[name] == "null" ? "" : row[name]), "\(name) of \(row)")
                }
            }

            let table = try await home.energyctl("usage", "--by", "day", "--since", house.since)
            let printed = table.output.split(separator: "\n")
            #expect(printed.count == expected.count + 1)
            #expect(printed.first?.hasPrefix("DAY") == true)
            let cells = try #require(printed.dropFirst().first).split(separator: " ").map(String.init)
            // People get kWh; columns that would say nothing, and the currency in each row, are left out.
            let kilowattHours = [expected[0]["import_wh"], expected[0]["export_wh"]].map { wattHours in
                String(format: "%.3f", (Double(wattHours) ?? .nan) / 1000)
            }
            #expect(Array(cells.prefix(2)) == ["2025-10-26", "home"])
            #expect(Array(cells.dropFirst(2).prefix(2)) == kilowattHours)
            #expect(printed.first?.contains("EUR") == true)
            #expect(cells.last == "measured")
            #expect(!table.output.contains("\u{1B}"), "no colours into a pipe")
        }
    }

    @Test func `a Tasmota plug and an SDM630 are booked to the last step of their counters`() async throws {
        let meter = try ModbusServer()
        meter.addUnit(1, holding: 0..<1, input: 0..<0x200)
        meter.setKilowattHours(100)
        let modbus = """
            [[modbus]]
            bus = "tcp://127.0.0.1:\(meter.port)"
            [[modbus.device]]
            name = "grid"
            profile = "eastron_sdm630"
            interval = "200ms"

            """
        try await withHome(configuration: modbus) { home in
            let daemon = try await home.startDaemon()
            try await home.awaitStage("mqtt", "ok")
            let publisher = try await Publisher(home)
            // Its past enters by energy/washer; the plug itself then speaks as Tasmota does.
            let now = Int64(Date().timeIntervalSince1970)
            let past: [(time: Int64, value: Int64)] = [(now - 1200, 12_000_000), (now - 600, 12_100_000)]
            try await publisher.publish(Meter(device: "washer", counters: ["energy_import": past]))
            try await eventually("the washer's past is there") {
                try await home.rows("readings", "--device", "washer").contains { $0["value"] == "12100" }
            }
            try await publisher.publish("tele/washer/LWT", "Online")
            try await publisher.publish("tele/washer/SENSOR", Self.sensor(kilowattHours: "12.345", watts: 230))
            try await home.awaitImport("washer", since: "-2h", milliwattHours: 345_000)

            // 1/64 kWh: what a float holds exactly, and what 69 kW need less than a second for.
            try await eventually("the meter was read") {
                try await home.rows("readings", "--device", "grid", "--quantity", "energy_import")
                    .contains { $0["value"] == "100000" }
            }
            meter.setKilowattHours(100.015625)
            try await home.awaitImport("grid", since: "-2h", milliwattHours: 15_625)

            let devices = try await home.rows("devices")
            let washer = try #require(devices.first { $0["device"] == "washer" })
            #expect(washer["available"] == "true")
            #expect(washer["power_w"] == "230")
            #expect(washer["bindings"] == #"["mqtt:energy:washer","mqtt:tasmota:washer"]"#)
            let grid = try #require(devices.first { $0["device"] == "grid" })
            #expect(grid["role"] == "grid")
            #expect(grid["model"] == "SDM630")
            let voltages = try await home.rows(
                "readings", "--device", "grid", "--quantity", "voltage", "--channel", "l2")
            #expect(voltages.map { $0["value"] } == ["230.5"])
            #expect(voltages.map { $0["unit"] } == ["V"])
            let loads = try await home.rows("readings", "--device", "washer", "--quantity", "power")
            #expect(loads.map { $0["value"] } == ["230"])
            #expect(await daemon.stop() == .exited(code: 0))
        }
    }

    private static func sensor(kilowattHours: String, watts: Int) -> String {
        """
        {"Time":"2026-01-01T00:00:00","ENERGY":{"TotalStartTime":"2024-01-01T00:00:00","Total":\(kilowattHours),\
        "Yesterday":0.100,"Today":0.200,"Power":\(watts),"ApparentPower":240,"ReactivePower":66,"Factor":0.96,\
        "Voltage":230,"Current":1.043}}
        """
    }
}

extension ModbusServer {
    /// The registers of an SDM630 that the tests look at: 32-bit floats, high word first.
    func setKilowattHours(_ value: Float) {
        set(0x0048, value)
        set(0x0000, 229.5)
        set(0x0002, 230.5)
        set(0x0004, 231.5)
    }

    private func set(_ address: Int, _ value: Float) {
        let bits = value.bitPattern
        setWords(
            unit: 1, function: .input, address: address,
            words: [UInt16(bits >> 16), UInt16(truncatingIfNeeded: bits)])
    }
}
