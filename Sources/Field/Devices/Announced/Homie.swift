import JSONScanner
import Metering
import Timekeeping

/// What Homie devices have told about their properties. A value whose unit is not known yet says nothing: on a broker
/// that keeps values it is an old one anyway, and the next one comes.
final class HomieTree {
    struct Property {
        var unit = ""
        /// Nil: nothing that is measured.
        var measured: AnnouncedQuantity?
        var channel = Channel.total
    }

    struct HomieDevice {
        /// By `node/property`.
        var properties: [String: Property] = [:]
        /// Nil: not told yet.
        var isAlive: Bool?
    }

    static let maximumDevices = 1024
    static let maximumProperties = 256

    private(set) var devices: [String: HomieDevice] = [:]

    /// False when there is no room for one more.
    func change(_ device: String, _ change: (inout HomieDevice) -> Void) -> Bool {
        guard devices[device] != nil || devices.count < HomieTree.maximumDevices else { return false }
        change(&devices[device, default: HomieDevice()])
        return true
    }

    /// Takes the unit of one property.
    func learn(_ unit: String, of property: String, device: String) -> Bool {
        change(device) { $0.learn(unit, of: property) }
    }
}

extension HomieTree.HomieDevice {
    mutating func learn(_ unit: String, of name: String) {
        guard properties[name] != nil || properties.count < HomieTree.maximumProperties else { return }
        if let known = properties[name], known.unit == unit { return }
        let lowered = name.lowercased()
        var property = HomieTree.Property(unit: unit)
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
        guard let known = homie.devices[device], let property = known.properties[name],
            let measured = property.measured, known.isAlive ?? true
        else { return message.unknownCount += 1 }
        let field = Field(path: [], quantity: measured.quantity, conversion: measured.conversion)
        switch field.value(of: text, conversion: measured.conversion, isSimple: true) {
        case .noValue: message.noValueCount += 1
        case .wrong(let error): message.outcome = .malformed(error)
        case .value(let value):
            guard number(address, &message) else { return }
            message.append(
                Sample(channel: property.channel, quantity: measured.quantity, value: value),
                DecodedMessage.Origin(node: 0, field: -1, place: 0))
        }
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
