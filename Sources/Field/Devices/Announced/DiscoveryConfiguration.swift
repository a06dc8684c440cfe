import JSONScanner
import Metering

/// One announcement, read: its values and where the device says that it is there.
struct DiscoveryConfiguration {
    private(set) var entities: [Announcements.Entity] = []
    private(set) var presences: [Announcements.Presence] = []
    private(set) var names: [String: String] = [:]
    private(set) var model: (address: String, name: String)?
    /// Values that are left out, and why.
    private(set) var problems: [(part: String, reason: String)] = []

    private let origin: String
    private let family: String
    private var device = ""

    /// A single announcement may hold this many components.
    private static let maximumParts = 128

    /// `levels` are those of the topic: prefix, component, perhaps a node, object, `config`.
    init(_ root: JSONValue, topic: String, levels: [Substring], family: String) {
        origin = topic
        self.family = family
        guard levels.count >= 4 else { return }
        let component = String(levels[levels.count == 4 ? 1 : levels.count - 4])
        let object = String(levels[levels.count - 2])
        readDevice(Self.member(root, "dev", "device"), or: String(levels[levels.count - 3]), object, component)
        if component == "device" {
            readPresences(root)
            guard let parts = Self.member(root, "cmps", "components") else { return }
            for part in parts.members.prefix(DiscoveryConfiguration.maximumParts) {
                guard Self.text(part.value, "p", "platform") == "sensor" else { continue }
                read(part.value, part: part.key.string() ?? "", sharing: root)
            }
        } else if component == "sensor" {
            readPresences(root)
            read(root, part: object, sharing: root)
        }
    }

    private static func member(_ object: JSONValue, _ short: String, _ long: String) -> JSONValue? {
        object.member(long) ?? object.member(short)
    }

    private static func text(_ object: JSONValue, _ short: String, _ long: String) -> String? {
        member(object, short, long)?.string()
    }

    private mutating func readDevice(_ block: JSONValue?, or node: String, _ object: String, _ component: String) {
        let ids = block.flatMap { Self.member($0, "ids", "identifiers") }
        let id = ids?.string() ?? ids?.element(0)?.string()
        let name = block.flatMap { Self.text($0, "name", "name") }
        // Without a device of its own an entity is one; its node, if it has any, groups.
        let fallback = node == component ? object : node
        let known = [id, name, fallback].compactMap { $0 }.first { !$0.isEmpty } ?? object
        device = "mqtt:\(family):\(DiscoveryConfiguration.clean(known))"
        if let name, !name.isEmpty { names[device] = DiscoveryConfiguration.clean(name) }
        if let text = block.flatMap({ Self.text($0, "mdl", "model") }), !text.isEmpty, text.utf8.count <= 128 {
            model = (device, text)
        }
    }

    /// At most what a device's name may have, without control characters.
    private static func clean(_ name: String) -> String {
        var text = ""
        for character in name where !character.isNewline && character.unicodeScalars.allSatisfy({ $0.value >= 0x20 }) {
            guard text.utf8.count + character.utf8.count <= Device.maximumNameLength else { break }
            text.append(character)
        }
        return text.isEmpty ? "device" : text
    }

    /// `~` at the start or end of a topic stands for the base.
    private func topic(_ text: String, base: String?) -> String? {
        var topic = text
        if let base {
            if topic.hasPrefix("~") { topic = base + topic.dropFirst() }
            if topic.hasSuffix("~") { topic = topic.dropLast() + base }
        }
        let isUsable =
            !topic.isEmpty && topic.utf8.count <= Announcements.maximumTopicLength
            && !topic.contains { "+#\0".contains($0) }
        return isUsable ? topic : nil
    }

    private mutating func read(_ part: JSONValue, part name: String, sharing root: JSONValue) {
        let base = Self.text(part, "~", "~") ?? Self.text(root, "~", "~")
        guard let state = Self.text(part, "stat_t", "state_topic") ?? Self.text(root, "stat_t", "state_topic") else {
            return problems.append((name, "has no state_topic"))
        }
        guard let topic = topic(state, base: base) else {
            return problems.append((name, "has a state_topic that no message can have: `\(state.prefix(64))`"))
        }
        let words = [
            Self.text(part, "uniq_id", "unique_id"), Self.text(part, "obj_id", "object_id"),
            Self.text(part, "name", "name"), name,
        ].compactMap { $0 }
        do throws(AnnouncedQuantity.Problem) {
            let measured = try AnnouncedQuantity(
                deviceClass: Self.text(part, "dev_cla", "device_class") ?? "",
                unit: Self.text(part, "unit_of_meas", "unit_of_measurement") ?? "", name: words.joined(separator: " "))
            let template = try Self.template(part)
            entities.append(
                Announcements.Entity(
                    origin: origin, part: name, topic: topic, device: device,
                    name: String((words.last ?? name).prefix(64)),
                    words: String(words.joined(separator: " ").prefix(256)),
                    quantity: measured.quantity,
                    conversion: measured.conversion, template: template, channel: .total))
        } catch {
            if case .contradiction(let reason) = error { problems.append((name, reason)) }
        }
    }

    private static func template(_ part: JSONValue) throws(AnnouncedQuantity.Problem) -> Template? {
        guard let text = Self.text(part, "val_tpl", "value_template") else { return nil }
        do throws(Template.Failure) { return try Template(text) } catch {
            throw .contradiction("has a template that \(error.reason)")
        }
    }

    private mutating func readPresences(_ root: JSONValue) {
        addPresence(
            Self.text(root, "avty_t", "availability_topic"), root, Self.text(root, "avty_tpl", "availability_template"),
            root)
        guard let list = Self.member(root, "avty", "availability") else { return }
        let entries = list.kind == .array ? Array(list.elements.prefix(16)) : list.kind == .object ? [list] : []
        for entry in entries {
            addPresence(Self.text(entry, "t", "topic"), entry, Self.text(entry, "val_tpl", "value_template"), root)
        }
    }

    /// `object` may say in which words.
    private mutating func addPresence(_ text: String?, _ object: JSONValue, _ template: String?, _ root: JSONValue) {
        guard let text, let topic = topic(text, base: Self.text(root, "~", "~")) else { return }
        var path: [String] = []
        if let template {
            // A template beyond the subset: nothing is known about the device's presence.
            guard let parsed = try? Template(template), case .json(let found) = parsed.expression else { return }
            path = found
        }
        let online = Self.text(object, "pl_avail", "payload_available") ?? "online"
        let offline = Self.text(object, "pl_not_avail", "payload_not_available") ?? "offline"
        presences.append(
            Announcements.Presence(
                origin: origin, topic: topic, device: device, online: Array(online.utf8), offline: Array(offline.utf8),
                path: path, needsAll: Self.text(root, "avty_mode", "availability_mode") == "all"))
    }
}
