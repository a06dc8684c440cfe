import Devices
import Foundation
import Intake
import Logging
import MQTT
import Metering
import Simulation
import Testing

@Suite struct AdmissionTests {
    @Test func `without a word everybody is admitted`() {
        #expect(Admission().admits("mqtt:tasmota:anything"))
    }

    @Test(arguments: [
        ("mqtt:tasmota:bench", false), ("mqtt:tasmota:bench2", true), ("mqtt:shelly:x", false), ("mqtt:shell", true),
    ])
    func `an address is left out whole, or by its beginning`(address: String, isAdmitted: Bool) {
        var admission = Admission()
        admission.ignored = ["mqtt:tasmota:bench", "mqtt:shelly:*"]
        #expect(admission.admits(address) == isAdmitted)
    }

    /// A broker, a device that is ignored, one that floods, one that does not.
    @Test(.timeLimit(.minutes(1)))
    func `a flooding device loses its surplus, counted and told, and its neighbour nothing`() async throws {
        let directory = NSTemporaryDirectory() + "/admission-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: directory, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(atPath: directory) }
        let broker = try await Broker.start(in: directory)
        let bench = Bench()
        var admission = Admission()
        admission.ignored = ["mqtt:energy:bench"]
        admission.messageLimit = 2
        let source = MQTTIntake(
            intake: bench.intake, profiles: ProfileCatalog.builtIn.profiles, admission: admission, clock: bench.clock,
            logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
        let connection = try source.start(
            MQTTOptions(host: "127.0.0.1", port: broker.port, clientID: "intake", seed: 1))
        let publisher = try MQTTConnection(
            options: MQTTOptions(host: "127.0.0.1", port: broker.port, clientID: "crowd", seed: 1)
        ) { _ in }
        while bench.intake.device(named: "probe") == nil {
            try publisher.publish(topic: "energy/probe/total/voltage", payload: Array("230".utf8), qos: .atLeastOnce)
            _ = await publisher.drained(within: 1_000)
        }
        // The bench's clock stands, so nothing is granted beyond the first minute's worth.
        for number in 0..<200 {
            let payload = Array("\(number)".utf8)
            for device in ["flood", "bench"] {
                try publisher.publish(topic: "energy/\(device)/total/power", payload: payload, qos: .atLeastOnce)
            }
            if number % 4 == 0 {
                try publisher.publish(topic: "energy/calm/total/power", payload: payload, qos: .atLeastOnce)
            }
        }
        #expect(await publisher.drained(within: 20_000))
        while bench.intake.counters.leftOut < 200 { try await Task.sleep(for: .milliseconds(2)) }
        while bench.intake.counters.rejected < 80 { try await Task.sleep(for: .milliseconds(2)) }
        await connection.stop()
        await publisher.stop()
        bench.intake.endBatch()
        let flood = try #require(bench.intake.device(named: "flood"))
        let calm = try #require(bench.intake.device(named: "calm"))
        #expect(bench.sink.readings.filter { bench.sink.key($0)?.device == flood.id }.count == 120)
        #expect(bench.sink.readings.filter { bench.sink.key($0)?.device == calm.id }.count == 50)
        #expect(bench.intake.status(flood.id).rejected == 80)
        #expect(bench.intake.status(flood.id).lastError?.contains("speaks more than 2 times a second") == true)
        #expect(bench.intake.device(named: "bench") == nil)
        #expect(bench.intake.counters.leftOut == 200)
        await broker.stop()
    }
}
