import Foundation
import Simulation

/// A device's side of the broker: publishes with QoS 1 and returns when the broker has it.
struct Publisher {
    private let connection: HousePublisher

    init(_ home: TestHome) async throws {
        connection = try HousePublisher(
            host: "127.0.0.1", port: home.brokerPort, clientID: "test-\(UUID().uuidString)", seed: 1)
        try await connection.connect(within: 30_000)
    }

    func publish(_ topic: String, _ payload: String) async throws {
        try await publish([HouseMessage(topic: topic, payload: payload)])
    }

    func publish(_ messages: [HouseMessage]) async throws {
        try await connection.publish(messages)
        try await connection.drain()
    }

    /// Publishes all that a meter said, as history.
    func publish(_ meter: Meter) async throws {
        try await publish("energy/\(meter.device)", meter.payload)
    }
}
