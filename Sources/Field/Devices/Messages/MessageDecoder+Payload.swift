import JSONScanner
import Metering
import Timekeeping

extension MessageDecoder {
    /// Samples, or the outcome when there can be none.
    func read(
        _ route: Route, _ topic: UnsafeRawBufferPointer, _ payload: UnsafeRawBufferPointer, received: Timestamp,
        into message: inout DecodedMessage
    ) {
        switch route.kind {
        case .notMine, .ignored: return
        case .wrong:
            _ = match(topic)
            message.outcome = .malformed(lastMistake)
        // Elsewhere an empty payload deletes what the broker stored.
        case .discovery: takeDiscovery(topic, payload, into: &message)
        case .fieldName: takeFieldName(topic, payload, route)
        case .namedNumber: readNamedNumber(topic, payload, route, received: received, into: &message)
        case .homie: readHomie(topic, payload, route, received: received, into: &message)
        case _ where payload.isEmpty: return
        case .availability: readAvailability(route, payload, into: &message)
        case .number: readNumber(payload, route, into: &message)
        case .json: readJSON(route, topic, payload, received: received, into: &message)
        case .csv: readCSV(route, payload, received: received, into: &message)
        case .obis: readOBIS(route, payload, received: received, into: &message)
        case .model: readModel(route, topic, payload, into: &message)
        case .entities: readEntities(route, topic, payload, into: &message)
        case .sparkplug: readSparkplug(topic, payload, route, received: received, into: &message)
        }
    }

    /// Whether the first character begins an object or an array.
    static func looksLikeJSON(_ payload: UnsafeRawBufferPointer) -> Bool {
        let text = withoutByteOrderMark(trimmed(payload))
        guard let first = text.first else { return true }
        return first == UInt8(ascii: "{") || first == UInt8(ascii: "[")
    }

    private func readAvailability(
        _ route: Route, _ payload: UnsafeRawBufferPointer, into message: inout DecodedMessage
    ) {
        guard case .availability(let words) = rules[Int(route.rule)].topic.payload else { return }
        let text = withoutByteOrderMark(trimmed(payload))
        guard !words.path.isEmpty, MessageDecoder.looksLikeJSON(payload) else {
            return take(text, words, into: &message)
        }
        do throws(JSONError) {
            try scanner.scan(text) { root in
                if let value = root.descendant(words.path), !value.isNull { take(value.text, words, into: &message) }
            }
        } catch {
            message.outcome = .malformed(.json(error))
        }
    }

    private func take(
        _ text: UnsafeRawBufferPointer, _ words: MessageProfile.Availability, into message: inout DecodedMessage
    ) {
        if words.online.contains(where: text.elementsEqual) {
            message.outcome = .availability(true)
        } else if words.offline.contains(where: text.elementsEqual) {
            message.outcome = .availability(false)
        } else if !text.isEmpty {
            message.outcome = .malformed(.notAnAvailability(DecodeError.excerpt(text)))
        }
    }

    private func readNumber(
        _ payload: UnsafeRawBufferPointer, _ route: Route, into message: inout DecodedMessage
    ) {
        let text = withoutByteOrderMark(payload)
        guard route.field >= 0 else {
            switch NumberText(text) {
            case .noValue: message.noValueCount += 1
            case .notANumber: message.outcome = .malformed(.notANumber(DecodeError.excerpt(trimmed(text))))
            case .number(let decimal):
                guard let value = Thousandths.from(decimal) else {
                    message.outcome = .malformed(.outOfRange)
                    return
                }
                append(value, route, field: -1, &message)
            }
            return
        }
        let field = trees[Int(route.tree)].fields[Int(route.field)]
        switch field.value(of: text, conversion: field.conversion) {
        case .value(let value): append(value, route, field: route.field, &message)
        case .noValue: message.noValueCount += 1
        case .wrong(let error): message.outcome = .malformed(error)
        }
    }

    private func append(_ value: Int64, _ route: Route, field: Int32, _ message: inout DecodedMessage) {
        let quantity = field < 0 ? route.quantity : table(Int(route.tree)).pointee.targets[Int(field)].quantity
        message.append(
            Sample(channel: route.channel, quantity: quantity, value: value),
            DecodedMessage.Origin(node: route.node, field: field, place: 0))
    }

    // MARK: JSON

