import JSONScanner
import Metering
import TOML
import Timekeeping

/// What is known while one object, with a time of its own, is walked.
struct ObjectWalk {
    let tree: Int
    /// The decoder's own, for as long as it lives.
    let table: UnsafePointer<FieldTable>
    let root: JSONValue
    let received: Timestamp
    /// Index of the object's first sample.
    let firstSample: Int
    /// Of our own payload: the channel whose object is walked.
    var channel: Channel?
    var time: SampleTime = .none
    /// The object states a time that cannot be read.
    var hasBadTime = false
    /// Whether arrays of three are phases; nil until an array asks.
    var arraysArePhases: Bool?
}

extension MessageDecoder {
    /// Objects in one message: all that fit into a payload of the largest size.
    static let maximumObjects = 16_384

    func walk(
        _ document: JSONValue, tree: Int, root path: [String], received: Timestamp, into message: inout DecodedMessage
    ) {
        message.origins.removeAll(keepingCapacity: true)
        var root = document
        for name in path {
            guard let member = root.member(name) else { return }
            root = member
        }
        switch root.kind {
        case .object: walkRoot(root, tree: tree, received: received, into: &message)
        case .null: message.noValueCount += 1
        case .array where trees[tree].takesBatches:
            var count = 0
            for element in root.elements {
                count += 1
                guard count <= MessageDecoder.maximumObjects else {
                    message.report(.tooManyObjects(maximum: MessageDecoder.maximumObjects), at: "the payload")
                    return
                }
                guard element.kind == .object else {
                    message.report(.wrongType(expected: "an object"), at: "element \(count)")
                    continue
                }
                walkRoot(element, tree: tree, received: received, into: &message)
            }
        default: message.outcome = .malformed(.notAnObject)
        }
    }

    /// One object with its time; the samples of an object whose time cannot be read are dropped, since they would be
    /// booked at the wrong instant.
    private func walkRoot(
        _ root: JSONValue, tree: Int, received: Timestamp, into message: inout DecodedMessage
    ) {
        var walk = ObjectWalk(
            tree: tree, table: table(tree), root: root, received: received, firstSample: message.samples.count)
        walkObject(root, node: 0, name: nil, &walk, into: &message)
        if walk.hasBadTime {
            message.samples.removeSubrange(walk.firstSample...)
            message.origins.removeSubrange(walk.firstSample...)
        } else if walk.time != .none {
            for i in walk.firstSample..<message.samples.count {
                message.samples[i].time = walk.time
                if walk.time == .untrusted { message.samples[i].flags.insert(.timeUntrusted) }
            }
        }
    }

    /// `name` is what the path's `*` stood for.
    private func walkObject(
        _ object: JSONValue, node: Int, name: Channel?, _ walk: inout ObjectWalk, into message: inout DecodedMessage
    ) {
        let first = message.samples.count
        let table = walk.table
        let children = table.pointee.children(of: node)
        var seen: UInt64 = 0
        var hint = children.lowerBound
        for member in object.members {
            let key = member.key.text
            guard let child = table.pointee.find(key, among: children, from: hint) else {
                unnamed(key, member.value, node: node, &walk, into: &message)
                continue
            }
            hint = child + 1
            let bit: UInt64 = 1 << UInt64(child - children.lowerBound)
            let isWildcard = table.pointee.nodes[child].nameLength < 0
            // Of two members of one name the last counts.
            if seen & bit != 0, !isWildcard { forget(child, from: first, walk.tree, &message) }
            seen |= bit
            let stands = isWildcard ? channelName(key) : name
            if isWildcard, stands == nil {
                message.unknownCount += 1
            } else {
                take(member.value, node: child, name: stands, &walk, into: &message)
            }
        }
        if first < message.samples.count { reinterpret(from: first, within: children, seen, walk.tree, &message) }
    }

