import ConfigurationFile
import Devices
import Metering
import Timekeeping

/// A decoder with its profiles, fed with messages from a file: what one needs the other's memory for is kept.
final class MessageSession {
    private let decoder: MessageDecoder
    /// With a family that was named: for topics that none of its patterns knows, read as its JSON.
    private let anyTopic: MessageDecoder?
    private var message = DecodedMessage()

    /// `family` leaves one profile; `configuration` is the daemon's file.
    convenience init(family: String?, configuration path: String?) throws {
        try self.init(family: family, try path.map { try ConfigCommand.Check.load($0) } ?? Configuration())
    }

    /// As above, with a configuration that was read before.
    init(family: String?, _ configuration: Configuration) throws {
        let (catalog, problems) = ProfileCatalog.load(directories: configuration.profileDirectories)
        for problem in problems { Terminal.complain("a profile is left out: \(problem)") }
        var profiles = catalog.profiles.filter { $0.messages != nil }
        if let family {
            profiles.removeAll { $0.name != family }
            guard !profiles.isEmpty else {
                throw Failure(
                    .notFound, "no profile of messages is called \(family); `energyctl profile list` shows them")
            }
        }
        if family == nil, let mapping = configuration.mqtt.mapping { profiles.insert(mapping, at: 0) }
        decoder = MessageDecoder(profiles: profiles, settings: configuration.mqtt.settings)
        anyTopic = family.map { family in
            var settings = configuration.mqtt.settings
            settings.topics[family] = ["{device+}"]
            return MessageDecoder(profiles: profiles, settings: settings)
        }
    }

    func decode(topic: [UInt8], payload: [UInt8], retained: Bool, received: Timestamp) -> MessageAnswer {
        var reader = decoder
        read(topic, payload, retained, received, by: reader)
        if message.outcome == .notMine, let anyTopic {
            reader = anyTopic
            read(topic, payload, retained, received, by: reader)
        }
        var answer = MessageAnswer()
        if message.profile >= 0 { answer.family = decoder.profiles[message.profile].name }
        switch message.outcome {
        case .notMine: answer.notes.append("no profile knows this topic")
        case .nothing, .readings: break
        case .malformed: answer.error = message.complaint
        case .availability(let isUp):
            let sample = Sample(channel: .total, quantity: .available, value: isUp ? 1000 : 0)
            answer.readings.append(reading(sample, retained, reader))
        }
        for sample in message.samples { take(sample, retained, reader, into: &answer) }
        if answer.error == nil, !message.errors.isEmpty {
            answer.error = message.errors.map(\.description).joined(separator: "; ")
        }
        return answer
    }

    private func read(
        _ topic: [UInt8], _ payload: [UInt8], _ retained: Bool, _ received: Timestamp, by reader: MessageDecoder
    ) {
        topic.withUnsafeBytes { topic in
            payload.withUnsafeBytes { payload in
                reader.decode(topic: topic, payload: payload, retained: retained, received: received, into: &message)
            }
        }
    }

    /// As Intake does: what no home's value exceeds is refused, and the rest of the message counts.
    private func take(
        _ sample: Sample, _ retained: Bool, _ reader: MessageDecoder, into answer: inout MessageAnswer
    ) {
        var sample = sample
        switch Plausibility.check(sample.quantity, sample.value) {
        case .ok: break
        case .clamped(let limit): sample.value = limit
        case .reject(let reason):
            answer.error = (answer.error.map { $0 + "; " } ?? "") + "\(sample.channel) \(reason)"
            return
        }
        answer.readings.append(reading(sample, retained, reader))
    }

    private func reading(_ sample: Sample, _ retained: Bool, _ reader: MessageDecoder) -> DecodedReading {
        DecodedReading(
            device: reader.name(of: message.device), sample: sample,
            isRetained: retained || sample.flags.contains(.retained))
    }
}
