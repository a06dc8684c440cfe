import JSONScanner
import Metering

extension MessageDecoder {
    /// Takes an announcement, or with an empty payload takes one back.
    func takeDiscovery(
        _ topic: UnsafeRawBufferPointer, _ payload: UnsafeRawBufferPointer, into message: inout DecodedMessage
    ) {
        guard topic.count <= Announcements.maximumTopicLength else { return }
        announcements.profile = Int32(message.profile)
        let name = String(decoding: topic, as: UTF8.self)
        let text = withoutByteOrderMark(trimmed(payload))
        guard !text.isEmpty else {
            if announcements.replace(name, with: [], [], names: [:]) { cache.removeAll() }
            return
        }
        let levels = name.split(separator: "/", omittingEmptySubsequences: false)
        let family = profiles[message.profile].name
        var configuration: DiscoveryConfiguration?
        scan(text, into: &message) { root, _, message in
            guard root.kind == .object else {
                message.outcome = .malformed(.notAnObject)
                return
            }
            // What we tell others ourselves is no news, and its devices are ours already.
            if MessageDecoder.isOwn(root) { return }
            configuration = DiscoveryConfiguration(root, topic: name, levels: levels, family: family)
        }
        guard let configuration else { return }
        for problem in configuration.problems {
            message.report(.discovery(problem.reason), at: problem.part)
        }
        let known = announcements.entities.count { $0.origin == name }
        if announcements.entities.count - known + configuration.entities.count > Announcements.maximumEntities {
            message.report(.discovery("is one more than \(Announcements.maximumEntities) values"), at: name)
        }
        let isNew = announcements.replace(
            name, with: configuration.entities, configuration.presences, names: configuration.names)
        if let model = configuration.model { learn(model: model.name, of: model.address) }
        if isNew { cache.removeAll() }
        // Its entry went with the cache.
        message.entry = -1
    }

    private static func isOwn(_ root: JSONValue) -> Bool {
        let origin = root.member("origin") ?? root.member("o")
        return origin?.member("name")?.string() == "energyd"
    }

    /// A message on a topic that was announced: each value that stands in it, or the device's presence.
    func readEntities(
        _ route: Route, _ topic: UnsafeRawBufferPointer, _ payload: UnsafeRawBufferPointer,
        into message: inout DecodedMessage
    ) {
        guard let place = announcements.place(Int(route.index)) else { return }
        if let presence = place.presences.first {
            readPresence(presence, payload, into: &message)
            if place.entities.isEmpty { return }
            if case .availability = message.outcome { return }
        }
        message.outcome = .nothing
        guard place.needsJSON else { return take(place.entities, payload, nil, into: &message) }
        let text = withoutByteOrderMark(trimmed(payload))
        // What is no JSON is a device's word for "nothing now".
        if case .noValue = NumberText(text) { return message.noValueCount += 1 }
        scan(text, into: &message) { [self] root, _, message in take(place.entities, payload, root, into: &message) }
    }

    private func take(
        _ entities: [Announcements.Entity], _ payload: UnsafeRawBufferPointer, _ root: JSONValue?,
        into message: inout DecodedMessage
    ) {
        for entity in entities {
            let result: FieldValue
            if let template = entity.template {
                do { result = try template.value(of: payload, root).thousandths(entity.conversion) } catch {
                    message.report(.template(error.reason), at: entity.name)
                    continue
                }
            } else {
                result = FieldValue(plain: payload, entity.conversion)
            }
            switch result {
            case .value(let value):
                message.append(
                    Sample(channel: entity.channel, quantity: entity.quantity, value: value),
                    DecodedMessage.Origin(node: 0, field: -1, place: 0))
            case .noValue: message.noValueCount += 1
            case .wrong(let error): message.report(error, at: entity.name)
            }
        }
    }

    private func readPresence(
        _ presence: Announcements.Presence, _ payload: UnsafeRawBufferPointer, into message: inout DecodedMessage
    ) {
        let text = withoutByteOrderMark(trimmed(payload))
        var word: [UInt8]? = Array(text)
        if !presence.path.isEmpty {
            word = nil
            scan(text, into: &message) { root, _, _ in
                word = root.descendant(presence.path).map { Array($0.text) }
            }
        }
        guard let word, word == presence.online || word == presence.offline else { return }
        announcements.lastWords[presence] = word == presence.online
        let own = announcements.presences.filter { $0.device == presence.device }
        let isThere =
            presence.needsAll
            ? own.allSatisfy { announcements.lastWords[$0] ?? false } : word == presence.online
        message.outcome = .availability(isThere)
    }
}
