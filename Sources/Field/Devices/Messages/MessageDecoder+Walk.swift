import JSONScanner
import Metering
import TOML
import Timekeeping

/// Where a walk begins, and what holds for all of it.
struct WalkStart {
    let route: Route
    /// Members of the document that lead to the profile's root.
    let root: [String]
    /// The member by which elements of an array tell which channel they are; empty: they are none.
    var elements = ""
    let received: Timestamp
    /// Of local times without an offset; nil: they are not believed.
    let zone: Zone?
}

/// What is known while one object, with a time of its own, is walked.
struct ObjectWalk {
    let tree: Int
    /// The decoder's own, for as long as it lives.
    let table: UnsafePointer<FieldTable>
    let root: JSONValue
    let start: WalkStart
    /// Index of the object's first sample.
    let firstSample: Int
    /// Of our own payload: the channel whose object is walked; or the topic's.
    var channel: Channel?
    /// Whether `channel` is that of a member of our own payload.
    var isInChannel = false
    var time: SampleTime = .none
    /// The object states a time that cannot be read.
    var hasBadTime = false
    /// Whether arrays of three are phases; nil until an array asks.
    var arraysArePhases: Bool?
}

extension MessageDecoder {
    /// Objects in one message: all that fit into a payload of the largest size.
    static let maximumObjects = 16_384

