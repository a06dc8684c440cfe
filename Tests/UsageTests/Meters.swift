import Metering
import Records
import Timekeeping

@testable import Usage

/// A home for tests: devices, their series, and a state that is fed one record at a time.
struct Meters {
    static let start: Int64 = 1_774_742_400  // 2026-03-29T00:00:00Z, a slot's start
    var state = UsageState()
    var dictionary = SeriesDictionary()
    var offset: UInt64 = 0
    /// The latest value of each slot, as a Ledger keeps it.
    var ledger: [Key: SlotUsage] = [:]
    var decisions: [Decision] = []
    /// Whether what a recomputation decided takes the place of what had been decided, as in the shells.
    var revisesDecisions = false
    /// Every reading, as History has them.
    var archive = Archive()

    struct Key: Hashable {
        var device: DeviceID
        var channel: Channel
        var slot: Slot
    }

    static func id(_ number: UInt64) -> DeviceID { DeviceID(high: 7, low: 100 + number) }

    static func device(
        _ number: UInt64, role: DeviceRole = .load, watts: Int64? = 3_700, parent: UInt64? = nil,
        counters: [Counter] = []
    ) -> Device {
        Device(
            id: id(number), name: "d\(number)", role: role, family: "test", ratingWatts: watts,
            parent: parent.map(id), counters: counters, validFrom: Timestamp(seconds: 0))
    }

    mutating func add(_ device: Device) { apply(.device(device)) }

    mutating func series(_ device: UInt64, _ quantity: Quantity, _ channel: Channel = .total) -> SeriesNumber {
        dictionary.number(for: SeriesKey(device: Meters.id(device), channel: channel, quantity: quantity))!
    }

    /// One reading, `seconds` after `start`.
    mutating func read(
        _ seconds: Int64, _ value: Int64, device: UInt64 = 1, _ quantity: Quantity = .energyImport,
        channel: Channel = .total, flags: ReadingFlags = []
    ) {
        let time = Timestamp(seconds: Meters.start + seconds)
        let series = series(device, quantity, channel)
        apply(.readings([Reading(series: series, time: time, received: time, value: value, flags: flags)]))
    }

    mutating func apply(_ record: Record) {
        let dictionary = dictionary
        if case .readings(let readings) = record { archive.add(readings, dictionary) }
        state.apply(record, offset: offset) { dictionary[$0] }
        offset += 1
    }

    mutating func settle() {
        for slot in state.takeChanges() {
            ledger[Key(device: slot.device, channel: slot.channel, slot: slot.slot)] = slot
        }
        decisions += state.takeDecisions()
    }

    /// Works out again what was asked for, as the shells do; returns the slots that changed.
    @discardableResult
    mutating func recompute() throws -> [SlotUsage] {
        settle()
        var all: [SlotUsage] = []
        for wanted in state.takeRecomputes() {
            let result = try state.recomputation(of: wanted, from: archive)
            let stored = ledger.values
                .filter {
                    $0.device == wanted.device && $0.channel == wanted.channel && $0.slot <= result.range.upperBound
                }
                .sorted { $0.slot < $1.slot }
            let changes = result.changes(against: stored)
            for slot in changes { ledger[Key(device: slot.device, channel: slot.channel, slot: slot.slot)] = slot }
            state.adopt(result)
            if revisesDecisions {
                decisions.removeAll {
                    $0.series.device == wanted.device && $0.series.channel == wanted.channel && $0.kind != .late
                        && result.decided?.contains($0.time) ?? false
                }
                decisions += result.decisions
            }
            all += changes
        }
        settle()
        return all
    }

    @discardableResult
    mutating func decide(
        _ action: Correction.Action, device: UInt64 = 1, _ quantity: Quantity? = .energyImport,
        from: Int64, to: Int64? = nil, id: UInt64 = 1
    ) throws -> [SlotUsage] {
        let correction = Correction(
            id: CommandID(high: 0, low: id), device: Meters.id(device), channel: quantity.map { _ in .total },
            quantity: quantity, from: Timestamp(seconds: Meters.start + from),
            to: Timestamp(seconds: Meters.start + (to ?? from)), action: action)
        apply(.command(correction.command(actor: "test", decided: Timestamp(seconds: Meters.start), reason: nil)))
        return try recompute()
    }

    @discardableResult
    mutating func undo(_ id: UInt64) throws -> [SlotUsage] {
        let argument = Command.Argument(name: "command", value: CommandID(high: 0, low: id).description)
        apply(.command(Command(id: CommandID(high: 1, low: id), actor: "test", verb: .undo, arguments: [argument])))
        return try recompute()
    }

    func slots(_ device: UInt64 = 1, _ channel: Channel = .total) -> [SlotUsage] {
        ledger.values.filter { $0.device == Meters.id(device) && $0.channel == channel }.sorted { $0.slot < $1.slot }
    }

    func sum(_ device: UInt64 = 1, _ flow: KeyPath<SlotUsage, Int64?> = \.imported) -> Int64 {
        slots(device).reduce(0) { $0 + ($1[keyPath: flow] ?? 0) }
    }

    var kinds: [Decision.Kind] { decisions.map(\.kind) }
}

/// Readings in memory, in the order of time.
struct Archive: ReadingArchive {
    private var points: [SeriesKey: [(time: Timestamp, value: Int64)]] = [:]
    private(set) var begin = Timestamp(milliseconds: .min)

    mutating func add(_ readings: [Reading], _ dictionary: SeriesDictionary) {
        for reading in readings where !reading.flags.contains(.retained) {
            guard let key = dictionary[reading.series], Timestamp.validRange.contains(reading.time) else { continue }
            // Those of one instant in the order in which they came, as History has them.
            let at = index(of: reading.time + 1, key)
            points[key, default: []].insert((reading.time, reading.value), at: at)
        }
    }

    mutating func forget(before seconds: Int64) {
        begin = Timestamp(seconds: seconds)
        for key in points.keys { points[key]?.removeAll { $0.time < Timestamp(seconds: seconds) } }
    }

    /// Of the first point not before `time`.
    private func index(of time: Timestamp, _ key: SeriesKey) -> Int {
        guard let list = points[key] else { return 0 }
        var (low, high) = (0, list.count)
        while low < high {
            let middle = (low + high) / 2
            if list[middle].time < time { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// Seconds after `Meters.start`, and values.
    func all(of device: UInt64, _ quantity: Quantity) -> [(Int64, Int64)] {
        let key = SeriesKey(device: Meters.id(device), channel: .total, quantity: quantity)
        return (points[key] ?? []).map { ($0.time.milliseconds / 1000 - Meters.start, $0.value) }
    }

    func readings(of series: SeriesKey, from: Timestamp, until: Timestamp, _ body: (Timestamp, Int64) -> Void) {
        for point in (points[series] ?? [])[index(of: from, series)...] {
            if point.time >= until { return }
            body(point.time, point.value)
        }
    }
}
