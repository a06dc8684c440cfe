import API
import APITypes
import Metering
import Timekeeping

@testable import Billing

/// A home whose answers are known beforehand.
struct FixedHome: HomeView {
    /// How many readings a span holds.
    var readings = 3
    var store: (any StoreView)?
    var past: (any HistoryView)?
    static let start = Timestamp(seconds: 1_770_000_000)  // 2026-02-02T02:40:00Z
    static let device = Device(
        id: DeviceID(high: 1, low: 0xAB), name: "washer", family: "tasmota", profile: "tasmota",
        bindings: [Binding(address: "mqtt:tasmota:washer")], validFrom: start)

    static func reading(_ number: Int) -> ReadingAnswer {
        ReadingAnswer(
            device: "washer", channel: .total, quantity: .power, time: start + Int64(number) * 1000,
            received: start + Int64(number) * 1000, value: Int64(number) * 1500, flags: [])
    }

    func status() async -> StatusAnswer {
        StatusAnswer(
            gateway: "g", version: "1", home: "home", zone: "UTC", started: FixedHome.start, now: FixedHome.start + 5,
            devices: 1, series: 2, end: 10, durable: 9, readings: 8, rejected: 1,
            stages: [StageStatus(name: "mqtt", state: .waiting, detail: "a \"broker\"")])
    }

    func devices() async throws -> [DeviceAnswer] {
        [
            DeviceAnswer(
                device: FixedHome.device, lastSeen: nil, available: nil, messages: 5, rejected: 1,
                lastError: "it is no JSON", power: 1500, parentName: nil)
        ]
    }

    func latest(_ filter: SeriesFilter) async throws -> [ReadingAnswer] {
        try check(filter.device)
        var flagged = FixedHome.reading(2)
        flagged.received = flagged.time + 250
        flagged.flags = [.late, .derived]
        return [FixedHome.reading(1), flagged].filter {
            filter.matches(device: $0.device, channel: $0.channel, quantity: $0.quantity)
        }
    }

    func readings(
        _ filter: SeriesFilter, since: Timestamp, until: Timestamp, limit: Int
    ) async throws -> @Sendable (Int) -> [ReadingAnswer]? {
        try check(filter.device)
        if filter.quantity?.name == "gas" { throw Broken() }
        let count = min(readings, limit)
        let pageSize = 1024
        return { page in
            let first = page * pageSize
            // An empty page is no end.
            if count == 0, page == 0 { return [] }
            guard first < count else { return nil }
            return (first..<min(first + pageSize, count)).map(FixedHome.reading)
        }
    }

    func follow(_ filter: SeriesFilter) async throws -> AsyncStream<[ReadingAnswer]> {
        try check(filter.device)
        return AsyncStream { continuation in
            for batch in [[0, 1], [], [2]] { continuation.yield(batch.map(FixedHome.reading)) }
            continuation.finish()
        }
    }

    func usage(
        by period: UsagePeriod, since: Timestamp?, until: Timestamp?, device: String?
    ) async throws -> [UsageAnswer] {
        if device != "home" { try check(device) }
        var row = UsageRow(
            device: DeviceID(high: 0, low: 1), name: "home", channel: .total, from: FixedHome.start,
            to: FixedHome.start + 2 * Span.hour, fromOffset: 3600, toOffset: 7200, imported: 1_234_567,
            exported: nil, cost: Decimal(price: "0.396913291"), currency: .euro, estimated: 0,
            measuredTime: Span.hour, filledTime: 0)
        let slot = Slot(containing: FixedHome.start)
        row.power = PowerRange(SlotPower(slot: slot, least: -1_500, mean: 230_001, greatest: 2_000_000))
        return [UsageAnswer(row: row)]
    }

    private func check(_ device: String?) throws {
        if let device, device != "washer" { throw Problem.notFound("no device is called \(device)") }
    }

    struct Broken: Error, CustomStringConvertible {
        let description = "the disk is on fire"
    }
}
