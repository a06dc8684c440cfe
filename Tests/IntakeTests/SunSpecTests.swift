import Devices
import Intake
import Logging
import Metering
import Modbus
import Simulation
import Testing

/// A SunSpec device whose models stand where no profile says.
@Suite(.timeLimit(.minutes(1))) struct SunSpecTests {
    @Test(arguments: [40_000, 50_000]) func `the models are found by their chain, and read where they are`(
        base: Int
    ) async throws {
        let server = try ModbusServer()
        server.addUnit(1, holding: base..<base + 200)
        // The marker, a common model longer than usual, an inverter with three phases, the end.
        server.setWords(unit: 1, function: .holding, address: base, words: [0x5375, 0x6E53, 1, 70])
        let model = base + 4 + 70
        var inverter = [UInt16](repeating: 0xFFFF, count: 52)
        (inverter[0], inverter[1]) = (103, 50)
        // 1234 × 10 W, as its scale factor says.
        (inverter[14], inverter[15]) = (1_234, 1)
        server.setWords(unit: 1, function: .holding, address: model, words: inverter + [0xFFFF, 0])
        let bench = Bench()
        let bus = try ModbusBus(server.address, options: ModbusOptions(responseTimeout: 500))
        let profile = try #require(ProfileCatalog.builtIn["sunspec_103"])
        let source = ModbusIntake(
            intake: bench.intake, bus: bus,
            targets: [.init(name: "roof", unit: 1, profile: profile, interval: 1_000)], clock: bench.clock,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let reading = Task { await source.run() }
        while bench.sink.values(.productionPower).isEmpty { try await Task.sleep(for: .milliseconds(2)) }
        reading.cancel()
        await reading.value
        await bus.close()
        #expect(bench.sink.values(.productionPower).first == 12_340_000)
        await server.stop()
    }

    @Test func `a device without the profile's models is told so`() async throws {
        let server = try ModbusServer()
        server.addUnit(1, holding: 40_000..<40_100)
        server.setWords(
            unit: 1, function: .holding, address: 40_000, words: [0x5375, 0x6E53, 203, 20])
        server.setWords(unit: 1, function: .holding, address: 40_024, words: [0xFFFF, 0])
        let bench = Bench()
        let bus = try ModbusBus(server.address, options: ModbusOptions(responseTimeout: 500))
        let profile = try #require(ProfileCatalog.builtIn["sunspec_103"])
        let source = ModbusIntake(
            intake: bench.intake, bus: bus,
            targets: [.init(name: "roof", unit: 1, profile: profile, interval: 1_000)], clock: bench.clock,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let reading = Task { await source.run() }
        var told: String?
        while told == nil {
            try await Task.sleep(for: .milliseconds(2))
            told = bench.intake.devices.first.flatMap { bench.intake.status($0.id).lastError }
        }
        reading.cancel()
        await reading.value
        await bus.close()
        #expect(told?.contains("SunSpec models (203)") == true, "\(told ?? "")")
        await server.stop()
    }
}
