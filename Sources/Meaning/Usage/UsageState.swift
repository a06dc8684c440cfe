import Metering
import Records
import Timekeeping

/// Turns a home's facts into slots: (state, record) → (state, changes), with no clock, no input or output and no
/// chance.
///
/// `apply` takes records in the order of the log; `takeChanges` hands out each slot that changed since it was last
/// called, as it is then. How the records were grouped, and when changes were taken or the state stored and read
/// back, makes no difference to the last value of any slot. Not thread-safe: one owner.
public struct UsageState: Sendable {
    struct ChannelKey: Hashable, Comparable {
        var device: DeviceID
        var channel: Channel

        static func < (a: ChannelKey, b: ChannelKey) -> Bool {
            a.device != b.device ? a.device < b.device : a.channel < b.channel
        }
    }

    var devices: [DeviceID: Device] = [:]
    var sources: [FlowSource] = []
    var table = ChannelTable()
    /// One of each sort of source.
    private var kinds: Set<SourceKind> = []
    /// By series number the first source to which its readings go, or −1: a cache, checked against the source itself.
    private var routes: [Int32] = []
    var touched: [Int32] = []
    /// Of channels that were changed in more than one place.
    var moreTouches: [Int32: [Touch]] = [:]
    var ready: [SlotUsage] = []
    var decisions: [Decision] = []
    var recomputes: [ChannelKey: Recompute] = [:]
    var corrections: [Correction] = []
    /// The last day of which each series was told that its readings came late.
    var lateDays: [SeriesKey: Int64] = [:]
    /// Set while a span is worked out again: nothing is closed, every point is kept.
    var keepsAll = false
    /// And these powers had been negative before it.
    var knownSigns: Set<Quantity> = []
    var effects = Effects()

    /// Readings that came too late for the state; their slots are worked out again.
    public internal(set) var late: UInt64 = 0
    /// Readings with a time outside `Timestamp.validRange`, or of a series beyond `UsageLimits.maximumSources`.
    public internal(set) var refused: UInt64 = 0
    /// Decisions that nobody took in time.
    public internal(set) var decisionsDropped: UInt64 = 0
    /// Corrections that said nothing usable, or one too many.
    public internal(set) var commandsRefused: UInt64 = 0

    public init() {}

    /// Takes in one record of `facts`; `offset` is its own. Kinds that say nothing about energy are skipped.
    public mutating func apply(_ record: Record, offset: UInt64, key: (SeriesNumber) -> SeriesKey?) {
        switch record {
        case .readings(let readings):
            for reading in readings { apply(reading, offset: offset, key: key) }
        case .command(let command): apply(command, offset: offset)
        case .device(let device):
            devices[device.id] = device
            for channel in table.channels.indices where table.channels[channel].device == device.id {
                for i in members(channel) {
                    let traits = CounterTraits(device: device, quantity: sources[i].quantity)
                    sources[i].kind = kind(sources[i].quantity, sources[i].role, traits)
                }
            }
        case .settings, .clock, .gap, .slot, .prices, .unknown:
            break
        }
    }

    private mutating func apply(_ reading: Reading, offset: UInt64, key: (SeriesNumber) -> SeriesKey?) {
        // A stored message was true when it was published, nobody knows when: it is shown, never counted.
        if reading.flags.contains(.retained) { return }
        guard let series = key(reading.series) else { return }
        guard let source = route(reading.series, series) else { return }
        guard Timestamp.validRange.contains(reading.time) else {
            refused += 1
            return
        }
        feed(source, reading.time.milliseconds, reading.value, offset, series)
    }

    /// Feeds a reading to the first source of its series, and to the second one if there are two.
    mutating func feed(_ source: Int, _ time: Int64, _ value: Int64, _ offset: UInt64, _ series: SeriesKey) {
        take(source, time, value, offset, series)
        if sources[source].hasCurve, sources[source].role.method == .power { takeCurve(source, time, value, offset) }
        let twin = source + 1
        if twin < sources.count, sources[twin].kind.role.sign < 0, sources[twin].channel == sources[source].channel,
            sources[twin].quantity == series.quantity
        {
            take(twin, time, value, offset, series)
        }
        if effects.bytes.isWasteful { compact() }
    }

