import JSONScanner
import Metering
import Timekeeping

/// What Homie devices have told about their properties. A value whose unit is not known yet says nothing: on a broker
/// that keeps values it is an old one anyway, and the next one comes.
final class HomieTree {
    final class Property {
        var unit: String
        /// Nil: nothing that is measured.
        var measured: AnnouncedQuantity?
        var channel = Channel.total
        /// Its place in `slots`; -1 until its first value.
        var slot = -1

        init(unit: String) { self.unit = unit }
    }

    final class HomieDevice {
        /// By `node/property`.
        var properties: [String: Property] = [:]
        /// Nil: not told yet.
        var isAlive: Bool?
    }

    static let maximumDevices = 1024
    static let maximumProperties = 256

    private(set) var devices: [String: HomieDevice] = [:]
    /// What a topic's values are, so that the next one needs no look at the topic's parts.
    private(set) var slots: [(device: HomieDevice, property: Property)] = []

    /// False when there is no room for one more.
    func change(_ name: String, _ change: (HomieDevice) -> Void) -> Bool {
        guard devices[name] != nil || devices.count < HomieTree.maximumDevices else { return false }
        let device = devices[name] ?? HomieDevice()
        devices[name] = device
        change(device)
        return true
    }

    func slot(of property: Property, _ device: HomieDevice) -> Int {
        if property.slot < 0 {
            property.slot = slots.count
            slots.append((device, property))
        }
        return property.slot
    }

    /// Takes the unit of one property.
    func learn(_ unit: String, of property: String, device: String) -> Bool {
        change(device) { $0.learn(unit, of: property) }
    }
}

extension HomieTree.HomieDevice {
    func learn(_ unit: String, of name: String) {
        guard properties[name] != nil || properties.count < HomieTree.maximumProperties else { return }
        if let known = properties[name], known.unit == unit { return }
        let lowered = name.lowercased()
        let property = properties[name] ?? HomieTree.Property(unit: unit)
        property.unit = unit
        property.channel = .total
        property.measured = try? AnnouncedQuantity(
            deviceClass: Self.deviceClass(unit, lowered), unit: unit, name: lowered.replacing("-", with: "_"))
        if let measured = property.measured {
            let wanted = AnnouncedChannel.hint(name) ?? .total
            let isTaken = properties.contains {
                $0.key != name && $0.value.channel == wanted && $0.value.measured?.quantity == measured.quantity
            }
            property.channel = isTaken ? AnnouncedChannel.slug(name) ?? wanted : wanted
        }
        properties[name] = property
    }

    /// What unit and name say together, where the unit alone does not.
    private static func deviceClass(_ unit: String, _ name: String) -> String {
        switch unit {
        case "°C", "°F", "K": "temperature"
        case "L", "gal": "water"
        case "m³", "m3": name.contains("water") ? "water" : name.contains("gas") ? "gas" : ""
        case "%": name.contains("power-factor") ? "power_factor" : name.contains("battery") ? "battery" : ""
        default: ""
        }
    }
}

extension MessageDecoder {
    func readHomie(
        _ topic: UnsafeRawBufferPointer, _ payload: UnsafeRawBufferPointer, _ route: Route, received: Timestamp,
        into message: inout DecodedMessage
    ) {
        if route.index >= 0 {
            let known = homie.slots[Int(route.index)]
            message.device = Int(route.device)
            return take(trimmed(payload), known.property, of: known.device, into: &message)
        }
        guard topic.count <= Announcements.maximumTopicLength else { return }
        let all = String(decoding: topic, as: UTF8.self).split(separator: "/", omittingEmptySubsequences: false)
        var levels = all.dropFirst(baseLevels(of: route, topic))
        if levels.first == "5" { levels = levels.dropFirst() }
        guard let device = levels.popFirst(), HomieTree.isIdentifier(device) else { return }
        let address = "mqtt:\(profiles[Int(route.profile)].name):\(device)"
        let text = trimmed(payload)
        switch (levels.count, levels.first, levels.last) {
        case (1, "$state", _): readState(text, address, String(device), into: &message)
        case (1, "$description", _): readDescription(text, String(device), into: &message)
        case (3, _, "$unit") where text.count <= 16:
            let name = levels.dropLast().joined(separator: "/")
            _ = homie.learn(String(decoding: text, as: UTF8.self), of: name, device: String(device))
        case (2, _, _) where !levels.contains(where: { $0.hasPrefix("$") }):
            readProperty(text, levels.joined(separator: "/"), address, String(device), into: &message)
        default: return
        }
    }

