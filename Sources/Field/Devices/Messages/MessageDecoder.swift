import JSONScanner
import Metering
import Timekeeping

/// Turns topics and payloads into samples. Deterministic: what it keeps between messages only saves work.
///
/// One thread at a time. After the first message on a topic it allocates nothing, except for errors.
package final class MessageDecoder {
    /// Payloads above this are refused unread.
    package static let maximumPayload = 256 << 10
    /// Device addresses that get a number; a broker with more is asked for in the configuration.
    package static let maximumDevices = 16_384

    package let profiles: [Profile]
    /// The message profiles with their place in `profiles`.
    private let messages: [(index: Int, profile: MessageProfile)]
    /// Two per message profile: its own fields, and our canonical ones.
    let trees: [FieldTree]
    /// The same, laid out for the walk.
    private let tables: UnsafeMutableBufferPointer<FieldTable>
    let arrays: [MessageProfile.ArrayChannels]
    private let scanner = JSONScanner(limits: .message)
    private var cache = TopicCache()
    private var devices: [String: Int] = [:]
    private var addresses: [String] = []
    private var repaired: [UInt8] = []

    /// Earlier profiles win where two know the same topic; those of registers are passed over.
    package init(profiles: [Profile]) {
        self.profiles = profiles
        messages = profiles.enumerated().compactMap { index, profile in profile.messages.map { (index, $0) } }
        trees = messages.flatMap { [$0.profile.tree, $0.profile.canonical] }
        arrays = messages.map(\.profile.arrays)
        tables = .allocate(capacity: trees.count)
        _ = tables.initialize(from: trees.map(FieldTable.init))
    }

    deinit {
        for table in tables { table.deallocate() }
        tables.deallocate()
    }

    func table(_ tree: Int) -> UnsafePointer<FieldTable> { UnsafePointer(tables.baseAddress! + tree) }

    /// The filters to subscribe to, without repeats.
    package var subscriptions: [String] {
        var seen: Set<String> = []
        return messages.flatMap(\.profile.subscriptions).filter { seen.insert($0).inserted }
    }

    /// What a `DecodedMessage.device` stands for: `mqtt:tasmota:plug_washer`.
    package func address(of device: Int) -> String { addresses[device] }

    /// The device as people call it: the last part of its address.
    package func name(of device: Int) -> String {
        let parts = addresses[device].split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
        return String(parts[parts.count - 1])
    }

    /// Reads one message. `retained` is the broker's flag: what it stored, and not news. `received` bounds the times
    /// that the payload may state.
    package func decode(
        topic: UnsafeRawBufferPointer, payload: UnsafeRawBufferPointer, retained: Bool, received: Timestamp,
        into message: inout DecodedMessage
    ) {
        message.reset()
        let hash = TopicCache.hash(topic)
        let index = cache.find(topic, hash: hash) ?? cache.insert(topic, hash: hash, match(topic))
        let entry = cache.entries[index]
        message.profile = entry.profile
        message.deviceRange = entry.deviceRange
        if case .notMine = entry.meaning { return }
        guard payload.count <= MessageDecoder.maximumPayload else {
            message.outcome = .malformed(
                .payloadTooLarge(bytes: payload.count, maximum: MessageDecoder.maximumPayload))
            return
        }
        message.outcome = .nothing
        // An empty payload deletes what the broker stored.
        if payload.isEmpty { return }
        read(entry, payload, retained: retained, received: received, into: &message)
        settle(&message, retained: retained)
        if case .readings = message.outcome { number(topic, entry, at: index, &message) }
        if case .availability = message.outcome { number(topic, entry, at: index, &message) }
    }

    private func read(
        _ entry: TopicEntry, _ payload: UnsafeRawBufferPointer, retained: Bool, received: Timestamp,
        into message: inout DecodedMessage
    ) {
        switch entry.meaning {
        case .notMine, .ignored: return
        case .wrong(let error): message.outcome = .malformed(error)
        case .availability(let online, let offline):
            let text = trimmed(payload)
            if online.contains(where: text.elementsEqual) {
                message.outcome = .availability(true)
            } else if offline.contains(where: text.elementsEqual) {
                message.outcome = .availability(false)
            } else if !text.isEmpty {
                message.outcome = .malformed(.notAnAvailability(DecodeError.excerpt(text)))
            }
        case .number(let field, let channel):
            readNumber(payload, field, channel, into: &message)
        case .json(let tree, let root):
            readJSON(payload, tree: tree, root: root, received: received, into: &message)
        }
    }

    /// A stored message is no news: an amount per report in it was counted when it was new.
    private func settle(_ message: inout DecodedMessage, retained: Bool) {
        if retained {
            message.samples.removeAll { $0.quantity.behaviour == .delta }
            for i in message.samples.indices { message.samples[i].flags.insert(.retained) }
        }
        guard case .nothing = message.outcome else { return }
        if !message.samples.isEmpty {
            message.outcome = .readings
        } else if let first = message.errors.first {
            message.outcome = .malformed(first.error)
        }
    }

    private func readNumber(
        _ payload: UnsafeRawBufferPointer, _ field: Field, _ channel: Channel, into message: inout DecodedMessage
    ) {
        switch NumberText(payload) {
        case .noValue: message.noValueCount += 1
        case .notANumber: message.outcome = .malformed(.notANumber(DecodeError.excerpt(trimmed(payload))))
        case .number(let decimal):
            guard let value = field.conversion.thousandths(decimal) else {
                message.outcome = .malformed(.outOfRange)
                return
            }
            if field.noValue.contains(value) {
                message.noValueCount += 1
            } else {
                message.samples.append(Sample(channel: channel, quantity: field.quantity, value: value))
            }
        }
    }

    /// Strictly first. Only when that fails are bare `nan` and `inf` outside of strings taken for null.
    private func readJSON(
        _ payload: UnsafeRawBufferPointer, tree: Int, root: [String], received: Timestamp,
        into message: inout DecodedMessage
    ) {
        let text = withoutByteOrderMark(trimmed(payload))
        if text.isEmpty { return }
        do throws(JSONError) {
            try scanner.scan(text) { walk($0, tree: tree, root: root, received: received, into: &message) }
            return
        } catch {
            guard replaceBareNaN(text, into: &repaired) else {
                message.outcome = .malformed(.json(error))
                return
            }
        }
        repaired.withUnsafeBytes { text in
            do throws(JSONError) {
                try scanner.scan(text) { walk($0, tree: tree, root: root, received: received, into: &message) }
            } catch {
                message.outcome = .malformed(.json(error))
            }
        }
    }

    /// Gives the message its device's number, a new one when its address is new.
    private func number(
        _ topic: UnsafeRawBufferPointer, _ entry: TopicEntry, at index: Int, _ message: inout DecodedMessage
    ) {
        if entry.device < 0 {
            let name = String(decoding: topic[entry.deviceRange], as: UTF8.self)
            let address = "mqtt:\(profiles[entry.profile].name):\(name)"
            guard let device = devices[address] ?? newDevice(address) else {
                message.outcome = .malformed(.tooManyDevices(maximum: MessageDecoder.maximumDevices))
                message.samples.removeAll(keepingCapacity: true)
                return
            }
            cache.setDevice(device, at: index)
            message.device = device
        } else {
            message.device = entry.device
        }
    }

    private func newDevice(_ address: String) -> Int? {
        guard addresses.count < MessageDecoder.maximumDevices else { return nil }
        devices[address] = addresses.count
        addresses.append(address)
        return addresses.count - 1
    }

    // MARK: Topics

    private func match(_ topic: UnsafeRawBufferPointer) -> TopicEntry {
        let nothing = TopicEntry(meaning: .notMine, profile: -1, deviceRange: 0..<0)
        // A broker's own topics; wildcards at the start do not mean them.
        if topic.isEmpty || topic[0] == UInt8(ascii: "$") { return nothing }
        var ends: [Int] = []
        for (i, byte) in topic.enumerated() where byte == UInt8(ascii: "/") { ends.append(i) }
        ends.append(topic.count)
        for (position, (index, profile)) in messages.enumerated() {
            for rule in profile.topics {
                guard let found = rule.pattern.match(topic, levelEnds: ends) else { continue }
                let device = found.device ?? 0..<0
                let meaning = meaning(of: rule, found, in: profile, trees: position * 2, topic)
                return TopicEntry(meaning: meaning, profile: index, deviceRange: device)
            }
        }
        return nothing
    }

    private func meaning(
        of rule: MessageProfile.Topic, _ found: TopicPattern.Match, in profile: MessageProfile, trees: Int,
        _ topic: UnsafeRawBufferPointer
    ) -> TopicEntry.Meaning {
        if case .ignored = rule.payload { return .ignored }
        let device = found.device?.count ?? 0
        let room = Binding.maximumLength - "mqtt::".utf8.count - Profile.maximumNameLength
        if device > room { return .wrong(.deviceNameTooLong(bytes: device, maximum: room)) }
        switch rule.payload {
        case .json(let root): return .json(tree: trees, root: root)
        case .canonical: return .json(tree: trees + 1, root: [])
        case .availability(let online, let offline): return .availability(online: online, offline: offline)
        case .ignored: return .ignored
        case .number(let fixed):
            return numberMeaning(of: rule, found, fixed.map { profile.fields[$0] }, in: profile, topic)
        }
    }

    private func numberMeaning(
        of rule: MessageProfile.Topic, _ found: TopicPattern.Match, _ fixed: Field?, in profile: MessageProfile,
        _ topic: UnsafeRawBufferPointer
    ) -> TopicEntry.Meaning {
        var channel = rule.channel
        if let range = found.channel {
            let word = String(decoding: topic[range], as: UTF8.self)
            guard let named = rule.channelNames[word] ?? Channel(word) else {
                return .wrong(.badChannel(DecodeError.excerpt(UnsafeRawBufferPointer(rebasing: topic[range]))))
            }
            channel = named
        } else if let own = fixed?.channel {
            channel = own
        }
        if let fixed { return .number(field: fixed, channel: channel) }
        if let range = found.field {
            let word = String(decoding: topic[range], as: UTF8.self)
            guard let field = profile.fields.first(where: { $0.name == word }) else { return .ignored }
            return .number(field: field, channel: found.channel == nil ? field.channel ?? channel : channel)
        }
        let name = found.quantity.map { String(decoding: topic[$0].prefix(64), as: UTF8.self) } ?? ""
        guard let quantity = Quantity(name: name), MessageProfile.statedQuantities.contains(quantity) else {
            return .wrong(MessageDecoder.unknownQuantity(name))
        }
        return .number(field: Field(path: [], quantity: quantity, conversion: .canonical), channel: channel)
    }
}
