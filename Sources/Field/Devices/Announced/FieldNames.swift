import JSONScanner
import Metering
import Timekeeping

/// What topics have said of the numbers beside them: which of the profile's fields they are.
///
/// Two of one device that would be the same series are two meters behind one program. The one that sorts first has the
/// series, whichever was heard first, and of the others the topic's word is the channel: `chn4`.
final class FieldNames {
    struct Named {
        /// The topic's level before the last.
        let word: String
        /// Of the family's tree; nil: a name that no field has.
        var field: Int?
        var channel = Channel.total
        /// The first of the rule's patterns that was heard since the name was told.
        var best = Int32.max
    }

    static let maximumNames = 4096
    /// Of one device: each that is new is put in order among them.
    static let maximumNamesPerDevice = 256

    private var places: [String: Int] = [:]
    /// By the device's address.
    private var own: [String: [Int]] = [:]
    private(set) var list: [Named] = []

    /// `topic` with its last level taken off.
    static func start(of topic: UnsafeRawBufferPointer) -> String {
        let end = topic.lastIndex(of: UInt8(ascii: "/")) ?? 0
        return String(decoding: topic[..<end], as: UTF8.self)
    }

    func place(_ start: String) -> Int? { places[start] }

    func learn(_ start: String, _ field: Int?, at address: String, in tree: FieldTree) {
        if let place = places[start] {
            list[place].best = .max
            if list[place].field == field { return }
            list[place].field = field
        } else {
            guard list.count < FieldNames.maximumNames,
                own[address]?.count ?? 0 < FieldNames.maximumNamesPerDevice
            else { return }
            let word = start.split(separator: "/").last.map(String.init) ?? ""
            places[start] = list.count
            own[address, default: []].append(list.count)
            list.append(Named(word: word, field: field))
        }
        settle(own[address] ?? [], tree)
    }

    /// Whether the number of a topic that matched the rule's pattern `rank` counts.
    func takes(_ place: Int, rank: Int32) -> Bool {
        if rank > list[place].best { return false }
        list[place].best = rank
        return true
    }

    private func settle(_ own: [Int], _ tree: FieldTree) {
        struct Series: Hashable {
            let quantity: Quantity
            let channel: Channel
        }
        var taken: Set<Series> = []
        // `chn2` before `chn10`.
        for i in own.sorted(by: { (list[$0].word.count, list[$0].word) < (list[$1].word.count, list[$1].word) }) {
            guard let field = list[i].field.map({ tree.fields[$0] }) else { continue }
            let wanted = field.channel ?? .total
            let isFirst = taken.insert(Series(quantity: field.quantity, channel: wanted)).inserted
            list[i].channel = isFirst ? wanted : AnnouncedChannel.slug(list[i].word) ?? wanted
        }
    }
}

extension MessageDecoder {
    /// The path of a field, or of an OBIS code what stands before its storage number: `1-0:1.8.0*255`.
    func takeFieldName(_ topic: UnsafeRawBufferPointer, _ payload: UnsafeRawBufferPointer, _ route: Route) {
        let text = trimmed(payload)
        guard !text.isEmpty, text.count <= 64, topic.count <= Announcements.maximumTopicLength,
            let address = address(of: route, topic)
        else { return }
        let tree = trees[Int(route.tree)]
        let name = String(decoding: text.prefix { $0 != UInt8(ascii: "*") && $0 != UInt8(ascii: "&") }, as: UTF8.self)
        let field = tree.node(at: [name]).flatMap { tree.plainField(at: $0) }
        fieldNames.learn(FieldNames.start(of: topic), field, at: address, in: tree)
    }

    /// A number, or an object with a `value` and perhaps a `timestamp`. One whose name was not told says nothing.
    func readNamedNumber(
        _ topic: UnsafeRawBufferPointer, _ payload: UnsafeRawBufferPointer, _ route: Route, received: Timestamp,
        into message: inout DecodedMessage
    ) {
        let known = route.index >= 0 ? Int(route.index) : fieldNames.place(FieldNames.start(of: topic))
        guard let place = known, let field = fieldNames.list[place].field else { return message.unknownCount += 1 }
        guard fieldNames.takes(place, rank: route.node) else { return }
        remember(place, of: message)
        let text = trimmed(payload)
        guard MessageDecoder.looksLikeJSON(payload) else {
            return take(text, field, place, .none, route, into: &message)
        }
        scan(text, into: &message) { [self] root, _, message in
            guard root.kind == .object else {
                message.outcome = .malformed(.notAnObject)
                return
            }
            var time = SampleTime.none
            if let stated = root["timestamp"], case .instant(let instant) = TimeText.read(stated) {
                time = TimeText.trust(instant, received: received)
            }
            guard let value = root["value"], !value.isNull else { return message.noValueCount += 1 }
            take(value.text, field, place, time, route, into: &message)
        }
    }

    private func take(
        _ text: UnsafeRawBufferPointer, _ index: Int, _ place: Int, _ time: SampleTime, _ route: Route,
        into message: inout DecodedMessage
    ) {
        let target = table(Int(route.tree)).pointee.targets[index]
        let value =
            target.isSimple
            ? FieldValue(plain: text, target.conversion)
            : trees[Int(route.tree)].fields[index].value(of: text, conversion: target.conversion)
        switch value {
        case .noValue: message.noValueCount += 1
        case .wrong(let error): message.outcome = .malformed(error)
        case .value(let value):
            var sample = Sample(channel: fieldNames.list[place].channel, quantity: target.quantity, value: value)
            sample.time = time
            if time == .untrusted { sample.flags.insert(.timeUntrusted) }
            message.append(sample, DecodedMessage.Origin(node: 0, field: Int32(index), place: 0))
        }
    }

    /// What the message's topic stands for, for the next message on it.
    private func remember(_ place: Int, of message: DecodedMessage) {
        guard message.entry >= 0, message.entry < cache.count else { return }
        cache.entry(message.entry).pointee.route.index = Int32(place)
    }
}
