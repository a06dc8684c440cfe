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
        state.apply(record, offset: offset) { dictionary[$0] }
        offset += 1
    }

    mutating func settle() {
        for slot in state.takeChanges() {
            ledger[Key(device: slot.device, channel: slot.channel, slot: slot.slot)] = slot
        }
        decisions += state.takeDecisions()
    }

    func slots(_ device: UInt64 = 1, _ channel: Channel = .total) -> [SlotUsage] {
        ledger.values.filter { $0.device == Meters.id(device) && $0.channel == channel }.sorted { $0.slot < $1.slot }
    }

    func sum(_ device: UInt64 = 1, _ flow: KeyPath<SlotUsage, Int64?> = \.imported) -> Int64 {
        slots(device).reduce(0) { $0 + ($1[keyPath: flow] ?? 0) }
    }

    var kinds: [Decision.Kind] { decisions.map(\.kind) }
}

/// A generator whose numbers follow from its seed, so that a failure can be repeated.
struct Seeded: RandomNumberGenerator {
    private var state: UInt64

    init(_ seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }

    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state &* 0x2545_F491_4F6C_DD1D
    }
}
