import Devices
import Logging
import MQTT
import Metering
import Synchronization
import Timekeeping

/// Messages of one broker: subscribed as the profiles say, decoded on the connection's own thread, handed on in
/// batches.
public final class MQTTIntake: Sendable {
    /// What only the connection's thread touches: it calls the handler for one message at a time.
    private final class Decoding: @unchecked Sendable {
        let decoder: MessageDecoder
        var message = DecodedMessage()
        /// By the decoder's device number.
        var speakers: [Speaker] = []
        /// Filters that the connection has, and the decoder's count of changes when they were looked at.
        var filters: Set<String> = []
        var subscriptionChanges = 0

        init(_ decoder: MessageDecoder) {
            self.decoder = decoder
        }
    }

    /// What is known of a number that the decoder gave.
    private enum Speaker {
        case unknown
        case admitted(DeviceID, MessageAllowance)
        case leftOut
    }

    private let intake: Intake
    private let profiles: [Profile]
    private let admission: Admission
    private let clock: any Clock
    private let logger: Logger
    private let decoding: Decoding
    private let stateText = Mutex("not started")
    private let connections = Atomic<UInt32>(0)
    private let isConnectedNow = Atomic<Bool>(false)
    private let complaints: ComplaintLimiter
    private let connection = Mutex(Connection())

    /// The connection ends with its owner, not with us.
    private struct Connection {
        weak var value: MQTTConnection?
        var qos = MQTTQoS.atLeastOnce
    }

    /// Of `profiles` only those that describe messages are used.
    public init(
        intake: Intake, profiles: [Profile], settings: MessageSettings = MessageSettings(),
        admission: Admission = Admission(), clock: any Clock, logger: Logger
    ) {
        self.intake = intake
        self.admission = admission
        self.profiles = profiles.filter { $0.messages != nil }
        self.clock = clock
        self.logger = logger
        complaints = ComplaintLimiter()
        decoding = Decoding(MessageDecoder(profiles: self.profiles, settings: settings))
    }

    /// Any thread.
    public var isConnected: Bool { isConnectedNow.load(ordering: .relaxed) }
    /// For people: where the connection stands.
    public var state: String { stateText.withLock { $0 } }

    /// Connects, and goes on trying; never throws because a broker is not there.
    public func start(_ options: MQTTOptions, qos: MQTTQoS = .atLeastOnce) throws(MQTTError) -> MQTTConnection {
        let place = "\(options.host):\(options.port)"
        // Before the connection's thread begins, which has the decoder to itself from then on.
        decoding.filters = Set(decoding.decoder.subscriptions)
        let filters = decoding.filters.sorted().map { (filter: $0, qos: qos) }
        let connection = try MQTTConnection(
            options: options,
            onState: { [self] state in note(state, place) },
            onBatchEnd: { [self] in intake.endBatch() },
            handler: { [self] message in take(message) })
        self.connection.withLock { $0 = Connection(value: connection, qos: qos) }
        try connection.subscribe(filters)
        return connection
    }

    private func note(_ state: MQTTState, _ place: String) {
        stateText.withLock { $0 = "\(place): \(state)" }
        switch state {
        case .connected:
            connections.add(1, ordering: .relaxed)
            isConnectedNow.store(true, ordering: .relaxed)
            logger.notice("connected to the broker", metadata: ["broker": "\(place)"])
        case .disconnected(let reason, let wait):
            let was = isConnectedNow.exchange(false, ordering: .relaxed)
            if was || complaints.admits("broker", at: clock.now().monotonic) {
                logger.warning(
                    "no connection to the broker",
                    metadata: ["broker": "\(place)", "reason": "\(reason)", "retry_ms": "\(wait)"])
            }
        case .connecting, .stopped: isConnectedNow.store(false, ordering: .relaxed)
        }
    }

    private func take(_ message: borrowing MQTTMessage) {
        let topic = message.topic
        let heard = clock.now()
        decoding.decoder.decode(
            topic: topic, payload: message.payload, retained: message.retained, received: heard.wall,
            into: &decoding.message)
        if decoding.decoder.subscriptionChanges != decoding.subscriptionChanges { subscribeToAnnounced() }
        if take(topic, heard, message.retained) { intake.endBatch() }
    }

    /// A device was announced with topics that no profile names: they are heard from now on.
    private func subscribeToAnnounced() {
        let (connection, qos) = connection.withLock { ($0.value, $0.qos) }
        // A message of a kept session may be here before `start` has returned: the next one looks again.
        guard let connection else { return }
        decoding.subscriptionChanges = decoding.decoder.subscriptionChanges
        let added = decoding.decoder.subscriptions.filter { decoding.filters.insert($0).inserted }
        guard !added.isEmpty else { return }
        do throws(MQTTError) {
            try connection.subscribe(added.map { ($0, qos) })
        } catch {
            // One filter that is none refuses all: then one by one, and the bad one told.
            for filter in added {
                do throws(MQTTError) { try connection.subscribe([(filter, qos)]) } catch {
                    logger.warning("an announced topic is not listened to", metadata: ["reason": "\(error)"])
                }
            }
        }
    }

