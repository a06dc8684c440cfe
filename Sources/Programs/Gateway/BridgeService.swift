import Bridge
import Intake
import Ledger
import Logging
import MQTT
import Metering
import ReadingLog
import ServiceLifecycle
import Synchronization
import Timekeeping

/// Tells the broker what is known, on a connection of its own: its last will is the gateway's state, and what it says
/// does not wait behind what is heard.
final class BridgeService: Service {
    private let options: BridgeOptions
    private let connectionOptions: MQTTOptions
    private let interval: Int64
    private let intake: Intake
    private let facts: ReadingLog
    private let pipeline: Pipeline
    private let clock: any Clock
    private let logger: Logger
    private let isConnected = Atomic<Bool>(false)
    /// The broker or Home Assistant has started: all has to be said again.
    private let mustRepeat = Atomic<Bool>(true)
    private let said = Atomic<UInt64>(0)
    private let trouble = Mutex<String?>(nil)

    /// How long the bridge looks away, in ms: a broker that has come back is told that soon.
    private static let glance: Int64 = Span.second
    /// Totals are kept at least this often.
    private static let keepingInterval: Int64 = 15 * Span.minute
    /// For the last word, in ms.
    private static let farewell = 2_000

    init(
        options: BridgeOptions, connection: MQTTOptions, interval: Int64, intake: Intake, facts: ReadingLog,
        pipeline: Pipeline, clock: any Clock, logger: Logger
    ) {
        self.options = options
        self.interval = interval
        self.intake = intake
        self.facts = facts
        self.pipeline = pipeline
        self.clock = clock
        self.logger = logger
        var connection = connection
        connection.clientID += "-bridge"
        // Nothing that is said to the bridge matters after it was away.
        connection.cleanSession = true
        connection.will = MQTTOptions.Will(topic: options.stateTopic, payload: BridgeOptions.offline)
        connection.queueLimit = 50_000
        connectionOptions = connection
    }

    /// For people: what was said, or why nothing is.
    var state: (isWorking: Bool, detail: String) {
        if let trouble = trouble.withLock({ $0 }) { return (false, trouble) }
        let count = said.load(ordering: .relaxed)
        return (isConnected.load(ordering: .relaxed), "\(count) messages on \(options.topic)/#")
    }

    func run() async throws {
        let connection = try connect()
        let kept = await pipeline.keptBridge()
        var bridge = await cancelWhenGracefulShutdown { [self] in
            await serve(connection, BridgeState(options, kept: kept))
        }
        try? connection.publish(
            topic: options.stateTopic, payload: BridgeOptions.offline, qos: .atLeastOnce, retain: true)
        if isConnected.load(ordering: .relaxed) { _ = await connection.drained(within: BridgeService.farewell) }
        await connection.stop()
        await keep(&bridge)
    }

    /// Until the task is cancelled; returns what is known then.
    private func serve(_ connection: MQTTConnection, _ begin: BridgeState) async -> BridgeState {
        var bridge = begin
        var (told, kept) = (Int64.min / 2, clock.now().monotonic)
        while !Task.isCancelled {
            let now = clock.now().monotonic
            if isConnected.load(ordering: .relaxed) {
                let isNew = mustRepeat.exchange(false, ordering: .relaxed)
                if isNew { greet(connection, &bridge) }
                if isNew || now - told >= interval {
                    told = now
                    await tell(connection, &bridge)
                }
            }
            if now - kept >= BridgeService.keepingInterval {
                kept = now
                await keep(&bridge)
            }
            do { try await Task.sleep(for: .milliseconds(BridgeService.glance)) } catch { break }
        }
        return bridge
    }

    private func connect() throws(MQTTError) -> MQTTConnection {
        let birthTopic = options.birthTopic.map { Array($0.utf8) }
        let connection = try MQTTConnection(
            options: connectionOptions,
            onState: { [self] state in
                if case .connected = state {
                    mustRepeat.store(true, ordering: .relaxed)
                    isConnected.store(true, ordering: .relaxed)
                } else {
                    isConnected.store(false, ordering: .relaxed)
                }
            },
            handler: { [self] message in
                guard let birthTopic, !message.retained, message.topic.elementsEqual(birthTopic),
                    message.payload.elementsEqual(BridgeOptions.online)
                else { return }
                mustRepeat.store(true, ordering: .relaxed)
            })
        if let topic = options.birthTopic { try connection.subscribe([(topic, .atLeastOnce)]) }
        return connection
    }

    private func greet(_ connection: MQTTConnection, _ bridge: inout BridgeState) {
        bridge.forget()
        try? connection.publish(
            topic: options.stateTopic, payload: BridgeOptions.online, qos: .atLeastOnce, retain: true)
    }

    /// Looks at what is known, and says what the broker does not know yet.
    private func tell(_ connection: MQTTConnection, _ bridge: inout BridgeState) async {
        for device in intake.devices.sorted(by: { $0.id < $1.id }) {
            let status = intake.status(device.id)
            bridge.note(device, isOnline: status.available ?? (status.lastSeen != nil))
        }
        for reading in intake.latest where !reading.flags.contains(.retained) {
            if let key = facts.key(for: reading.series) { bridge.note(key, reading.value, at: reading.time) }
        }
        do {
            for total in try await pipeline.channelTotals() { note(booked: total, &bridge) }
            // First kept, then told: what lies on the broker is always known to whoever starts next.
            let isKept = bridge.mustBeKept ? await keep(&bridge) : true
            for publication in bridge.publications(withTotals: isKept) {
                try connection.publish(
                    topic: publication.topic, payload: publication.payload,
                    qos: publication.isConfirmed ? .atLeastOnce : .atMostOnce, retain: true)
                said.add(1, ordering: .relaxed)
            }
            if isKept { note(trouble: nil) }
        } catch {
            bridge.forget()
            note(trouble: "\(error)")
        }
    }

    private func note(booked total: ChannelTotal, _ bridge: inout BridgeState) {
        let energies: [(Quantity, Int64?)] = [
            (.energyImport, total.imported), (.energyExport, total.exported), (.productionEnergy, total.produced),
            (.batteryChargeEnergy, total.charged), (.batteryDischargeEnergy, total.discharged),
        ]
        for (quantity, energy) in energies {
            guard let energy else { continue }
            bridge.note(
                total: SeriesKey(device: total.device, channel: total.channel, quantity: quantity), energy)
        }
    }

    @discardableResult
    private func keep(_ bridge: inout BridgeState) async -> Bool {
        do {
            try await pipeline.keep(bridge.snapshot())
            return true
        } catch {
            bridge.noteNotKept()
            note(trouble: "totals wait, since they cannot be kept: \(error)")
            return false
        }
    }

    /// Told in the log when it is new.
    private func note(trouble text: String?) {
        let before = trouble.withLock { trouble in
            defer { trouble = text }
            return trouble
        }
        guard before != text else { return }
        if let text {
            logger.warning("the bridge does not say all", metadata: ["reason": "\(text)"])
        } else {
            logger.notice("the bridge works again")
        }
    }
}