    /// Takes out what tracks that grew or ended have left behind.
    private mutating func compact() {
        let blocks = sources.indices.map { (number: $0, block: sources[$0].track.block) }
        effects.bytes.compact(blocks) { number, block in sources[number].track.move(to: block) }
    }

    private mutating func route(_ number: SeriesNumber, _ key: SeriesKey) -> Int? {
        let i = Int(number.value)
        if i < routes.count, routes[i] >= 0, isRoute(Int(routes[i]), of: key) { return Int(routes[i]) }
        guard UsageState.counts(key.quantity), let route = route(to: key) else { return nil }
        // Numbers are dense; a wild one goes the long way.
        if i < SeriesDictionary.maximumCount {
            while routes.count <= i { routes.append(-1) }
            routes[i] = Int32(route)
        }
        return route
    }

    private func isRoute(_ source: Int, of key: SeriesKey) -> Bool {
        let owner = table.channels[Int(sources[source].channel)]
        return sources[source].quantity == key.quantity && owner.device == key.device
            && table.names[Int(owner.name)] == key.channel
    }

    /// The first source of a series, made if need be; nil when it says nothing or nothing more can be taken in. Not
    /// inlined: each reading would copy what only new series need.
    @inline(never)
    mutating func route(to key: SeriesKey) -> Int? {
        if let channel = table.find(ChannelKey(device: key.device, channel: key.channel)) {
            var i = Int(table.channels[Int(channel)].firstSource)
            while i >= 0 {
                if sources[i].quantity == key.quantity { return i }
                i = Int(sources[i].next)
            }
        }
        return newRoute(key)
    }

    private mutating func newRoute(_ key: SeriesKey) -> Int? {
        let device = devices[key.device] ?? UsageState.unknownDevice(key.device)
        let traits = CounterTraits(device: device, quantity: key.quantity)
        let roles = FlowRole.roles(of: key.quantity, traits.counterClass)
        guard !roles.isEmpty else { return nil }
        guard sources.count + roles.count <= UsageLimits.maximumSources,
            let channel = channel(ChannelKey(device: key.device, channel: key.channel))
        else {
            refused += 1
            return nil
        }
        let first = sources.count
        for role in roles {
            let index = Int32(sources.count)
            sources.append(FlowSource(channel: channel, kind: kind(key.quantity, role, traits)))
            link(index, to: Int(channel))
        }
        return first
    }

    /// The one description of its sort.
    mutating func kind(_ quantity: Quantity, _ role: FlowRole, _ traits: CounterTraits) -> SourceKind {
        // Descriptors change now and then, and leave sorts behind that nothing is of any more.
        if kinds.count > 2 * sources.count + 64 { kinds = Set(sources.map(\.kind)) }
        return kinds.insert(SourceKind(quantity: quantity, role: role, traits: traits)).memberAfterInsert
    }

    /// Puts a source behind those of its channel.
    private mutating func link(_ source: Int32, to channel: Int) {
        if let last = members(channel).last {
            sources[last].next = source
        } else {
            table.channels[channel].firstSource = source
        }
    }

    /// Whether a quantity says anything about energy: readings of others need not be kept to work slots out again.
    public static func counts(_ quantity: Quantity) -> Bool {
        quantity.code < energyQuantities.count && energyQuantities[Int(quantity.code)]
    }

    /// By code, since it is asked for with every reading.
    private static let energyQuantities: [Bool] = {
        var known = [Bool](repeating: false, count: Int(Quantity.all.map(\.code).max() ?? 0) + 1)
        for quantity in Quantity.all {
            known[Int(quantity.code)] = !FlowRole.roles(of: quantity, .lifetime).isEmpty
        }
        return known
    }()

    /// A device whose descriptor has not been seen: defaults, no names.
    private static func unknownDevice(_ id: DeviceID) -> Device {
        Device(id: id, name: "", family: "", validFrom: Timestamp(milliseconds: 0))
    }

