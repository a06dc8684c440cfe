import Foundation
import Metering
import Testing
import Timekeeping
import Usage

@testable import Billing

/// The system's own zone data; `zdump` agrees with it in the tests of Timekeeping.
func zone(_ name: String) throws -> Zone {
    let bytes = try Data(contentsOf: URL(fileURLWithPath: "/usr/share/zoneinfo/\(name)"))
    return try Zone(name: name, bytes: [UInt8](bytes))
}

func time(_ text: String) throws -> Timestamp { try Timestamp(rfc3339: text) }

let meter = DeviceID(high: 1, low: 1)
let washer = DeviceID(high: 1, low: 2)
let roof = DeviceID(high: 1, low: 3)
let devices = [
    Device(id: meter, name: "meter", role: .grid, family: "modbus", validFrom: Timestamp(seconds: 0)),
    Device(id: washer, name: "washer", family: "tasmota", validFrom: Timestamp(seconds: 0)),
    Device(id: roof, name: "roof", role: .solar, family: "modbus", validFrom: Timestamp(seconds: 0)),
]

func tariff(_ name: String, _ price: String, export: String? = nil, from: String) throws -> Tariff {
    Tariff(
        name: name, currency: .euro, importPrice: try #require(Decimal(price: price)),
        exportPrice: try export.map { try #require(Decimal(price: $0)) }, validFrom: try time(from))
}

func home(_ tariffs: [Tariff], zone: String = "Europe/Berlin") -> [HomeSettings] {
    [HomeSettings(name: "home", zone: zone, tariffs: tariffs, validFrom: Timestamp(seconds: 0))]
}

func usage(
    _ device: DeviceID, _ slot: Slot, imported: Int64? = nil, exported: Int64? = nil, produced: Int64? = nil,
    measured: Int64 = Slot.length
) -> SlotUsage {
    SlotUsage(
        device: device, channel: .total, slot: slot, imported: imported, exported: exported, produced: produced,
        measuredTime: measured)
}

struct BillingTests {
    @Test func `a flat tariff costs what the price times the energy is, to the ninth decimal`() throws {
        let settings = home([try tariff("flat", "0.32151", export: "0.0811", from: "2026-01-01T00:00:00Z")])
        let slot = Slot(containing: try time("2026-06-01T10:00:00Z"))
        let rows = UsageTable.rows(
            slots: [usage(meter, slot, imported: 1_234_567, exported: 7_777)], devices: devices, settings: settings,
            zone: try zone("Europe/Berlin"), by: .slot, from: slot.start, to: slot.end)
        // By hand: 1.234567 kWh × 0.32151 = 0.39692563617; 0.007777 kWh × 0.0811 = 0.0006307147.
        #expect(rows.map(\.name) == ["home", "meter"])
        #expect(rows[0].cost?.text(places: 9) == "0.396294921")
        #expect(rows[0].cost?.description == "0.39629492147")
        #expect(rows[1].cost == rows[0].cost)
        #expect(rows[0].currency == .euro)
    }

    @Test func `a load pays what it takes and is paid nothing`() throws {
        let settings = home([try tariff("flat", "0.30", export: "0.10", from: "2026-01-01T00:00:00Z")])
        let slot = Slot(containing: try time("2026-06-01T10:00:00Z"))
        let rows = UsageTable.rows(
            slots: [usage(washer, slot, imported: 1_000_000, exported: 500_000)], devices: devices, settings: settings,
            zone: .utc, by: .slot, from: slot.start, to: slot.end)
        #expect(rows.map(\.name) == ["washer"])
        #expect(rows[0].cost?.description == "0.3")
    }

    @Test func `what is not known costs nothing that could be told`() throws {
        let settings = home([try tariff("flat", "0.30", from: "2026-06-01T10:15:00Z")])
        let slot = Slot(containing: try time("2026-06-01T10:00:00Z"))
        let rows = UsageTable.rows(
            slots: [usage(meter, slot, imported: 1000), usage(meter, slot.next, exported: 1000)], devices: devices,
            settings: settings, zone: .utc, by: .slot, from: slot.start, to: slot.next.end)
        #expect(rows.allSatisfy { $0.cost == nil && $0.currency == nil })
        #expect(rows.count == 4)
    }

    @Test func `a new tariff in the middle of the day prices the slots from then on`() throws {
        let settings = home([
            try tariff("old", "0.30", from: "2026-01-01T00:00:00Z"),
            try tariff("new", "0.40", from: "2026-06-01T10:00:00Z"),
        ])
        let day = Slot(containing: try time("2026-06-01T00:00:00Z"))
        let slots = (0..<96).map { usage(meter, Slot(index: day.index + $0), imported: 1_000_000) }
        let end = Slot(index: day.index + 96).start
        let rows = UsageTable.rows(
            slots: slots, devices: devices, settings: settings, zone: .utc, by: .day, from: day.start, to: end)
        // 40 slots at 0.30 and 56 at 0.40.
        #expect(rows.first?.cost?.description == "34.4")
        let bills = Bills.bills(
            slots: slots, devices: devices, settings: settings, zone: .utc, from: day.start, to: end)
        #expect(bills.count == 1)
        #expect(bills[0].tariff == "old, new")
        #expect(bills[0].lines.map(\.amount.description) == ["12", "22.4"])
        #expect(bills[0].lines.map(\.quantity.description) == ["40", "56"])
        #expect(bills[0].total.text(places: 2, minimum: 2) == "34.40")
    }

    @Test func `only a bill's lines are rounded, half to even`() throws {
        let settings = home([try tariff("flat", "0.01", export: "0.03", from: "2026-01-01T00:00:00Z")])
        let slot = Slot(containing: try time("2026-06-01T00:00:00Z"))
        let bills = Bills.bills(
            slots: [
                usage(meter, slot, imported: 250_000, exported: 1),
                usage(meter, slot.next, imported: 250_000, exported: 499_999),
            ], devices: devices, settings: settings, zone: .utc, from: slot.start, to: slot.next.end)
        // 0.5 kWh × 0.01 = 0.005 → 0.00; 0.5 kWh × 0.03 = 0.015 → 0.02.
        #expect(bills[0].lines.map { $0.amount.text(places: 2, minimum: 2) } == ["0.00", "-0.02"])
        #expect(bills[0].lines.map(\.kind) == [.energy, .export])
        #expect(bills[0].total.text(places: 2, minimum: 2) == "-0.02")
    }

    @Test func `a bill is a local month`() throws {
        let settings = home([try tariff("flat", "0.25", from: "2026-01-01T00:00:00Z")])
        let berlin = try zone("Europe/Berlin")
        let from = try time("2026-02-15T00:00:00+01:00")
        let to = try time("2026-04-02T00:00:00+02:00")
        let first = Slot(containing: from)
        let count = (to - from) / Slot.length
        let slots = (0..<count).map { usage(meter, Slot(index: first.index + $0), imported: 1_000_000) }
        let bills = Bills.bills(
            slots: slots, devices: devices, settings: settings, zone: berlin, from: from, to: to)
        #expect(
            bills.map { berlin.rfc3339($0.from) } == [
                "2026-02-01T00:00:00+01:00", "2026-03-01T00:00:00+01:00", "2026-04-01T00:00:00+02:00",
            ])
        // March has an hour less.
        #expect(bills[1].lines[0].quantity == Decimal(31 * 96 - 4))
    }

    @Test(arguments: ["Europe/Berlin", "Australia/Lord_Howe", "America/New_York", "Asia/Kolkata"])
    func `hours sum to days and days to months where clocks change`(name: String) throws {
        let place = try zone(name)
        let settings = home([try tariff("flat", "0.31", from: "2026-01-01T00:00:00Z")], zone: name)
        for text in ["2026-03-01T12:00:00Z", "2026-04-10T12:00:00Z", "2026-10-10T12:00:00Z", "2026-11-10T12:00:00Z"] {
            let month = Grouping.month.period(containing: try time(text), zone: place)
            let first = Slot(containing: month.from)
            #expect(first.start == month.from)
            let slots = (0..<month.length / Slot.length).map {
                usage(meter, Slot(index: first.index + $0), imported: $0 * 7 + 1)
            }
            func rows(_ grouping: Grouping) -> [UsageRow] {
                UsageTable.rows(
                    slots: slots, devices: devices, settings: settings, zone: place, by: grouping, from: month.from,
                    to: month.to
                ).filter { $0.name == "home" }
            }
            let (hours, days, whole) = (rows(.hour), rows(.day), rows(.month))
            #expect(whole.count == 1)
            for day in days {
                let within = hours.filter { $0.from >= day.from && $0.to <= day.to }
                #expect(within.reduce(0) { $0 + ($1.imported ?? 0) } == day.imported)
                #expect(within.reduce(0) { $0 + $1.span } == day.span)
                #expect(within.reduce(Decimal.zero) { $0 + ($1.cost ?? .zero) } == day.cost)
            }
            #expect(days.reduce(0) { $0 + ($1.imported ?? 0) } == whole[0].imported)
            #expect(days.reduce(0) { $0 + $1.span } == whole[0].span)
            #expect(days.reduce(Decimal.zero) { $0 + ($1.cost ?? .zero) } == whole[0].cost)
            for row in hours + days + whole { #expect(row.quality == .measured && row.coverageText == "1.0") }
            for (a, b) in zip(hours, hours.dropFirst()) { #expect(a.to == b.from) }
        }
    }

    @Test func `the days of a change have 23 and 25 hours, at Lord Howe 23.5 and 24.5`() throws {
        let cases: [(String, String, Int64)] = [
            ("Europe/Berlin", "2026-03-29T12:00:00Z", 23 * 60), ("Europe/Berlin", "2026-10-25T12:00:00Z", 25 * 60),
            ("Australia/Lord_Howe", "2026-10-03T20:00:00Z", 23 * 60 + 30),
            ("Australia/Lord_Howe", "2026-04-05T00:00:00Z", 24 * 60 + 30),
        ]
        for (name, text, minutes) in cases {
            let day = Grouping.day.period(containing: try time(text), zone: try zone(name))
            #expect(day.length == minutes * 60_000, "\(name) \(text)")
        }
    }
}
