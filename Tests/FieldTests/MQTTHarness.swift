import Foundation
import MQTT
import Simulation
import Synchronization
import Testing

/// A directory that goes with the value.
final class TemporaryDirectory: Sendable {
    let path: String

    init() throws {
        path = NSTemporaryDirectory() + "/field-" + UUID().uuidString
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit {
        try? FileManager.default.removeItem(atPath: path)
    }
}

/// What a connection told its owner, and a way to wait for it without guessing a time.
final class Recorder: Sendable {
    struct Message: Equatable {
        var topic: String
        var payload: [UInt8]
        var qos: Int32
        var retained: Bool
    }

    private struct Log {
        var messages: [Message] = []
        var states: [MQTTState] = []
        var batches = 0
    }

    private let log = Mutex(Log())

    var messages: [Message] { log.withLock { $0.messages } }
    var states: [MQTTState] { log.withLock { $0.states } }
    var batches: Int { log.withLock { $0.batches } }
    var connections: Int {
        states.count {
            if case .connected = $0 { return true }
            return false
        }
    }

    func connect(_ options: MQTTOptions) throws -> MQTTConnection {
        try MQTTConnection(
            options: options, onState: { state in self.log.withLock { $0.states.append(state) } },
            onBatchEnd: { self.log.withLock { $0.batches += 1 } },
            handler: { message in
                let copy = Message(
                    topic: String(decoding: message.topic, as: UTF8.self), payload: Array(message.payload),
                    qos: message.qos, retained: message.retained)
                self.log.withLock { $0.messages.append(copy) }
            })
    }
}

/// Options that try again at once, so that tests are quick.
func options(port: UInt16, _ clientID: String = "test-" + UUID().uuidString.prefix(8)) -> MQTTOptions {
    var options = MQTTOptions(host: "127.0.0.1", port: port, clientID: clientID, seed: 1)
    options.backoff = MQTTBackoff(shortest: 10, longest: 50, seed: 1)
    options.cleanSession = true
    return options
}

/// Waits until `condition` holds; the test fails after 30 s. Asks every 2 ms: what is awaited happens in a C library.
func eventually(
    _ what: Comment, sourceLocation: SourceLocation = #_sourceLocation, _ condition: () async -> Bool
) async throws {
    let end = ContinuousClock.now.advanced(by: .seconds(30))
    while !(await condition()) {
        guard ContinuousClock.now < end else {
            Issue.record(what, sourceLocation: sourceLocation)
            throw CancellationError()
        }
        try await Task.sleep(for: .milliseconds(2))
    }
}

/// Publishes until the subscriber sees it: a subscription is made at an instant that MQTT does not tell.
func untilSubscribed(_ recorder: Recorder, _ publisher: MQTTConnection, topic: String) async throws {
    try await eventually("the subscription to \(topic) is made") {
        try? publisher.publish(topic: topic, payload: Array("probe".utf8))
        _ = await publisher.drained(within: 1_000)
        return recorder.messages.contains { $0.topic == topic }
    }
}
