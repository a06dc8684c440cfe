import Metering
import Timekeeping

/// What others are told over MQTT, and what they were told already. Pure: (state, fact) → (state, publications).
///
/// Per device `<topic>/<home>/<device>/available` and a topic for each series, `…/<quantity>` for the whole device and
/// `…/<channel>/<quantity>` for a part of it, in canonical units. Totals are those that Usage booked, as `RisingTotal`
/// keeps them; a series is announced with its first value and never before.
public struct BridgeState: Sendable {
    private struct Seat {
        var device: Device
        var isOnline = false
        /// Under the home's topic; unique in the home.
        var level: String
        var isAnnounced = false
        var series: [SeriesKey] = []
    }

    private struct Value {
        let topic: String
        var value: Int64
        var isTold = false
    }

    private let options: BridgeOptions
    private var seats: [DeviceID: Seat] = [:]
    private var levels: [String: DeviceID] = [:]
    private var values: [SeriesKey: Value] = [:]
    /// By the series under which they are published.
    private(set) var totals: [SeriesKey: RisingTotal] = [:]
    private var availability: [DeviceID: Bool] = [:]
    private var isGatewayAnnounced = false
    /// Topics that the broker has to forget.
    private var withdrawn: Set<String> = []
    /// A total fell or a topic is new: a restart must know that before it is told.
    public private(set) var mustBeKept = false

    /// `kept` is what `snapshot` returned before a restart.
    public init(_ options: BridgeOptions, kept: BridgeSnapshot = BridgeSnapshot()) {
        self.options = options
        totals = kept.totals
        withdrawn = Set(kept.topics)
    }

    // MARK: Facts

    /// A device as it is called now, and whether it can be heard.
    public mutating func note(_ device: Device, isOnline: Bool) {
        guard device.role != .gateway else { return }
        if let seat = seats[device.id], seat.device.name != device.name { leave(seat) }
        let level = seats[device.id]?.level ?? freeLevel(for: device)
        levels[level] = device.id
        var seat = seats[device.id] ?? Seat(device: device, level: level)
        if seat.device.model != device.model { seat.isAnnounced = false }
        seat.device = device
        seat.isOnline = isOnline
        seats[device.id] = seat
        // What stands under the name it still has is not stale, only not known yet.
        let prefix = prefix(seat)
        if !withdrawn.isEmpty { withdrawn = withdrawn.filter { !$0.hasPrefix(prefix) } }
        if let topic = Announcement.topic(options, Announcement.identity(device.id)) { withdrawn.remove(topic) }
    }

    /// The newest reading of a series. Registers of energy are left to `note(total:)`.
    public mutating func note(_ key: SeriesKey, _ value: Int64, at time: Timestamp) {
        guard key.quantity != .available, BridgeState.isPlain(key.quantity) else { return }
        guard BridgeState.rises(key.quantity) else { return set(key, value) }
        var total = totals[key] ?? RisingTotal(value)
        if total.take(value, at: time) { mustBeKept = true }
        totals[key] = total
        set(key, total.value)
    }

    /// All energy that Usage has booked to a channel since the beginning, in mWh.
    public mutating func note(total key: SeriesKey, _ milliwattHours: Int64) {
        var total = totals[key] ?? RisingTotal(milliwattHours)
        if total.advance(to: milliwattHours) { mustBeKept = true }
        totals[key] = total
        set(key, total.value)
    }

    private static func isPlain(_ quantity: Quantity) -> Bool {
        switch quantity.behaviour {
        case .gauge, .state, .period: true
        case .counter: rises(quantity)
        case .delta: false
        }
    }

    /// Registers that Usage does not judge.
    private static func rises(_ quantity: Quantity) -> Bool { quantity.name == "gas" || quantity.name == "water" }

    private mutating func set(_ key: SeriesKey, _ value: Int64) {
        guard let seat = seats[key.device] else { return }
        if let known = values[key] {
            if known.value != value {
                values[key]?.value = value
                values[key]?.isTold = false
            }
            return
        }
        let part = key.channel == .total ? "" : "\(key.channel)/"
        let topic = "\(prefix(seat))\(part)\(key.quantity)"
        values[key] = Value(topic: topic, value: value)
        mustBeKept = true
        seats[key.device]?.series.append(key)
        if Announcement.sensor(for: key.quantity) != nil { seats[key.device]?.isAnnounced = false }
    }

