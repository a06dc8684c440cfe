import Simulation
import Testing

/// Brokers and meters come and go; the daemon runs, says so, and goes on with them when they are back.
@Suite(.serialized, .timeLimit(.minutes(3)))
struct ConnectionTests {
    @Test func `a broker that comes late, and one that restarts, are used as soon as they are there`() async throws {
        try await withHome(broker: false) { home in
            let daemon = try await home.startDaemon()
            try await home.awaitStage("mqtt", "waiting")
            let detail = try await home.stage("mqtt")?.detail ?? ""
            #expect(detail.contains("127.0.0.1:\(home.brokerPort)"), "\(detail)")
            for round in 1...2 {
                try await home.startBroker()
                try await home.awaitStage("mqtt", "ok")
                let publisher = try await Publisher(home)
                try await publisher.publish("energy/lamp/total/power", "\(round)0")
                try await eventually("round \(round): readings come in") {
                    try await home.rows("readings", "--device", "lamp").map { $0["value"] } == ["\(round)0"]
                }
                await home.stopBroker()
                try await home.awaitStage("mqtt", "waiting")
            }
            #expect(daemon.process.exitStatus == nil)
            #expect(await daemon.stop() == .exited(code: 0))
        }
    }

    @Test func `a Modbus meter that comes late, and one that goes, hurt nobody else`() async throws {
        let port = try FreePort.find()
        let modbus = """
            [[modbus]]
            bus = "tcp://127.0.0.1:\(port)"
            [[modbus.device]]
            name = "grid"
            profile = "eastron_sdm630"
            interval = "200ms"

            """
        try await withHome(configuration: modbus) { home in
            let daemon = try await home.startDaemon()
            try await home.awaitStage("modbus", "failed")
            let detail = try await home.stage("modbus")?.detail ?? ""
            #expect(!detail.isEmpty)
            let publisher = try await Publisher(home)
            try await publisher.publish("energy/lamp/total/power", "10")
            try await eventually("the lamp is heard beside a dead meter") {
                try await home.rows("readings", "--device", "lamp").map { $0["value"] } == ["10"]
            }
            let meter = try ModbusServer(port: port)
            meter.addUnit(1, holding: 0..<1, input: 0..<0x200)
            meter.setKilowattHours(7)
            try await eventually("the meter is read when it appears") {
                try await home.rows("readings", "--device", "grid", "--quantity", "energy_import", "--channel", "total")
                    .map { $0["value"] } == ["7000"]
            }
            try await home.awaitStage("modbus", "ok")
            await meter.stop()
            try await home.awaitStage("modbus", "failed")
            try await eventually("the meter is said to be away") {
                try await home.rows("devices").first { $0["device"] == "grid" }?["available"] == "false"
            }
            #expect(daemon.process.exitStatus == nil)
            #expect(await daemon.stop() == .exited(code: 0))
        }
    }
}
