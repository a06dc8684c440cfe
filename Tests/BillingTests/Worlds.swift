import Metering
import Testing
import Timekeeping
import Usage

@testable import Billing

/// A decimal of a test's own text.
func decimal(_ text: String) -> Decimal {
    guard let decimal = Decimal(price: text) else { preconditionFailure("\(text) is no price") }
    return decimal
}

/// Slots of a grid meter over local days of a zone, each of what `energy` says of its local time, in mWh.
func slots(
    _ from: String, _ to: String, in zone: Zone, _ energy: (LocalTime, Slot) -> (imported: Int64, exported: Int64?)
) throws -> [SlotUsage] {
    let first = try #require(LocalDay(from))
    let last = try #require(LocalDay(to))
    var slot = Slot(containing: zone.start(of: first))
    let end = zone.start(of: last)
    var slots: [SlotUsage] = []
    while slot.start < end {
        let flow = energy(zone.local(at: slot.start), slot)
        slots.append(usage(meter, slot, imported: flow.imported, exported: flow.exported))
        slot = slot.next
    }
    return slots
}

/// `total` mWh spread over `count` slots to the mWh: what the n-th has.
func share(_ total: Int64, _ n: Int, of count: Int) -> Int64 {
    total * Int64(n + 1) / Int64(count) - total * Int64(n) / Int64(count)
}

/// Spreads totals over the slots of each kind, such as peak and off-peak, evenly.
struct Spread {
    private var counts: [String: Int] = [:]
    private var seen: [String: Int] = [:]
    private let totals: [String: Int64]

    /// `kinds`: of all slots, in order.
    init(_ totals: [String: Int64], kinds: [String]) {
        self.totals = totals
        for kind in kinds { counts[kind, default: 0] += 1 }
    }

    mutating func next(_ kind: String) -> Int64 {
        defer { seen[kind, default: 0] += 1 }
        return share(totals[kind] ?? 0, seen[kind] ?? 0, of: counts[kind] ?? 1)
    }
}

extension Bill {
    /// Kind, label and amount of each line.
    var printed: [String] {
        lines.map { "\($0.kind.rawValue) \($0.label): \($0.amount.text(places: 2, minimum: 2))" }
    }
    var totalText: String { total.text(places: 2, minimum: 2) }
}

/// The bills of a grid meter's slots.
func bills(
    _ slots: [SlotUsage], _ tariffs: [Tariff], in zone: Zone, billingDay: BillingDay = .first,
    prices: PriceBook = PriceBook()
) -> [Bill] {
    let settings = HomeSettings(
        name: "home", zone: zone.name, tariffs: tariffs, validFrom: Timestamp(seconds: 0), billingDay: billingDay)
    return Bills.bills(
        slots: slots, devices: devices, settings: [settings], zone: zone, from: Timestamp(seconds: 0),
        to: Timestamp.validRange.upperBound, prices: prices)
}

func usd(_ name: String, _ price: String, _ change: (inout Tariff) -> Void = { _ in }) throws -> Tariff {
    var tariff = Tariff(
        name: name, currency: try #require(Currency("USD")), importPrice: decimal(price),
        validFrom: Timestamp(seconds: 0))
    change(&tariff)
    return tariff
}