    /// A member that no field names: in our own payload a channel, or a mistake.
    private func unnamed(
        _ key: UnsafeRawBufferPointer, _ value: JSONValue, node: Int, _ walk: inout ObjectWalk,
        into message: inout DecodedMessage
    ) {
        message.unknownCount += 1
        guard walk.table.pointee.isStrict else { return }
        let word = DecodeError.excerpt(key)
        guard walk.table.pointee.objectsAreChannels, value.kind == .object, walk.channel == nil else {
            message.report(MessageDecoder.unknownQuantity(word), at: word)
            return
        }
        guard let channel = Channel(utf8: key) else {
            message.report(.badChannel(word), at: word)
            return
        }
        message.unknownCount -= 1
        walk.channel = channel
        walkObject(value, node: 0, name: nil, &walk, into: &message)
        walk.channel = nil
    }

    static func unknownQuantity(_ name: String) -> DecodeError {
        .unknownQuantity(name, nearest: nearest(name, among: MessageProfile.statedQuantities.map(\.name)))
    }

    private func take(
        _ value: JSONValue, node: Int, name: Channel?, _ walk: inout ObjectWalk, into message: inout DecodedMessage
    ) {
        switch walk.table.pointee.nodes[node].role {
        case .ignored: return
        case .time: takeTime(value, node: node, &walk, into: &message)
        case .field(let field): takeField(value, field: field, node: node, name: name, &walk, into: &message)
        case .object:
            switch value.kind {
            case .object: walkObject(value, node: node, name: name, &walk, into: &message)
            case .null: message.noValueCount += 1
            // A name that `*` stands for may be anything: `TempUnit`, a version.
            default:
                if walk.table.pointee.nodes[node].nameLength < 0 {
                    message.unknownCount += 1
                } else {
                    message.report(.wrongType(expected: "an object"), at: trees[walk.tree].path(of: node))
                }
            }
        }
    }

    private func takeTime(
        _ value: JSONValue, node: Int, _ walk: inout ObjectWalk, into message: inout DecodedMessage
    ) {
        if value.isNull || walk.channel != nil { return }
        let result: TimeText.Result =
            switch value.kind {
            case .string: TimeText.read(value.text)
            case .number: value.numberText.flatMap { DecimalText($0) }.map { TimeText.read(epoch: $0) } ?? .unreadable
            default: .unreadable
            }
        // Families with local times state them in every message; ours must name an instant.
        let isOurs = walk.table.pointee.isStrict
        walk.hasBadTime = false
        switch result {
        case .instant(let instant): walk.time = TimeText.trust(instant, received: walk.received)
        case .local where !isOurs: walk.time = .none
        case .local, .unreadable:
            message.report(.badTime(DecodeError.excerpt(value.text)), at: trees[walk.tree].path(of: node))
            walk.hasBadTime = isOurs
        }
    }

    /// Removes what an earlier member of the same name gave.
    private func forget(_ node: Int, from first: Int, _ tree: Int, _ message: inout DecodedMessage) {
        remove(from: first, &message) { trees[tree].isWithin($0, node) }
    }

    /// Some fields mean something else, or nothing, when a certain sibling is there.
    private func reinterpret(
        from first: Int, within children: Range<Int>, _ seen: UInt64, _ tree: Int,
        _ message: inout DecodedMessage
    ) {
        let nodes = table(tree).pointee.nodes
        var drops = false
        for i in first..<message.samples.count {
            let origin = Int(message.origins[i])
            guard children.contains(origin), nodes[origin].beside & seen != 0,
                case .field(let index) = nodes[origin].role
            else { continue }
            if let quantity = trees[tree].fields[index].beside?.quantity {
                message.samples[i].quantity = quantity
            } else {
                message.origins[i] = -1
                drops = true
            }
        }
        if drops { remove(from: first, &message) { $0 < 0 } }
    }

    private func remove(from first: Int, _ message: inout DecodedMessage, where isDropped: (_ origin: Int) -> Bool) {
        var kept = first
        for i in first..<message.samples.count where !isDropped(Int(message.origins[i])) {
            message.samples[kept] = message.samples[i]
            message.origins[kept] = message.origins[i]
            kept += 1
        }
        message.samples.removeSubrange(kept...)
        message.origins.removeSubrange(kept...)
    }
}
