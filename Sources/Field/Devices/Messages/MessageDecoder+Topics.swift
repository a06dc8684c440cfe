import Metering

extension MessageDecoder {
    /// What the topic is, by the first rule that knows it; and what a plain payload on it is, by the first that reads
    /// those, where that is another one.
    func match(_ topic: UnsafeRawBufferPointer) -> TopicEntry {
        var entry = TopicEntry()
        // A broker's own topics; wildcards at the start do not mean them.
        if topic.isEmpty || topic[0] == UInt8(ascii: "$") { return entry }
        var ends: [Int] = []
        for (i, byte) in topic.enumerated() where byte == UInt8(ascii: "/") { ends.append(i) }
        ends.append(topic.count)
        let announced = announcements.route(topic)
        for candidate in candidates where candidate.mayMatch(topic, levels: ends.count) {
            let rule = rules[candidate.rule]
            guard entry.isOpen(to: rule.family, rules), entry.route.rule != candidate.rule,
                var route = route(rule, candidate, topic, ends)
            else { continue }
            if let announced, families[rule.family].profile.yieldsToDiscovery {
                route = yielded(route, to: announced, topic)
            }
            entry.take(route)
        }
        if entry.route.kind == .notMine, let announced { entry.route = announced }
        return entry
    }

    /// Of an ignored route: no field has the name that the topic gives.
    static let unknownField: Int32 = -2

    /// What discovery says about the value, for the device that the topic tells.
    private func yielded(_ route: Route, to announced: Route, _ topic: UnsafeRawBufferPointer) -> Route {
        var route = route
        let name = String(decoding: topic[route.deviceRange], as: UTF8.self)
        // Else the device would be told from its values: they announce it under another name.
        if route.kind == .availability, !announcesValues(of: name, in: rules[Int(route.rule)].family) {
            return announced
        }
        guard route.kind == .number || route.index == MessageDecoder.unknownField else { return route }
        route.kind = .entities
        route.index = announced.index
        return route
    }

    /// Whether values were announced on topics that the family reads as the device's.
    private func announcesValues(of device: String, in family: Int) -> Bool {
        let patterns = rules.filter { $0.family == family && $0.topic.payload == .number }.flatMap(\.patterns)
        return announcements.topics.contains { topic in
            guard topic.hasPrefix(device + "/") else { return false }
            return Array(topic.utf8).withUnsafeBytes { bytes in
                let ends = bytes.indices.filter { bytes[$0] == UInt8(ascii: "/") } + [bytes.count]
                return patterns.contains { pattern in
                    pattern.topic.match(bytes, levelEnds: ends)?.device?.count == device.utf8.count
                }
            }
        }
    }

    private func route(
        _ rule: Rule, _ candidate: Candidate, _ topic: UnsafeRawBufferPointer, _ ends: [Int]
    ) -> Route? {
        guard let found = rule.patterns[candidate.pattern].topic.match(topic, levelEnds: ends) else { return nil }
        let device = found.device ?? 0..<0
        var route = Route()
        route.profile = Int32(families[rule.family].index)
        route.rule = Int32(candidate.rule)
        route.tree = Int32(rule.family * 2)
        route.deviceStart = Int32(device.lowerBound)
        route.deviceEnd = Int32(device.upperBound)
        return concerns(rule, route, topic) ? complete(route, rule, candidate.pattern, found, topic) : nil
    }

    /// Whether the rule is for such a device.
    private func concerns(_ rule: Rule, _ route: Route, _ topic: UnsafeRawBufferPointer) -> Bool {
        if rule.topic.devices.isEmpty && rule.topic.models.isEmpty { return true }
        let name = UnsafeRawBufferPointer(rebasing: topic[route.deviceRange])
        if rule.topic.devices.contains(where: { $0.matches(name) }) { return true }
        guard !rule.topic.models.isEmpty, let address = address(of: route, topic), let model = models[address]
        else { return false }
        return rule.topic.models.contains(model)
    }