    private func take(_ topic: UnsafeRawBufferPointer, _ heard: ClockReading, _ retained: Bool) -> Bool {
        switch decoding.message.outcome {
        case .notMine:
            intake.noteUnrecognized()
        case .nothing:
            break
        case .malformed:
            rejectMalformed(topic)
        case .availability(let isAvailable):
            guard let device = speaker(topic, heard) else { return false }
            intake.note(device, available: isAvailable, retained: retained)
        case .readings:
            guard let device = speaker(topic, heard) else { return false }
            let isFull = intake.take(
                decoding.message.samples, of: device, at: heard, retained: retained,
                connection: connections.load(ordering: .relaxed), source: MQTTIntake.source(topic))
            // After the samples, which else would clear what these say.
            for error in decoding.message.errors { reject(device, topic, "\(error)") }
            return isFull
        }
        return false
    }

    private static func source(_ topic: UnsafeRawBufferPointer) -> Int {
        var hasher = Hasher()
        hasher.combine(bytes: topic)
        return hasher.finalize()
    }

    private func reject(_ device: DeviceID?, _ topic: UnsafeRawBufferPointer, _ reason: String) {
        let name = String(decoding: topic.prefix(128), as: UTF8.self)
        intake.reject(device, "\(name): \(reason)", source: MQTTIntake.source(topic))
        if complaints.admits(name, at: clock.now().monotonic) {
            logger.warning("message not understood", metadata: ["topic": "\(name)", "reason": "\(reason)"])
        }
    }

    /// Whose message it was, by its topic, though nothing could be read: so that a device that says only what nobody
    /// understands is in the list with the reason.
    private func rejectMalformed(_ topic: UnsafeRawBufferPointer) {
        let complaint = decoding.message.complaint ?? ""
        guard decoding.message.profile >= 0,
            let address = decoding.decoder.address(of: decoding.message, topic: topic),
            address.utf8.count <= Binding.maximumLength
        else { return reject(nil, topic, complaint) }
        guard admission.admits(address) else { return intake.noteLeftOut() }
        let profile = decoding.decoder.profiles[decoding.message.profile]
        reject(intake.device(at: address, as: .init(profile: profile, samples: [])), topic, complaint)
    }

    /// The device that spoke; nil when it is not one of ours, or speaks more than it may.
    private func speaker(_ topic: UnsafeRawBufferPointer, _ heard: ClockReading) -> DeviceID? {
        let number = decoding.message.device
        guard number >= 0 else { return nil }
        if number >= decoding.speakers.count {
            let missing = number + 1 - decoding.speakers.count
            decoding.speakers.append(contentsOf: repeatElement(.unknown, count: missing))
        }
        if case .unknown = decoding.speakers[number] { meet(number, topic, heard) }
        switch decoding.speakers[number] {
        case .unknown: return nil
        case .leftOut:
            intake.noteLeftOut()
            return nil
        case .admitted(let device, var allowance):
            let limit = admission.messageLimit
            guard limit > 0 else { return device }
            let isTaken = allowance.take(limit: limit, at: heard.monotonic)
            decoding.speakers[number] = .admitted(device, allowance)
            if isTaken { return device }
            reject(device, topic, "speaks more than \(limit) times a second; what is more is left out")
            return nil
        }
    }

    /// Decides about one that speaks for the first time.
    private func meet(_ number: Int, _ topic: UnsafeRawBufferPointer, _ heard: ClockReading) {
        let address = decoding.decoder.address(of: number)
        guard admission.admits(address) else {
            decoding.speakers[number] = .leftOut
            return
        }
        let profile = decoding.decoder.profiles[decoding.message.profile]
        let description = DeviceRegistry.Description(profile: profile, samples: decoding.message.samples)
        guard let device = intake.device(at: address, as: description) else {
            return reject(nil, topic, "the home has \(DeviceRegistry.maximumDevices) devices already")
        }
        let allowance = MessageAllowance(limit: admission.messageLimit, at: heard.monotonic)
        decoding.speakers[number] = .admitted(device, allowance)
    }
}

extension DeviceRegistry.Description {
    /// What a profile says of its devices, and what the first samples give away: who reports production is an inverter.
    public init(profile: Profile, samples: [Sample]) {
        var role: DeviceRole? = profile.role == .load ? nil : profile.role
        if role == nil, samples.contains(where: { $0.quantity == .productionEnergy || $0.quantity == .productionPower })
        {
            role = .solar
        }
        if role == nil, samples.contains(where: { $0.quantity == .batteryPower || $0.quantity == .batteryChargeEnergy })
        {
            role = .battery
        }
        self.init(
            family: profile.registers == nil ? profile.name : "modbus", profile: profile.name,
            profileVersion: profile.version, model: profile.model, role: role, counters: profile.counters,
            ratingWatts: profile.ratingWatts)
    }
}