    func walk(_ document: JSONValue, _ start: WalkStart, into message: inout DecodedMessage) {
        guard let root = start.root.isEmpty ? document : document.descendant(start.root) else { return }
        let tree = Int(start.route.tree)
        switch root.kind {
        case .object: walkRoot(root, start, into: &message)
        case .null: message.noValueCount += 1
        case .array where !start.elements.isEmpty:
            walkNamedElements(root, start, into: &message)
        case .array where trees[tree].takesBatches:
            var count = 0
            message.isIrregular = true
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
                walkRoot(element, start, into: &message)
            }
        case .array where hasElements(tree, Int(start.route.node)): walkRoot(root, start, into: &message)
        default: message.outcome = .malformed(.notAnObject)
        }
    }

    /// Objects that each name the channel whose values they hold.
    private func walkNamedElements(_ array: JSONValue, _ start: WalkStart, into message: inout DecodedMessage) {
        // Their names are the message's own: no shape has them.
        message.isIrregular = true
        var count = 0
        for element in array.elements {
            count += 1
            guard count <= MessageDecoder.maximumObjects else {
                return message.report(.tooManyObjects(maximum: MessageDecoder.maximumObjects), at: "the payload")
            }
            if element.isNull { continue }
            guard element.kind == .object else {
                message.report(.wrongType(expected: "an object"), at: "element \(count)")
                continue
            }
            guard let name = element.member(start.elements), name.kind == .string || name.kind == .number,
                let channel = channelName(name.text)
            else {
                message.report(.badChannel(start.elements), at: "element \(count)")
                continue
            }
            walkRoot(element, start, channel: channel, into: &message)
        }
    }

    /// Whether a profile names elements of an array at `node`.
    private func hasElements(_ tree: Int, _ node: Int) -> Bool {
        let children = table(tree).pointee.children(of: node)
        return children.contains { trees[tree].name(of: $0).hasPrefix("[") }
    }

    /// One object with its time; the samples of an object whose time cannot be read are dropped, since they would be
    /// booked at the wrong instant.
    private func walkRoot(
        _ root: JSONValue, _ start: WalkStart, channel: Channel? = nil, into message: inout DecodedMessage
    ) {
        let tree = Int(start.route.tree)
        var walk = ObjectWalk(
            tree: tree, table: table(tree), root: root, start: start, firstSample: message.samples.count)
        if start.route.namesChannel || start.route.channel != .total { walk.channel = start.route.channel }
        if let channel { walk.channel = channel }
        let node = Int(start.route.node)
        if root.kind == .array {
            walkElements(root, of: root, node: node, name: nil, &walk, into: &message)
        } else {
            walkObject(root, node: node, name: nil, &walk, into: &message)
        }
        if walk.hasBadTime {
            message.keep(from: walk.firstSample) { _ in false }
        } else if walk.time != .none {
            for i in walk.firstSample..<message.samples.count {
                message.samples[i].time = walk.time
                if walk.time == .untrusted { message.samples[i].flags.insert(.timeUntrusted) }
            }
        }
    }

    /// `name` is what the path's `*` stood for.
    func walkObject(
        _ object: JSONValue, node: Int, name: Channel?, _ walk: inout ObjectWalk, into message: inout DecodedMessage
    ) {
        let first = message.samples.count
        let table = walk.table
        let children = table.pointee.children(of: node)
        let marks = table.pointee.marks.baseAddress! + (walk.isInChannel ? table.pointee.nodes.count : 0)
        for child in children { marks[child] = false }
        var hint = children.lowerBound
        for member in object.members {
            let key = member.key.text
            guard let child = table.pointee.find(key, among: children, from: hint) else {
                unnamed(key, member.value, node: node, &walk, into: &message)
                continue
            }
            hint = child + 1
            let isWildcard = table.pointee.nodes[child].nameLength < 0
            // Of two members of one name the last counts.
            if marks[child], !isWildcard { forget(child, from: first, walk.tree, &message) }
            marks[child] = true
            let stands = isWildcard ? channelName(key) : name
            if isWildcard, stands == nil {
                message.unknownCount += 1
            } else {
                take(member.value, of: object, node: child, name: stands, &walk, into: &message)
            }
        }
    }

    /// Elements that the profile names by their position; their siblings are the array's.
    func walkElements(
        _ array: JSONValue, of object: JSONValue, node: Int, name: Channel?, _ walk: inout ObjectWalk,
        into message: inout DecodedMessage
    ) {
        let children = walk.table.pointee.children(of: node)
        var position = 0
        var hint = children.lowerBound
        for element in array.elements {
            let key = "[\(position)]"
            position += 1
            guard position <= 1000 else { break }
            let child = Array(key.utf8).withUnsafeBytes { walk.table.pointee.find($0, among: children, from: hint) }
            guard let child, walk.table.pointee.nodes[child].nameLength >= 0 else {
                message.unknownCount += 1
                continue
            }
            hint = child + 1
            take(element, of: object, node: child, name: name, &walk, into: &message)
        }
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
        walk.isInChannel = true
        walkObject(value, node: 0, name: nil, &walk, into: &message)
        walk.channel = nil
        walk.isInChannel = false
    }

    static func unknownQuantity(_ name: String) -> DecodeError {
        .unknownQuantity(name, nearest: nearest(name, among: MessageProfile.statedQuantities.map(\.name)))
    }

    private func take(
        _ value: JSONValue, of object: JSONValue, node: Int, name: Channel?, _ walk: inout ObjectWalk,
        into message: inout DecodedMessage
    ) {
        switch walk.table.pointee.nodes[node].role {
        case .ignored: return
        case .time: takeTime(value, node: node, &walk, into: &message)
        // A value that some firmwares put into an object of its own.
        case .field where value.kind == .object && walk.table.pointee.nodes[node].childCount > 0:
            walkObject(value, node: node, name: name, &walk, into: &message)
        case .field where value.kind == .array && hasElements(walk.tree, node):
            walkElements(value, of: object, node: node, name: name, &walk, into: &message)
        case .field(let first, let count):
            let choices = Int(first)..<Int(first) + Int(count)
            if let field = choice(choices, of: object, walk, &message) {
                takeField(value, of: object, field: field, node: node, name: name, &walk, into: &message)
            }
        case .object:
            switch value.kind {
            case .object: walkObject(value, node: node, name: name, &walk, into: &message)
            case .array where hasElements(walk.tree, node):
                walkElements(value, of: object, node: node, name: name, &walk, into: &message)
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

    /// The first field whose conditions on its siblings hold.
    private func choice(
        _ choices: Range<Int>, of object: JSONValue, _ walk: ObjectWalk, _ message: inout DecodedMessage
    ) -> Int? {
        for choice in choices {
            let index = Int(walk.table.pointee.choices[choice])
            if !walk.table.pointee.targets[index].hasConditions { return index }
            let field = trees[walk.tree].fields[index]
            if field.without.contains(where: { isThere($0, object, walk) }) { continue }
            if let when = field.when {
                // The next message may say another word.
                message.isIrregular = true
                guard let word = object.member(when.sibling), when.words.contains(where: word.text.elementsEqual)
                else { continue }
            }
            if field.beside.isEmpty || field.beside.contains(where: { isThere($0, object, walk) }) { return index }
        }
        return nil
    }

    /// A sibling, or with `/` before it a path from the root.
    private func isThere(_ name: String, _ object: JSONValue, _ walk: ObjectWalk) -> Bool {
        guard name.hasPrefix("/") else { return object.member(name) != nil }
        return walk.root.descendant(name.dropFirst().split(separator: ".").map(String.init)) != nil
    }

    /// Removes what an earlier member of the same name gave.
    private func forget(_ node: Int, from first: Int, _ tree: Int, _ message: inout DecodedMessage) {
        message.isIrregular = true
        message.keep(from: first) { !trees[tree].isWithin(Int($0.node), node) }
    }
}
