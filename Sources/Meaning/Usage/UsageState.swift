import Metering
import Records
import Timekeeping

/// Turns a home's facts into slots: (state, record) → (state, changes), with no clock, no input or output and no
/// chance.
///
/// `apply` takes records in the order of the log; `takeChanges` hands out each slot that changed since it was last
/// called, as it is then. How the records were grouped, and when changes were taken or the state stored and read
/// back, makes no difference to the last value of any slot. Not thread-safe: one owner.
package struct UsageState: Sendable {
    struct ChannelKey: Hashable, Comparable {
        var device: DeviceID
        var channel: Channel

        static func < (a: ChannelKey, b: ChannelKey) -> Bool {
            a.device != b.device ? a.device < b.device : a.channel < b.channel
        }
    }

    /// Where the readings of a series go: −1 where there is no source, or no second one.
    struct Route {
        var first: Int32
        var second: Int32

        static let unknown = Route(first: -1, second: -1)
    }

    var devices: [DeviceID: Device] = [:]
    var sources: [FlowSource] = []
    var channels: [ChannelUsage] = []
    private var channelTable = ChannelTable()
    /// By series number: a cache, checked against the source's own key.
    private var routes: [Route] = []
    var touched: [Int32] = []
    var ready: [SlotUsage] = []
    var decisions: [Decision] = []
    var recomputes: [ChannelKey: Recompute] = [:]
    var corrections: [Correction] = []
    /// The last day of which each series was told that its readings came late.
    var lateDays: [SeriesKey: Int64] = [:]
    /// Set while a span is worked out again: nothing is closed, every point is kept.
    var keepsAll = false
    var effects = Effects()

    /// Readings that came too late for the state; their slots are worked out again.
    package internal(set) var late: UInt64 = 0
    /// Readings with a time outside `Timestamp.validRange`, or of a series beyond `UsageLimits.maximumSources`.
    package internal(set) var refused: UInt64 = 0
    /// Decisions that nobody took in time.
    package internal(set) var decisionsDropped: UInt64 = 0
    /// Corrections that said nothing usable, or one too many.
    package internal(set) var commandsRefused: UInt64 = 0

    package init() {}

    /// Takes in one record of `facts`; `offset` is its own. Kinds that say nothing about energy are skipped.
    package mutating func apply(_ record: Record, offset: UInt64, key: (SeriesNumber) -> SeriesKey?) {
        switch record {
        case .readings(let readings):
            for reading in readings { apply(reading, offset: offset, key: key) }
        case .command(let command): apply(command, offset: offset)
        case .device(let device):
            devices[device.id] = device
            for i in sources.indices where channels[Int(sources[i].channel)].key.device == device.id {
                sources[i].traits = CounterTraits(device: device, quantity: sources[i].quantity)
            }
        case .settings, .clock, .gap, .slot, .prices, .unknown:
            break
        }
    }

    private mutating func apply(_ reading: Reading, offset: UInt64, key: (SeriesNumber) -> SeriesKey?) {
        // A stored message was true when it was published, nobody knows when: it is shown, never counted.
        if reading.flags.contains(.retained) { return }
        guard let series = key(reading.series) else { return }
        guard let route = route(reading.series, series), route.first >= 0 else { return }
        guard Timestamp.validRange.contains(reading.time) else {
            refused += 1
            return
        }
        let time = reading.time.milliseconds
        feed(Int(route.first), time, reading.value, offset, series)
        if route.second >= 0 { feed(Int(route.second), time, reading.value, offset, series) }
    }

    private mutating func route(_ number: SeriesNumber, _ key: SeriesKey) -> Route? {
        let i = Int(number.value)
        if i < routes.count, routes[i].first >= 0, isRoute(routes[i], of: key) { return routes[i] }
        guard UsageState.counts(key.quantity), let route = route(to: key) else { return nil }
        // Numbers are dense; a wild one goes the long way.
        if i < SeriesDictionary.maximumCount {
            while routes.count <= i { routes.append(.unknown) }
            routes[i] = route
        }
        return route
    }

    private func isRoute(_ route: Route, of key: SeriesKey) -> Bool {
        let source = Int(route.first)
        let owner = Int(sources[source].channel)
        return sources[source].quantity == key.quantity && channels[owner].key.device == key.device
            && channels[owner].key.channel == key.channel
    }

    /// Nil when nothing more can be taken in.
    mutating func route(to key: SeriesKey) -> Route? {
        if let channel = channelTable.find(ChannelKey(device: key.device, channel: key.channel), in: channels) {
            var route = Route.unknown
            for i in members(Int(channel)) where sources[i].quantity == key.quantity {
                if route.first < 0 { route.first = Int32(i) } else { route.second = Int32(i) }
            }
            if route.first >= 0 { return route }
        }
        return newRoute(key)
    }

    private mutating func newRoute(_ key: SeriesKey) -> Route? {
        let device = devices[key.device] ?? UsageState.unknownDevice(key.device)
        let traits = CounterTraits(device: device, quantity: key.quantity)
        let roles = FlowRole.roles(of: key.quantity, traits.counterClass)
        guard !roles.isEmpty else { return .unknown }
        guard sources.count + roles.count <= UsageLimits.maximumSources else {
            refused += 1
            return nil
        }
        let channel = channel(ChannelKey(device: key.device, channel: key.channel))
        var route = Route.unknown
        for role in roles {
            let index = Int32(sources.count)
            sources.append(FlowSource(channel: channel, quantity: key.quantity, role: role, traits: traits))
            link(index, to: Int(channel))
            if route.first < 0 { route.first = index } else { route.second = index }
        }
        return route
    }

    /// Puts a source behind those of its channel.
    private mutating func link(_ source: Int32, to channel: Int) {
        if let last = members(channel).last {
            sources[last].next = source
        } else {
            channels[channel].firstSource = source
        }
    }

    /// Whether a quantity says anything about energy: readings of others need not be kept to work slots out again.
    package static func counts(_ quantity: Quantity) -> Bool {
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

    private mutating func channel(_ key: ChannelKey) -> Int32 {
        if let known = channelTable.find(key, in: channels) { return known }
        let index = Int32(channels.count)
        channels.append(ChannelUsage(key: key))
        channelTable.insert(index, in: channels)
        return index
    }

    func channelNumber(_ key: ChannelKey) -> Int? { channelTable.find(key, in: channels).map { Int($0) } }

    mutating func feed(_ index: Int, _ time: Int64, _ value: Int64, _ offset: UInt64, _ series: SeriesKey) {
        let slot = slotIndex(time)
        guard slot < sources[index].shadowedFrom else { return }
        let channel = Int(sources[index].channel)
        effects.reset()
        if slot < channels[channel].floor {
            effects.decide(.late, at: time, from: nil, to: value, "its slots are closed")
        } else if waitsForSign(index, value) {
            return
        } else {
            bridge(index, channel, to: time, offset)
            let newestBefore = sources[index].newest
            let sinceBefore = sources[index].since
            if corrections.isEmpty {
                sources[index].take(time, value, accepts: false, &effects)
            } else {
                guard takeCorrected(index, channel, time, value) else { return }
            }
            if effects.changedFrom <= effects.changedTo {
                touch(channel, slotIndex(effects.changedFrom), slotIndex(effects.changedTo), offset)
            }
            if sources[index].since != sinceBefore { updateShadows(of: index, offset) }
            if newestBefore < 0 || slot > slotIndex(newestBefore) { close(channel) }
        }
        if !effects.verdicts.isEmpty { record(series, offset) }
    }

    /// A power that was never negative says nothing about export where a counter says what is imported: its hold
    /// would only make the counter's coverage worse.
    private func waitsForSign(_ index: Int, _ value: Int64) -> Bool {
        let source = sources[index]
        guard source.role.method == .power, source.role.sign < 0, source.track.isEmpty, value >= 0 else { return false }
        let twin = Int(index) - 1
        return twin >= 0 && sources[twin].shadowedFrom != .max
    }

    private mutating func record(_ series: SeriesKey, _ offset: UInt64) {
        for verdict in effects.verdicts {
            let time = Timestamp(milliseconds: verdict.time)
            if verdict.kind == .late {
                late += 1
                let slot = Slot(containing: time)
                ask(
                    Recompute(
                        device: series.device, channel: series.channel, from: slot.start, to: slot.end, source: offset))
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
        for i in channels.indices {
            guard channelTable.find(channels[i].key, in: channels) == nil else { return false }
            channelTable.insert(Int32(i), in: channels)
        }
        for i in sources.indices {
            let channel = Int(sources[i].channel)
            let same = members(channel).filter { sources[$0].quantity == sources[i].quantity }
            guard same.isEmpty || same == [i - 1] else { return false }
            link(Int32(i), to: channel)
        }
        return true
    }
}
