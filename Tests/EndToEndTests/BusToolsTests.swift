import Simulation
import Testing
import Timekeeping

/// `energyctl modbus …` and `bus top` against meters that answer as real ones do, alone and through a daemon that owns
/// the bus.
@Suite(.serialized, .timeLimit(.minutes(3)))
struct BusToolsTests {
    private static let meter: UInt8 = 2
    private static let inverter: UInt8 = 126
    /// A July morning in Berlin.
    private let house: House = {
        var house = House(HouseSettings(seed: 5), start: Timestamp(seconds: 1_751_364_000))
        house.advance(to: house.start + 90 * Span.minute)
        return house
    }()

    private func server() throws -> ModbusServer {
        let server = try ModbusServer()
        server.addGridMeter(of: house, unit: Self.meter)
        server.addInverter(of: house, unit: Self.inverter)
        return server
    }

    @Test(arguments: [false, true]) func `a bus tells what is on it, with a daemon that owns it and without`(
        isOwned: Bool
    ) async throws {
        let server = try server()
        let bus = "tcp://127.0.0.1:\(server.port)"
        let modbus = """
            [[modbus]]
            bus = "\(bus)"
            [[modbus.device]]
            name = "grid"
            profile = "eastron_sdm630"
            unit = \(Self.meter)
            interval = "500ms"
            [[modbus.device]]
            name = "roof"
            profile = "sunspec_103"
            unit = \(Self.inverter)
            interval = "500ms"

            """
        try await withHome(broker: false, configuration: isOwned ? modbus : "") { home in
            if isOwned { _ = try await home.startDaemon() }
            let units = try await home.rows("modbus", "scan", bus, "--units", "1-3,126")
            #expect(units.map { $0["unit"] } == ["2", "126"])
            #expect(units[0]["profiles"].contains("eastron_sdm630"), "\(units[0])")
            #expect(units[1]["profiles"].contains("sunspec_103"), "\(units[1])")

            let chain = try await home.rows("modbus", "sunspec", bus, "--unit", "126")
            #expect(chain.map { $0["model"] } == ["1", "103"])
            #expect(chain.map { $0["address"] } == ["40002", "40070"])
            #expect(chain.map { $0["length"] } == ["66", "50"])
            let drawn = try await home.energyctl("modbus", "sunspec", bus, "--unit", "126").output
            #expect(drawn.hasPrefix("energysim Roof 6k, serial number 7E57-0001\n"), "\(drawn)")
            let none = try await home.energyctl("modbus", "sunspec", bus, "--unit", "2")
            #expect(none.code == 4 && none.errors.contains("no `SunS`"), "\(none.errors)")

            let read = try await home.energyctl(
                "modbus", "read", bus, "--unit", "126", "--address", "40000", "--count", "4", "-o", "json")
            #expect(read.output.hasPrefix("{\"words\":[21365,28243,1,66]"), "\(read.output)")
            let beyond = try await home.energyctl("modbus", "read", bus, "--unit", "126", "--address", "7")
            #expect(beyond.code == 1 && beyond.errors.contains("illegal data address"), "\(beyond.errors)")
            if isOwned {
                try await eventually("the inverter is read where its chain says") {
                    try await home.rows("readings", "--device", "roof", "--quantity", "production_energy")
                        .first?["value"] == "\(house.photovoltaics.milliwattHours / 1000)"
                }
                let power = try await home.rows("readings", "--device", "roof", "--quantity", "production_power")
                #expect(power.first?["value"] == "\((house.photovoltaics.milliwatts + 500) / 1000)")
                let top = try await home.energyctl("bus", "top", "-o", "csv", "--no-headers").output
                #expect(top.split(separator: "\n").count == 2, "\(top)")
            }
        }
        await server.stop()
    }
}
