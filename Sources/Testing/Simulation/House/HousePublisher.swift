import MQTT
import Synchronization

/// Why a simulated house could not be published.
public enum HousePublisherError: Error, Equatable, CustomStringConvertible {
    /// No connection within the time given; `reason` is the last one heard.
    case unreachable(broker: String, reason: String)
    /// The broker stopped acknowledging.
    case stalled(broker: String, milliseconds: Int)
    case refused(String)

    public var description: String {
        switch self {
        case .unreachable(let broker, let reason): "broker \(broker) is not reachable: \(reason)"
        case .stalled(let broker, let milliseconds):
            "broker \(broker) has not taken the messages within \(milliseconds / 1000) s"
        case .refused(let reason): reason
        }
    }
}

/// The house's one connection to the broker. Everything goes over it in order, so history comes before live data.
public final class HousePublisher: Sendable {
    private let broker: String
    private let connection: MQTTConnection
    private let states: AsyncStream<MQTTState>
    private let dropped = Atomic<Int>(0)

    /// How long a full queue may take to empty before the broker counts as stalled, in milliseconds.
    private static let patience = 30_000

    /// Starts to connect. `onState` is told each change in words, on the connection's thread.
    public init(
        host: String, port: UInt16, clientID: String, seed: UInt64,
        onState: @escaping @Sendable (String) -> Void = { _ in }
    ) throws(HousePublisherError) {
        broker = "\(host):\(port)"
        var options = MQTTOptions(host: host, port: port, clientID: clientID, seed: seed)
        options.cleanSession = true
        options.queueByteLimit = 16 * 1024 * 1024
        options.backoff = MQTTBackoff(shortest: 250, longest: 5_000, seed: seed)
        let (stream, continuation) = AsyncStream.makeStream(of: MQTTState.self, bufferingPolicy: .bufferingNewest(8))
        states = stream
        do {
            connection = try MQTTConnection(
                options: options,
                onState: { state in
                    onState(state.description)
                    continuation.yield(state)
                    if state == .stopped { continuation.finish() }
                }, handler: { _ in })
        } catch {
            throw .refused(error.description)
        }
    }

    /// Messages that live devices lost because the broker was away for long.
    public var droppedMessages: Int { dropped.load(ordering: .relaxed) }

    private enum Attempt { case connected, failed(reason: String), timeUp }

    /// Returns when the broker has accepted; throws `unreachable` when that has not happened after `milliseconds`.
    public func connect(within milliseconds: Int) async throws {
        let outcome = try await withThrowingTaskGroup(of: Attempt.self) { group in
            group.addTask { [states] in
                var reason = "no answer"
                for await state in states {
                    switch state {
                    case .connected: return .connected
                    case .disconnected(let why, _): reason = why
                    case .connecting, .stopped: break
                    }
                }
                return .failed(reason: reason)
            }
            group.addTask {
                try await Task.sleep(for: .milliseconds(milliseconds))
                return .timeUp
            }
            while let attempt = try await group.next() {
                // The other one ends when it is cancelled; the listener then tells the last reason it heard.
                group.cancelAll()
                if case .timeUp = attempt { continue }
                return attempt
            }
            return .timeUp
        }
        try Task.checkCancellation()
        if case .failed(let reason) = outcome {
            throw HousePublisherError.unreachable(broker: broker, reason: reason)
        }
    }

    /// Publishes all of `messages`, waiting whenever the queue is full; returns when they are queued.
    public func publish(_ messages: [HouseMessage], atLeastOnce: Bool = true) async throws {
        let qos: MQTTQoS = atLeastOnce ? .atLeastOnce : .atMostOnce
        for message in messages {
            let payload = Array(message.payload.utf8)
            while true {
                do throws(MQTTError) {
                    try connection.publish(topic: message.topic, payload: payload, qos: qos, retain: message.retain)
                    break
                } catch .queueFull {
                    try await drain()
                } catch {
                    throw HousePublisherError.refused(error.description)
                }
            }
        }
    }

    /// Publishes what fits and never waits: a real device has no queue either.
    public func offer(_ messages: [HouseMessage]) throws(HousePublisherError) {
        for message in messages {
            do throws(MQTTError) {
                try connection.publish(
                    topic: message.topic, payload: Array(message.payload.utf8), qos: .atLeastOnce,
                    retain: message.retain)
            } catch .queueFull {
                dropped.wrappingAdd(1, ordering: .relaxed)
            } catch {
                throw .refused(error.description)
            }
        }
    }

    /// Returns when the broker has everything; throws `stalled` when it does not take it.
    public func drain() async throws {
        if await !connection.drained(within: HousePublisher.patience) {
            try Task.checkCancellation()
            throw HousePublisherError.stalled(broker: broker, milliseconds: HousePublisher.patience)
        }
    }

    /// Says `farewell`, gives it two seconds to arrive, and ends the connection.
    public func close(_ farewell: [HouseMessage] = []) async {
        try? offer(farewell)
        _ = await connection.drained(within: 2_000)
        await connection.stop()
    }
}