    // MARK: Names

    private func prefix(_ seat: Seat) -> String {
        "\(options.topic)/\(BridgeOptions.level(options.home))/\(seat.level)/"
    }

    private func availabilityTopic(_ seat: Seat) -> String { prefix(seat) + "available" }

    /// Two names may read the same as a level; the second then carries its device's identity.
    private func freeLevel(for device: Device) -> String {
        let level = BridgeOptions.level(device.name)
        guard let owner = levels[level], owner != device.id else { return level }
        return "\(level)_\(device.id.description.prefix(8))"
    }

    /// A device gets another name: what stood under the old one is withdrawn and said again under the new one.
    private mutating func leave(_ seat: Seat) {
        withdrawn.insert(availabilityTopic(seat))
        for key in seat.series {
            if let value = values.removeValue(forKey: key) { withdrawn.insert(value.topic) }
        }
        levels[seat.level] = nil
        seats[seat.device.id] = nil
        availability[seat.device.id] = nil
        mustBeKept = true
    }

    // MARK: Publications

    /// All that the broker does not know yet, descriptions before values. What is handed out counts as told. Totals
    /// only when what a restart has to know of them was kept: else they could fall.
    public mutating func publications(withTotals isKept: Bool = true) -> [Publication] {
        var out: [Publication] = []
        for topic in withdrawn.sorted() { out.append(Publication(topic: topic, payload: [], isConfirmed: true)) }
        withdrawn = []
        if !isGatewayAnnounced, let announcement = options.gatewayAnnouncement() { out.append(announcement) }
        isGatewayAnnounced = true
        let ids = seats.keys.sorted()
        for id in ids { announce(id, &out) }
        for id in ids {
            guard let seat = seats[id], availability[id] != seat.isOnline else { continue }
            availability[id] = seat.isOnline
            let word = seat.isOnline ? BridgeOptions.online : BridgeOptions.offline
            out.append(Publication(topic: availabilityTopic(seat), payload: word, isConfirmed: true))
        }
        for id in ids {
            for key in seats[id]?.series ?? [] {
                guard let value = values[key], !value.isTold, isKept || totals[key] == nil else { continue }
                values[key]?.isTold = true
                let text = Thousandths.text(value.value)
                out.append(
                    Publication(
                        topic: value.topic, payload: Array(text.utf8), isConfirmed: totals[key] != nil))
            }
        }
        return out
    }

    private mutating func announce(_ id: DeviceID, _ out: inout [Publication]) {
        guard let seat = seats[id], !seat.isAnnounced,
            let topic = Announcement.topic(options, Announcement.identity(id))
        else { return }
        let announcement = Announcement(
            options: options, device: seat.device, availabilityTopic: availabilityTopic(seat),
            series: seat.series.sorted().compactMap { key in values[key].map { (key, $0.topic) } })
        guard let payload = announcement.payload() else { return }
        seats[id]?.isAnnounced = true
        out.append(Publication(topic: topic, payload: payload, isConfirmed: true))
    }

    /// The broker or Home Assistant began anew, or did not take all: everything is said again.
    public mutating func forget() {
        isGatewayAnnounced = false
        availability = [:]
        for id in seats.keys { seats[id]?.isAnnounced = false }
        for key in values.keys { values[key]?.isTold = false }
    }

    /// The last snapshot could not be kept.
    public mutating func noteNotKept() { mustBeKept = true }

    /// What a restart has to know.
    public mutating func snapshot() -> BridgeSnapshot {
        mustBeKept = false
        var topics = Array(withdrawn) + values.values.map(\.topic)
        for seat in seats.values {
            topics.append(availabilityTopic(seat))
            if let topic = Announcement.topic(options, Announcement.identity(seat.device.id)) {
                topics.append(topic)
            }
        }
        return BridgeSnapshot(totals: totals, topics: topics.sorted())
    }
}