    private func readJSON(
        _ route: Route, _ topic: UnsafeRawBufferPointer, _ payload: UnsafeRawBufferPointer, received: Timestamp,
        into message: inout DecodedMessage
    ) {
        let text = withoutByteOrderMark(trimmed(payload))
        if text.isEmpty { return }
        guard case .json(let root) = rules[Int(route.rule)].topic.payload else {
            return readJSON(text, route, root: [], topic, received: received, into: &message)
        }
        readJSON(text, route, root: root, topic, received: received, into: &message)
    }

    private func readJSON(
        _ text: UnsafeRawBufferPointer, _ route: Route, root: [String], _ topic: UnsafeRawBufferPointer,
        received: Timestamp, into message: inout DecodedMessage
    ) {
        let zone = settings.hasZones ? address(of: route, topic).flatMap { settings.zone(of: $0) } : nil
        let elements = rules[Int(route.rule)].topic.elements
        let start = WalkStart(route: route, root: root, elements: elements, received: received, zone: zone)
        let lesson = lesson(for: message, text)
        scan(text, into: &message) { [self] document, isRepaired, message in
            walk(document, start, into: &message)
            if !isRepaired, let lesson { learn(lesson, document, start, message) }
        }
    }

    /// Strictly first. Only when that fails are bare `nan` and `inf` outside of strings taken for null.
    func scan(
        _ text: UnsafeRawBufferPointer, into message: inout DecodedMessage,
        _ body: (_ root: JSONValue, _ isRepaired: Bool, _ message: inout DecodedMessage) -> Void
    ) {
        do throws(JSONError) {
            try scanner.scan(text) { body($0, false, &message) }
            return
        } catch {
            guard replaceBareNaN(text, into: &repaired) else {
                message.outcome = .malformed(.json(error))
                return
            }
        }
        repaired.withUnsafeBytes { text in
            do throws(JSONError) {
                try scanner.scan(text) { body($0, true, &message) }
            } catch {
                message.outcome = .malformed(.json(error))
            }
        }
    }

    /// Values with commas between are the elements of an array that lacks its brackets.
    private func readCSV(
        _ route: Route, _ payload: UnsafeRawBufferPointer, received: Timestamp, into message: inout DecodedMessage
    ) {
        let text = withoutByteOrderMark(trimmed(payload))
        guard !text.isEmpty, text.first != UInt8(ascii: "["), text.first != UInt8(ascii: "{") else {
            if !text.isEmpty { message.outcome = .malformed(.wrongType(expected: "values with commas between")) }
            return
        }
        var array: [UInt8] = [UInt8(ascii: "[")]
        array.reserveCapacity(text.count + 2)
        array.append(contentsOf: text)
        array.append(UInt8(ascii: "]"))
        let start = WalkStart(route: route, root: [], received: received, zone: nil)
        array.withUnsafeBytes { text in
            scan(text, into: &message) { [self] document, _, message in walk(document, start, into: &message) }
        }
    }

    /// What an announcement says about the device's model decides how its topics are read.
    private func readModel(
        _ route: Route, _ topic: UnsafeRawBufferPointer, _ payload: UnsafeRawBufferPointer,
        into message: inout DecodedMessage
    ) {
        guard case .model(let path, let devicePath) = rules[Int(route.rule)].topic.payload,
            MessageDecoder.looksLikeJSON(payload)
        else { return }
        var model: String?
        var device: String?
        scan(withoutByteOrderMark(trimmed(payload)), into: &message) { root, _, _ in
            model = root.descendant(path)?.string()
            if !devicePath.isEmpty { device = root.descendant(devicePath)?.string() }
        }
        guard let model, !model.isEmpty, model.utf8.count <= 128 else { return }
        let named = device.map { "mqtt:\(profiles[Int(route.profile)].name):\($0)" }
        guard let address = named ?? address(of: route, topic), address.utf8.count <= Binding.maximumLength
        else { return }
        learn(model: model, of: address)
    }
}

extension JSONValue {
    /// The value at a path of member names and elements such as `[0]`; nil when there is none.
    func descendant(_ path: [String]) -> JSONValue? {
        var value: JSONValue? = self
        for name in path {
            guard let current = value else { return nil }
            if name.hasPrefix("["), let index = Int(name.dropFirst().dropLast()) {
                value = current.element(index)
            } else {
                value = current.member(name)
            }
        }
        return value
    }

    func element(_ index: Int) -> JSONValue? {
        var at = 0
        for element in elements {
            if at == index { return element }
            at += 1
        }
        return nil
    }
}
