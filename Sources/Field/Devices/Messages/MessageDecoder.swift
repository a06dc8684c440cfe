import JSONScanner
import Metering
import Timekeeping

/// Turns topics and payloads into samples. Deterministic: it has no clock, and what it keeps of earlier messages is a
/// function of them.
///
/// One thread at a time. After the first messages on a topic it allocates nothing, except for errors.
public final class MessageDecoder {
    /// Payloads above this are refused unread.
    public static let maximumPayload = 256 << 10
    /// Device addresses that get a number; a broker with more is asked for in the configuration.
    public static let maximumDevices = 16_384

    /// One profile's topic with its patterns ready.
    struct Rule {
        let family: Int
        let topic: MessageProfile.Topic
        let patterns: [MessageProfile.Pattern]
    }

    public let profiles: [Profile]
    let settings: MessageSettings
    /// The message profiles with their place in `profiles`.
    let families: [(index: Int, profile: MessageProfile)]
    let rules: [Rule]
    let candidates: [Candidate]
    /// Two per message profile: its own fields, and our canonical ones.
    let trees: [FieldTree]
    /// By family.
    let settling: UnsafeMutableBufferPointer<SettlingTable>
    /// Empty between messages; kept for its memory.
    var heardTerms: [HeardTerm] = []
    /// The same as `trees`, laid out for the walk.
    private let tables: UnsafeMutableBufferPointer<FieldTable>
    let scanner = JSONScanner(limits: .message)
    let cache = TopicCache()
    let shapes: MessageShapes
    private var devices: [String: Int] = [:]
    private var addresses: [String] = []
    var memories: [DeviceMemory] = []
    /// By device address, as far as devices told.
    private(set) var models: [String: String] = [:]
    let announcements = Announcements()
    let homie = HomieTree()
    let sparkplug = SparkplugNodes()
    let fieldNames = FieldNames()
    var repaired: [UInt8] = []
    /// Why the topic that was matched last is of kind `.wrong`.
    var lastMistake = DecodeError.outOfRange

    /// Earlier profiles win where two know the same topic; those of registers are passed over. `learnsShapes` is for
    /// tests: without, each message takes the long way.
    public init(profiles: [Profile], settings: MessageSettings = MessageSettings(), learnsShapes: Bool = true) {
        self.profiles = profiles
        self.settings = settings
        let families = profiles.enumerated().compactMap { index, profile in profile.messages.map { (index, $0) } }
        self.families = families
        let rules = families.enumerated().flatMap { number, family in
            MessageDecoder.rules(of: family.1, named: profiles[family.0].name, number, settings)
        }
        self.rules = rules
        candidates = Candidate.all(rules) { families[$0.family].1.isConfigured }
        trees = families.flatMap { [$0.1.tree, $0.1.canonical] }
        settling = .allocate(capacity: families.count)
        _ = settling.initialize(from: families.map { SettlingTable($0.1) })
        tables = .allocate(capacity: trees.count)
        _ = tables.initialize(from: trees.map(FieldTable.init))
        shapes = MessageShapes(isOn: learnsShapes)
    }

    deinit {
        for table in tables { table.deallocate() }
        tables.deallocate()
        for table in settling { table.deallocate() }
        settling.deallocate()
    }

    private static func rules(
        of profile: MessageProfile, named name: String, _ family: Int, _ settings: MessageSettings
    ) -> [Rule] {
        let bases = settings.bases[name] ?? profile.bases
        let fullTopics = profile.fullTopics.isEmpty ? [] : settings.fullTopics + profile.fullTopics
        return further(profile, settings.topics[name] ?? [], family)
            + profile.topics.map { topic in
                // The profile's own patterns were tried when it was read; a configured base may make nonsense of one.
                let patterns = try? MessageProfile.patterns(of: topic, bases: bases, fullTopics: fullTopics)
                return Rule(family: family, topic: topic, patterns: patterns ?? [])
            }
    }

    /// Rules for topics of the configuration's own, read as the profile's first JSON topic.
    private static func further(_ profile: MessageProfile, _ texts: [String], _ family: Int) -> [Rule] {
        let model = profile.topics.first { if case .json = $0.payload { true } else { false } }
        guard let model else { return [] }
        return texts.compactMap { text in
            guard let pattern = try? TopicPattern(text), pattern.has(.device) else { return nil }
            return Rule(
                family: family, topic: model, patterns: [MessageProfile.Pattern(topic: pattern, device: nil)])
        }
    }

    func table(_ tree: Int) -> UnsafePointer<FieldTable> { UnsafePointer(tables.baseAddress! + tree) }

    /// The filters to subscribe to, without repeats; what devices announce adds to them as it is heard. Topics that are
    /// known to hold nothing come only where a wildcard brings them along.
    public var subscriptions: [String] {
        var seen: Set<String> = []
        let own = rules.filter { $0.topic.payload != .ignored }.flatMap { $0.patterns.flatMap(\.topic.subscriptions) }
        return (own + announcements.topics).filter { seen.insert($0).inserted }
    }

    /// Counts the changes of `subscriptions`.
    public var subscriptionChanges: Int { announcements.changes }

    /// What a `DecodedMessage.device` stands for: `mqtt:tasmota:plug_washer`.
    public func address(of device: Int) -> String { addresses[device] }