    /// How many levels of the topic the base takes.
    private func baseLevels(of route: Route, _ topic: UnsafeRawBufferPointer) -> Int {
        let patterns = rules[Int(route.rule)].patterns.map(\.topic)
        var ends: [Int] = []
        for (i, byte) in topic.enumerated() where byte == UInt8(ascii: "/") { ends.append(i) }
        ends.append(topic.count)
        let pattern = patterns.first { $0.match(topic, levelEnds: ends) != nil }
        return (pattern?.levels.count ?? 2) - 1
    }

    private func readState(
        _ text: UnsafeRawBufferPointer, _ address: String, _ device: String, into message: inout DecodedMessage
    ) {
        let isAlive: Bool
        switch String(decoding: text.prefix(16), as: UTF8.self) {
        case "ready", "sleeping", "alert": isAlive = true
        case "lost", "disconnected": isAlive = false
        case "init", "": return
        case let word: return message.outcome = .malformed(.notAnAvailability(word))
        }
        guard homie.change(device, { $0.isAlive = isAlive }), number(address, &message) else { return }
        message.outcome = .availability(isAlive)
    }

    private func readDescription(
        _ text: UnsafeRawBufferPointer, _ device: String, into message: inout DecodedMessage
    ) {
        if text.isEmpty { return }
        scan(text, into: &message) { [self] root, _, message in
            guard root.kind == .object else {
                message.outcome = .malformed(.notAnObject)
                return
            }
            for node in root["nodes"]?.members.prefix(HomieTree.maximumProperties) ?? [] {
                for property in node.value["properties"]?.members.prefix(HomieTree.maximumProperties) ?? [] {
                    guard let unit = property.value["unit"]?.string(), unit.utf8.count <= 16,
                        let nodeName = node.key.string(), let name = property.key.string()
                    else { continue }
                    guard homie.learn(unit, of: "\(nodeName)/\(name)", device: device) else { return }
                }
            }
        }
    }

    private func readProperty(
        _ text: UnsafeRawBufferPointer, _ name: String, _ address: String, _ device: String,
        into message: inout DecodedMessage
    ) {
        guard let known = homie.devices[device], let property = known.properties[name]
        else { return message.unknownCount += 1 }
        take(text, property, of: known, into: &message)
        guard !message.samples.isEmpty, number(address, &message) else { return }
        remember(homie.slot(of: property, known), of: message)
    }

    private func take(
        _ text: UnsafeRawBufferPointer, _ property: HomieTree.Property, of device: HomieTree.HomieDevice,
        into message: inout DecodedMessage
    ) {
        guard let measured = property.measured, device.isAlive ?? true else { return message.unknownCount += 1 }
        switch FieldValue(plain: text, measured.conversion) {
        case .noValue: message.noValueCount += 1
        case .wrong(let error): message.outcome = .malformed(error)
        case .value(let value):
            message.append(
                Sample(channel: property.channel, quantity: measured.quantity, value: value),
                DecodedMessage.Origin(node: 0, field: -1, place: 0))
        }
    }

    /// What the message's topic stands for, for the next message on it.
    private func remember(_ slot: Int, of message: DecodedMessage) {
        guard message.entry >= 0, message.entry < cache.count else { return }
        let entry = cache.entry(message.entry)
        let route = message.isPlain ? \TopicEntry.plain : \TopicEntry.route
        entry.pointee[keyPath: route].index = Int32(slot)
        entry.pointee[keyPath: route].device = Int32(message.device)
    }
}

extension HomieTree {
    /// `[a-z0-9-]`, not with `-` at its start; capitals are let pass.
    static func isIdentifier(_ text: Substring) -> Bool {
        !text.isEmpty && text.utf8.count <= Device.maximumNameLength && !text.hasPrefix("-")
            && text.utf8.allSatisfy { byte in
                (0x30...0x39).contains(byte) || (0x61...0x7A).contains(byte) || (0x41...0x5A).contains(byte)
                    || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_")
            }
    }
}

extension Sequence {
    /// The first `count` at most, for lists from outside.
    fileprivate func prefix(_ count: Int) -> [Element] {
        var list: [Element] = []
        for element in self {
            if list.count == count { break }
            list.append(element)
        }
        return list
    }
}
