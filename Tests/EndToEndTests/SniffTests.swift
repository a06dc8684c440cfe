import MQTT
import Simulation
import Testing

/// `energyctl mqtt sniff` beside a real broker.
@Suite(.serialized, .timeLimit(.minutes(2)))
struct SniffTests {
    private func sniff(_ home: TestHome, _ more: String...) async throws -> Outcome {
        try await Programs.run(
            Programs.energyctl, ["mqtt", "sniff", "--port", "\(home.brokerPort)", "--seconds", "2"] + more,
            in: home.directory, environment: [:])
    }

    @Test func `every topic is listed with what it is taken for, or why it is not`() async throws {
        try await withHome { home in
            let options = MQTTOptions(host: "127.0.0.1", port: home.brokerPort, clientID: "keeper", seed: 1)
            let keeper = try MQTTConnection(options: options) { _ in }
            // Kept by the broker, so that it does not matter when the listener comes.
            let messages = [
                "tele/plug/SENSOR": "{\"ENERGY\":{\"Power\":7}}", "tele/broken/SENSOR": "{oops", "unheard/of": "1",
            ]
            for (topic, payload) in messages {
                try keeper.publish(topic: topic, payload: Array(payload.utf8), qos: .atLeastOnce, retain: true)
            }
            #expect(await keeper.drained(within: 10_000))
            await keeper.stop()
            let outcome = try await sniff(home, "-o", "json")
            #expect(outcome.code == 0, "\(outcome.errors)")
            let rows = try Row.list(outcome.output)
            #expect(rows.map { $0["topic"] } == ["tele/broken/SENSOR", "tele/plug/SENSOR", "unheard/of"])
            #expect(rows.map { $0["family"] } == ["tasmota", "tasmota", "null"])
            #expect(rows[0]["meaning"].contains("not understood: "))
            #expect(rows[1]["device"] == "plug" && rows[1]["meaning"] == "(stored by the broker) power 7 W")
            #expect(rows[2]["meaning"] == "(stored by the broker) no profile knows this topic")
        }
    }

    @Test func `without a broker it says so and ends with its own status`() async throws {
        try await withHome(broker: false) { home in
            let outcome = try await sniff(home)
            #expect(outcome.code == 3)
            #expect(outcome.errors.contains("Connection refused"), "\(outcome.errors)")
        }
    }
}