    /// Nil when the rule does not take the topic's words after all.
    private func complete(
        _ partial: Route, _ rule: Rule, _ pattern: Int, _ found: TopicPattern.Match, _ topic: UnsafeRawBufferPointer
    ) -> Route? {
        var route = partial
        route.channel = rule.topic.channel
        if let range = found.channel {
            let word = UnsafeRawBufferPointer(rebasing: topic[range])
            route.namesChannel = true
            if rule.topic.channelNames.isEmpty {
                // On our own topics a name that is none is a mistake; a maker's names are taken as they come.
                let isOurs = found.quantity != nil || rule.topic.payload == .canonical
                guard let named = isOurs ? Channel(utf8: word) : channelName(word) else {
                    return wrong(route, .badChannel(DecodeError.excerpt(word)))
                }
                route.channel = named
            } else {
                guard let named = rule.topic.channelNames[String(decoding: word, as: UTF8.self)] else { return nil }
                route.channel = named
            }
        }
        let room = Binding.maximumLength - "mqtt::".utf8.count - Profile.maximumNameLength
        if route.deviceRange.count > room {
            return wrong(route, .deviceNameTooLong(bytes: route.deviceRange.count, maximum: room))
        }
        var path = rule.topic.under
        if let range = found.field { path.append(String(decoding: topic[range], as: UTF8.self)) }
        let tree = families[rule.family].profile.tree
        switch rule.topic.payload {
        case .json: return at(tree.node(at: path), .json, route)
        case .csv: return at(tree.node(at: path), .csv, route)
        case .obis: return at(tree.node(at: path), .obis, route)
        case .canonical:
            route.kind = .json
            route.tree += 1
        case .number:
            if let range = found.quantity { return numberRoute(route, topic[range]) }
            return number(route, tree, path)
        case .availability: route.kind = .availability
        case .ignored: route.kind = .ignored
        case .model: route.kind = .model
        case .discovery: route.kind = .discovery
        case .homie: route.kind = .homie
        case .sparkplug: route.kind = .sparkplug
        case .fieldName: route.kind = .fieldName
        case .namedNumber:
            route.kind = .namedNumber
            route.node = Int32(pattern)
        }
        return route
    }

    private func at(_ node: Int?, _ kind: Route.Kind, _ partial: Route) -> Route {
        var route = partial
        route.kind = node == nil ? .ignored : kind
        route.index = node == nil ? MessageDecoder.unknownField : -1
        route.node = Int32(node ?? 0)
        return route
    }

    private func number(_ partial: Route, _ tree: FieldTree, _ path: [String]) -> Route {
        var route = partial
        guard let node = tree.node(at: path), let field = tree.plainField(at: node) else {
            return at(nil, .ignored, route)
        }
        route.kind = .number
        route.node = Int32(node)
        route.field = Int32(field)
        if let own = tree.fields[field].channel { route.channel = own }
        return route
    }

    private func numberRoute(_ partial: Route, _ word: Slice<UnsafeRawBufferPointer>) -> Route {
        var route = partial
        let name = String(decoding: word.prefix(64), as: UTF8.self)
        guard let quantity = Quantity(name: name), MessageProfile.statedQuantities.contains(quantity) else {
            return wrong(route, MessageDecoder.unknownQuantity(name))
        }
        route.kind = .number
        route.quantity = quantity
        return route
    }

    private func wrong(_ partial: Route, _ error: DecodeError) -> Route {
        var route = partial
        route.kind = .wrong
        lastMistake = error
        return route
    }

    /// `mqtt:tasmota:plug_washer`; nil where neither topic nor rule names a device.
    func address(of route: Route, _ topic: UnsafeRawBufferPointer) -> String? {
        if route.kind == .entities, route.rule < 0 { return announcements.device(at: Int(route.index)) }
        guard route.profile >= 0, route.rule >= 0 else { return nil }
        let family = profiles[Int(route.profile)].name
        guard route.deviceRange.isEmpty else {
            guard route.deviceRange.upperBound <= topic.count else { return nil }
            return "mqtt:\(family):\(String(decoding: topic[route.deviceRange], as: UTF8.self))"
        }
        return stated(route, topic).map { "mqtt:\(family):\($0)" }
    }

    /// The device that the rule states for the pattern that the topic matches.
    private func stated(_ route: Route, _ topic: UnsafeRawBufferPointer) -> String? {
        let rule = rules[Int(route.rule)]
        guard rule.patterns.count > 1 else { return rule.patterns.first?.device }
        var ends: [Int] = []
        for (i, byte) in topic.enumerated() where byte == UInt8(ascii: "/") { ends.append(i) }
        ends.append(topic.count)
        return rule.patterns.first { $0.topic.match(topic, levelEnds: ends) != nil }?.device
    }
}

extension TopicEntry {
    /// Whether a rule of `family` may still add to it: nothing is known yet, or the same family has left something
    /// open.
    fileprivate func isOpen(to family: Int, _ rules: [MessageDecoder.Rule]) -> Bool {
        if route.kind == .notMine { return true }
        guard route.rule >= 0, rules[Int(route.rule)].family == family else { return false }
        // A field that nobody knows may be another rule's, and JSON leaves room for a plain reading.
        return isUnknown || route.kind == .json && plain.kind == .notMine
    }

    private var isUnknown: Bool { route.kind == .ignored && route.index == MessageDecoder.unknownField }

    fileprivate mutating func take(_ new: Route) {
        if route.kind == .notMine || isUnknown {
            route = new
        } else if new.kind == .number || new.index == MessageDecoder.unknownField {
            plain = new
        }
    }
}