    private mutating func channel(_ key: ChannelKey) -> Int32? { table.find(key) ?? table.add(key) }

    func channelNumber(_ key: ChannelKey) -> Int? { table.find(key).map { Int($0) } }

    private mutating func take(_ index: Int, _ time: Int64, _ value: Int64, _ offset: UInt64, _ series: SeriesKey) {
        let slot = slotIndex(time)
        guard slot < sources[index].shadowedFrom else { return }
        let channel = Int(sources[index].channel)
        effects.reset()
        if slot < table.channels[channel].floor {
            effects.decide(.late, at: time, from: nil, to: value, "its slots are closed")
        } else if waitsForSign(index, time, value) {
            return
        } else {
            bridge(index, channel, to: time, offset)
            let newestBefore = sources[index].newest
            let sinceBefore = sources[index].since
            let asksCurve = sources[index].hasCurve && sources[index].role.method != .power
            let acceptedBefore = asksCurve ? sources[index].track.last : nil
            if asksCurve { prepareShares(index, channel, time) }
            if corrections.isEmpty {
                sources[index].take(time, value, accepts: false, &effects)
            } else {
                guard takeCorrected(index, channel, time, value) else { return }
            }
            if effects.changedFrom <= effects.changedTo {
                touch(channel, slotIndex(effects.changedFrom), slotIndex(effects.changedTo), offset)
            }
            if sources[index].since != sinceBefore { updateShadows(of: index, offset) }
            if sources[index].hasCurve, asksCurve || sinceBefore == nil, sources[index].track.last?.time == time,
                acceptedBefore?.time != time
            {
                let crosses = acceptedBefore.map { $0.slot < slot } ?? false
                pinCurve(index, channel, time, crosses: crosses, offset)
            }
            if newestBefore < 0 || slot > slotIndex(newestBefore) { close(channel) }
        }
        if let time = effects.asked, !keepsAll { askAgain(channel, from: time, to: time, offset) }
        if !effects.verdicts.isEmpty { record(series, channel, offset) }
    }

    mutating func askAgain(_ channel: Int, from: Int64, to: Int64, _ offset: UInt64) {
        let key = table.key(channel)
        ask(
            Recompute(
                device: key.device, channel: key.channel, from: Timestamp(milliseconds: from),
                to: Timestamp(milliseconds: to), source: offset))
    }

    /// A power that was never negative says nothing about export where a counter says what is imported: its hold
    /// would only make the counter's coverage worse.
    private func waitsForSign(_ index: Int, _ time: Int64, _ value: Int64) -> Bool {
        let role = sources[index].role
        guard role.method == .power, role.sign < 0, value >= 0, index > 0, sources[index - 1].shadowedFrom != .max,
            !knownSigns.contains(sources[index].quantity)
        else { return false }
        return sources[index].signSince > time
    }

    private mutating func record(_ series: SeriesKey, _ channel: Int, _ offset: UInt64) {
        for verdict in effects.verdicts {
            let time = Timestamp(milliseconds: verdict.time)
            if verdict.kind == .late {
                late += 1
                let slot = Slot(containing: time)
                askAgain(channel, from: slot.start.milliseconds, to: slot.end.milliseconds, offset)
                // A year that comes in at once is told by its days, not by its readings.
                let day = verdict.time / Span.day
                if lateDays.updateValue(day, forKey: series) == day { continue }
            }
            decisions.append(
                Decision(
                    series: series, time: time, kind: verdict.kind, from: verdict.from, to: verdict.to,
                    rule: verdict.rule))
        }
        let surplus = decisions.count - UsageLimits.maximumDecisions
        if surplus > 0 {
            decisions.removeFirst(surplus)
            decisionsDropped += UInt64(surplus)
        }
    }

    /// Builds the look-up tables anew after the state was read back; false when two entries claim one series.
    mutating func index() -> Bool {
        for i in sources.indices {
            let channel = Int(sources[i].channel)
            let same = members(channel).filter { sources[$0].quantity == sources[i].quantity }
            guard same.isEmpty || same == [i - 1] else { return false }
            link(Int32(i), to: channel)
        }
        return true
    }
}
