import Foundation
import MQTT
import Simulation
import Synchronization
import Testing

/// What a stranger on the broker hears, in order.
private final class Listener: Sendable {
    struct Heard: Sendable {
        var topic: String
        var text: String
        var isRetained: Bool
    }

    private let log = Mutex<[Heard]>([])
    private let connection = Mutex<MQTTConnection?>(nil)

    var heard: [Heard] { log.withLock { $0 } }
    func texts(_ topic: String) -> [String] { heard.filter { $0.topic == topic }.map(\.text) }
    func last(_ topic: String) -> String? { texts(topic).last }

    init(_ home: TestHome, _ filters: [String]) throws {
        let options = MQTTOptions(
            host: "127.0.0.1", port: home.brokerPort, clientID: "listener-\(UUID().uuidString)", seed: 1)
        let started = try MQTTConnection(options: options) { [self] message in
            let heard = Heard(
                topic: String(decoding: message.topic, as: UTF8.self),
                text: String(decoding: message.payload, as: UTF8.self), isRetained: message.retained)
            log.withLock { $0.append(heard) }
        }
        try started.subscribe(filters.map { ($0, .atLeastOnce) })
        connection.withLock { $0 = started }
    }

    func say(_ topic: String, _ text: String) throws {
        try connection.withLock { $0 }?.publish(topic: topic, payload: Array(text.utf8), qos: .atLeastOnce)
    }

    func stop() async { await connection.withLock { $0 }?.stop() }
}

/// What energyd says back to the broker.
@Suite(.serialized, .timeLimit(.minutes(3)))
struct BridgeTests {
    private static let energy = "energyd/home/plug/energy_import"
    private static let settings = "\n[bridge]\ninterval = \"1s\"\n"

    private func sensor(_ total: String, _ power: Int) -> String {
        "{\"Time\":\"2026-01-01T00:00:00\",\"ENERGY\":{\"Total\":\(total),\"Power\":\(power)}}"
    }

    @Test func `totals appear when they are known, never fall, and survive kill -9 and a rename`() async throws {
        try await withHome(configuration: Self.settings) { home in
            let listener = try Listener(home, ["energyd/#", "homeassistant/#"])
            let daemon = try await home.startDaemon()
            try await eventually("the gateway is online") { listener.last("energyd/bridge/state") == "online" }
            let publisher = try await Publisher(home)
            try await eventually("the plug is shown") {
                try await publisher.publish("tele/plug/SENSOR", sensor("100.000", 100))
                return listener.last("energyd/home/plug/power") == "100"
            }
            // A display step each: more at once would be a spike.
            for (total, told) in [("100.001", "1"), ("100.002", "2")] {
                try await eventually("\(told) Wh are told") {
                    try await publisher.publish("tele/plug/SENSOR", sensor(total, 120))
                    return listener.last(Self.energy) == told
                }
            }
            // 100 kWh stood on the plug before anybody listened: no use of this home, and never said.
            #expect(listener.texts(Self.energy).compactMap(Double.init).allSatisfy { $0 <= 2 })
            let announcement = try #require(
                listener.heard.last {
                    $0.topic.hasPrefix("homeassistant/device/energyd_")
                        && $0.text.contains("total_energy_import")
                })
            #expect(announcement.text.contains("\"state_topic\":\"\(Self.energy)\""))
            #expect(announcement.text.contains("\"state_class\":\"total_increasing\""))

            try await daemon.kill()
            try await eventually("the will is told") { listener.last("energyd/bridge/state") == "offline" }
            try home.configure(
                Self.settings + "[[device]]\nname = \"washer\"\nbinding = \"mqtt:tasmota:plug\"\n")
            let second = try await home.startDaemon()
            try await eventually("the total is there again under the new name") {
                listener.last("energyd/home/washer/energy_import") == "2"
            }
            try await eventually("nothing is left under the old name") {
                listener.last(Self.energy) == "" && listener.last("energyd/home/plug/power") == ""
            }
            try await home.awaitStage("mqtt", "ok")
            try await eventually("it goes on") {
                try await publisher.publish("tele/plug/SENSOR", sensor("100.003", 130))
                return listener.last("energyd/home/washer/energy_import") == "3"
            }
            #expect(listener.last("energyd/home/washer/available") == "online")
            let all = (listener.texts(Self.energy) + listener.texts("energyd/home/washer/energy_import"))
                .compactMap(Double.init)
            #expect(all == all.sorted(), "a total fell: \(all)")

            let before = listener.texts("energyd/home/washer/energy_import").count
            try listener.say("homeassistant/status", "online")
            try await eventually("all is said again to a Home Assistant that starts") {
                listener.texts("energyd/home/washer/energy_import").count > before
            }
            #expect(await second.stop() == .exited(code: 0))
            try await eventually("the last word") { listener.last("energyd/bridge/state") == "offline" }
            await listener.stop()
        }
    }

    @Test func `switched off, nothing is said`() async throws {
        try await withHome(configuration: "\n[bridge]\nenabled = false\n") { home in
            let listener = try Listener(home, ["energyd/#", "homeassistant/#"])
            let daemon = try await home.startDaemon()
            try await home.awaitStage("mqtt", "ok")
            let publisher = try await Publisher(home)
            try await publisher.publish("tele/plug/SENSOR", sensor("100.000", 100))
            #expect(try await home.stage("bridge") == nil)
            #expect(await daemon.stop() == .exited(code: 0))
            #expect(listener.heard.isEmpty)
            await listener.stop()
        }
    }
}