    /// The device as people call it: what it was announced as, else the last part of its address.
    public func name(of device: Int) -> String {
        let address = addresses[device]
        if let name = announcements.names[address] { return name }
        let parts = address.split(separator: ":", maxSplits: 2, omittingEmptySubsequences: false)
        return String(parts[parts.count - 1])
    }

    /// The device's model, where it or its announcement told.
    public func model(of device: Int) -> String? { models[addresses[device]] }

    /// Whose message it was, though nothing could be read from it; nil where the topic names no device.
    public func address(of message: DecodedMessage, topic: UnsafeRawBufferPointer) -> String? {
        guard message.entry >= 0, message.entry < cache.count else { return nil }
        let entry = cache.entry(message.entry)
        return address(of: message.isPlain ? entry.pointee.plain : entry.pointee.route, topic)
    }

    /// Reads one message. `retained` is the broker's flag: what it stored, and not news. `received` bounds the times
    /// that the payload may state.
    public func decode(
        topic: UnsafeRawBufferPointer, payload: UnsafeRawBufferPointer, retained: Bool, received: Timestamp,
        into message: inout DecodedMessage
    ) {
        message.reset()
        let hash = TopicCache.hash(topic)
        let index = cache.find(topic, hash: hash) ?? cache.insert(topic, hash: hash, match(topic))
        let entry = cache.entry(index)
        message.profile = Int(entry.pointee.route.profile)
        message.entry = index
        if entry.pointee.route.kind == .notMine { return }
        if entry.pointee.shape >= 0, entry.pointee.route.device >= 0,
            shapes.read(entry.pointee.shape, payload, received: received, into: &message)
        {
            message.outcome = .readings
            message.device = Int(entry.pointee.route.device)
            entry.pointee.misses = 0
            finish(entry.pointee.route, retained: retained, &message)
            return
        }
        readSlowly(index, topic, payload, retained: retained, received: received, into: &message)
    }

    private func readSlowly(
        _ index: Int, _ topic: UnsafeRawBufferPointer, _ payload: UnsafeRawBufferPointer, retained: Bool,
        received: Timestamp, into message: inout DecodedMessage
    ) {
        guard payload.count <= MessageDecoder.maximumPayload else {
            message.outcome = .malformed(
                .payloadTooLarge(bytes: payload.count, maximum: MessageDecoder.maximumPayload))
            return
        }
        message.outcome = .nothing
        let entry = cache.entry(index)
        message.isPlain = entry.pointee.plain.kind != .notMine && !MessageDecoder.looksLikeJSON(payload)
        let route = message.isPlain ? entry.pointee.plain : entry.pointee.route
        message.profile = Int(route.profile)
        read(route, topic, payload, received: received, into: &message)
        if case .nothing = message.outcome, !message.samples.isEmpty { message.outcome = .readings }
        switch message.outcome {
        case .readings, .availability:
            guard message.device >= 0 || number(topic, route, at: index, &message) else { return }
        case .nothing:
            // Nothing at all was right.
            if let first = message.errors.first { message.outcome = .malformed(first.error) }
            return
        case .notMine, .malformed: return
        }
        finish(route, retained: retained, &message)
    }

    /// After the payload: what was kept of earlier messages, and what a stored message must not say.
    @inline(__always)
    private func finish(_ route: Route, retained: Bool, _ message: inout DecodedMessage) {
        if route.tree >= 0, settling[Int(route.tree) / 2].isNeeded { settle(route, &message) }
        guard retained else { return }
        // A stored message is no news: an amount per report in it was counted when it was new.
        message.samples.removeAll { $0.quantity.behaviour == .delta }
        for i in message.samples.indices { message.samples[i].flags.insert(.retained) }
        if message.samples.isEmpty, message.outcome == .readings { message.outcome = .nothing }
    }

    /// Gives the message its device's number, a new one when its address is new. False when there is none left.
    private func number(
        _ topic: UnsafeRawBufferPointer, _ route: Route, at index: Int, _ message: inout DecodedMessage
    ) -> Bool {
        if route.device >= 0 {
            message.device = Int(route.device)
            return true
        }
        guard let address = address(of: route, topic) else { return false }
        if route.rule >= 0, rules[Int(route.rule)].topic.isForKnownDevices, devices[address] == nil {
            message.clear()
            message.outcome = .nothing
            return false
        }
        guard number(address, &message) else { return false }
        // Reading the message may have made the cache begin anew.
        guard index < cache.count, index == message.entry else { return true }
        let entry = cache.entry(index)
        if message.isPlain {
            entry.pointee.plain.device = Int32(message.device)
        } else {
            entry.pointee.route.device = Int32(message.device)
        }
        return true
    }

    /// False, and the message is malformed, when no number is left.
    func number(_ address: String, _ message: inout DecodedMessage) -> Bool {
        guard let device = devices[address] ?? newDevice(address) else {
            message.clear()
            message.outcome = .malformed(.tooManyDevices(maximum: MessageDecoder.maximumDevices))
            return false
        }
        message.device = device
        return true
    }

    private func newDevice(_ address: String) -> Int? {
        guard addresses.count < MessageDecoder.maximumDevices else { return nil }
        devices[address] = addresses.count
        addresses.append(address)
        memories.append(DeviceMemory())
        return addresses.count - 1
    }

    /// Topics whose reading hangs on the model are matched anew when it becomes known.
    func learn(model: String, of address: String) {
        guard models[address] != model, models.count < MessageDecoder.maximumDevices else { return }
        models[address] = model
        cache.removeAll()
    }
}
