import Devices
import Foundation
import Intake
import Logging
import MQTT
import Metering
import Modbus
import Simulation
import Testing
import Timekeeping

/// Both sources against the real thing: mosquitto and libmodbus' server side.
@Suite(.timeLimit(.minutes(1))) struct SourceTests {
    private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

    /// Waits until `condition` holds; the suite's time limit is the end of patience.
    private func wait(_ condition: () -> Bool) async throws {
        while !condition() { try await Task.sleep(for: .milliseconds(2)) }
    }

    private func withBroker(_ body: (Bench, MQTTIntake, MQTTConnection, Broker) async throws -> Void) async throws {
        let directory = NSTemporaryDirectory() + "/intake-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let broker = try await Broker.start(in: directory)
        let bench = Bench()
        let source = MQTTIntake(
            intake: bench.intake, profiles: ProfileCatalog.builtIn.profiles, clock: bench.clock, logger: logger)
        let connection = try source.start(
            MQTTOptions(host: "127.0.0.1", port: broker.port, clientID: "intake", seed: 1))
        try await wait { source.isConnected }
        try await body(bench, source, connection, broker)
        await connection.stop()
        await broker.stop()
    }

    private func say(_ port: UInt16, _ messages: [(topic: String, payload: String)]) throws {
        for message in messages {
            let program = Process()
            program.executableURL = URL(fileURLWithPath: "/usr/bin/mosquitto_pub")
            program.arguments = ["-p", "\(port)", "-q", "1", "-t", message.topic, "-m", message.payload]
            try program.run()
            program.waitUntilExit()
            #expect(program.terminationStatus == 0)
        }
    }

    @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/mosquitto_pub")))
    func `a device appears with what it says, and one that says nonsense with the reason`() async throws {
        try await withBroker { bench, source, _, broker in
            // Connected is not yet subscribed.
            while bench.intake.device(named: "probe") == nil {
                try say(broker.port, [("energy/probe/total/voltage", "230")])
            }
            try say(
                broker.port,
                [
                    ("energy/washer/total/power", "123.4"), ("energy/broken", "{\"time\":"),
                    ("energy/washer/total/energy_import", "nonsense"), ("elsewhere", "1"),
                ])
            try await wait { bench.intake.counters.rejected == 2 }
            bench.intake.endBatch()
            #expect(bench.sink.values(.power) == [123_400])
            let washer = try #require(bench.intake.device(named: "washer"))
            let broken = try #require(bench.intake.device(named: "broken"))
            #expect(bench.intake.status(washer.id).lastSeen == bench.clock.now().wall)
            #expect(bench.intake.status(washer.id).lastError?.hasPrefix("energy/washer/total/energy_import: ") == true)
            #expect(bench.intake.status(broken.id).rejected == 1)
            #expect(bench.intake.status(broken.id).lastError?.hasPrefix("energy/broken: ") == true)
            #expect(bench.intake.status(broken.id).lastSeen == nil)
            #expect(source.state.contains("\(broker.port)"))
        }
    }

    @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: "/usr/bin/mosquitto_pub")))
    func `a topic that only an announcement names is listened to from then on`() async throws {
        try await withBroker { bench, _, _, broker in
            let announcement = """
                {"name":"Power","unique_id":"x1","device_class":"power","unit_of_measurement":"W",\
                "state_topic":"attic/heater/now","device":{"identifiers":["heater"],"name":"heater"}}
                """
            while !bench.sink.values(.power).contains(77_000) {
                try say(
                    broker.port,
                    [("homeassistant/sensor/heater/power/config", announcement), ("attic/heater/now", "77")])
                bench.intake.endBatch()
            }
            #expect(bench.intake.devices.count == 1)
        }
    }

    private func meter(
        _ server: ModbusServer, units: [UInt8], _ bench: Bench
    ) throws -> (bus: ModbusBus, source: ModbusIntake) {
        let profile = try #require(ProfileCatalog.builtIn["eastron_sdm630"])
        let bus = try ModbusBus(server.address, options: ModbusOptions(responseTimeout: 200))
        let targets = units.map {
            ModbusIntake.Target(name: "meter\($0)", unit: $0, profile: profile, interval: 1_000_000)
        }
        return (
            bus,
            ModbusIntake(
                intake: bench.intake, bus: bus, targets: targets, clock: bench.clock, logger: logger)
        )
    }

    @Test func `a meter is read, and one that is silent hurts only itself`() async throws {
        let server = try ModbusServer()
        server.addUnit(1)
        server.addUnit(2)
        server.setFault(.silent, unit: 2)
        // 230.5 V as the meter's float, high word first.
        server.setWords(unit: 1, function: .input, address: 0, words: [0x4366, 0x8000])
        let bench = Bench()
        let (bus, source) = try meter(server, units: [1, 2], bench)
        let reading = Task { await source.run() }
        let one = ModbusIntake.binding(server.address, unit: 1)
        let two = ModbusIntake.binding(server.address, unit: 2)
        func device(_ binding: String) -> Device? {
            bench.intake.devices.first { $0.bindings.contains(Binding(address: binding)) }
        }
        try await wait {
            device(one) != nil && device(two).map { bench.intake.status($0.id).available == false } == true
        }
        reading.cancel()
        await reading.value
        await bus.close()
        #expect(bench.sink.values(.voltage).contains(230_500))
        let silent = try #require(device(two))
        #expect(bench.intake.status(silent.id).lastError?.contains("no answer within") == true)
        #expect(bench.intake.status(try #require(device(one)).id).available == true)
        #expect(source.trouble?.hasPrefix("meter2: ") == true)
        #expect(source.hasAnswered)
        #expect(source.errors > 0)
        await server.stop()
    }

    @Test func `a meter that refuses some registers is there all the same`() async throws {
        let server = try ModbusServer()
        server.addUnit(1)
        server.setFault(.exception(.illegalDataAddress), unit: 1)
        let bench = Bench()
        let (bus, source) = try meter(server, units: [1], bench)
        let reading = Task { await source.run() }
        try await wait { bench.intake.devices.first.map { bench.intake.status($0.id).rejected >= 3 } == true }
        reading.cancel()
        await reading.value
        await bus.close()
        let device = try #require(bench.intake.devices.first)
        #expect(bench.intake.status(device.id).available == true)
        #expect(bench.intake.status(device.id).lastError?.contains("illegal data address") == true)
        await server.stop()
    }

    @Test func `of a meter whose bus is not there nothing was rejected`() async throws {
        let server = try ModbusServer()
        let bench = Bench()
        let (bus, source) = try meter(server, units: [1], bench)
        await server.stop()
        let reading = Task { await source.run() }
        try await wait { bench.intake.devices.first.map { bench.intake.status($0.id).lastError != nil } == true }
        reading.cancel()
        await reading.value
        await bus.close()
        let status = bench.intake.status(try #require(bench.intake.devices.first).id)
        #expect(status.lastError?.contains("cannot connect") == true)
        #expect(status.available == false)
        #expect(status.rejected == 0)
        #expect(bench.intake.counters.rejected == 0)
        #expect(source.trouble?.hasPrefix("meter1: ") == true)
    }
}
