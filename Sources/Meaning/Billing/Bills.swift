import Metering
import Timekeeping
import Usage

/// Makes the bills of a home, one a billing period: the slots of the period's tariffs, each at its own price.
///
/// Slots come in the order of slot, then device; memory is one period's sums.
public struct Bills {
    private let pricing: Pricing
    private let balance: HomeBalance
    private var period: Period?
    /// By index of the tariff, which is the order of time.
    private var parts: [Int: BillPart] = [:]
    private var tiers = TierMeter()
    private var group: SlotGroup
    /// The first slot with data, and the last so far: standing charges are due for the days between.
    private var first: Slot?
    private var last: Slot?
    private var bills: [Bill] = []

    /// As for `UsageTable`.
    public init(devices: [Device], pricing: Pricing, span: Period, totalCounters: Set<DeviceID> = []) {
        self.pricing = pricing
        balance = HomeBalance(devices: devices, totalCounters: totalCounters)
        group = SlotGroup(span: span)
    }

    /// All at once: `slots` in the order of slot, then device.
    public static func bills(
        slots: some Sequence<SlotUsage>, devices: [Device], settings: [HomeSettings], zone: Zone, from: Timestamp,
        to: Timestamp, prices: PriceBook = PriceBook(), totalCounters: Set<DeviceID> = []
    ) -> [Bill] {
        var bills = Bills(
            devices: devices, pricing: Pricing(settings: settings, zone: zone, prices: prices),
            span: Period(from: from, to: to), totalCounters: totalCounters)
        for slot in slots { bills.add(slot) }
        return bills.finish()
    }

    /// Adds the next slot; one earlier than the last one added is left out.
    public mutating func add(_ usage: SlotUsage) {
        if let whole = group.add(usage) { close(whole) }
    }

    /// The bills in the order of time; a period in which nothing could be priced has none.
    public mutating func finish() -> [Bill] {
        if let whole = group.finish() { close(whole) }
        writePeriod()
        defer { bills = [] }
        return bills
    }

    private mutating func close(_ group: [SlotUsage]) {
        guard let slot = group.first?.slot, let home = balance.balance(group).home else { return }
        if let period, !period.contains(slot.start) {
            // Data goes on after the period, so that all of its days have been lived.
            last = Slot(containing: min(slot.start, period.to) - 1)
            writePeriod()
        }
        if first == nil { first = slot }
        last = slot
        if period == nil { period = pricing.billingPeriod(containing: slot.start) }
        guard let price = pricing.price(of: slot) else { return }
        if case .tiered = price.energy { tiers.enter(slot, tariff: price.tariff, pricing) }
        parts[price.tariff, default: BillPart(pricing.tariffs[price.tariff])].add(home, price, &tiers)
    }

    /// One bill a currency: amounts of two cannot be added.
    private mutating func writePeriod() {
        guard let period else { return }
        self.period = nil
        defer { parts = [:] }
        guard !parts.isEmpty else { return }
        countDays(of: period)
        var rest = parts.sorted { $0.key < $1.key }.map(\.value)[...]
        while let currency = rest.first?.tariff.currency {
            let same = rest.prefix { $0.tariff.currency == currency }
            rest = rest.dropFirst(same.count)
            let lines = same.flatMap { $0.lines() }
            let unpriced = same.contains { $0.unpricedImport != 0 || $0.unpricedExport != 0 }
            guard !lines.isEmpty || unpriced else { continue }
            var names: [String] = []
            for part in same where !names.contains(part.tariff.name) { names.append(part.tariff.name) }
            var bill = Bill(
                from: period.from, to: period.to, fromOffset: pricing.zone.offset(at: period.from),
                toOffset: pricing.zone.offset(at: period.to), tariff: names.joined(separator: ", "),
                currency: currency, lines: lines, total: lines.reduce(.zero) { $0 + $1.amount })
            for part in same {
                bill.unpricedImport = saturating(bill.unpricedImport, part.unpricedImport)
                bill.unpricedExport = saturating(bill.unpricedExport, part.unpricedExport)
                bill.measuredTime += part.measuredTime
                bill.filledTime += part.filledTime
            }
            bills.append(bill)
        }
    }

    /// Gives each part the days that are its own, of those from the first to the last with data.
    private mutating func countDays(of period: Period) {
        guard let first, let last else { return }
        let days = pricing.days(of: period)
        for (day, tariff) in days {
            guard let tariff, pricing.zone.end(of: day) > first.start, pricing.zone.start(of: day) < last.end
            else { continue }
            parts[tariff, default: BillPart(pricing.tariffs[tariff])].days.append(day)
        }
        for key in parts.keys { parts[key]?.daysOfPeriod = days.count }
    }
}

/// The sum, held at the ends of the range.
func saturating(_ a: Int64, _ b: Int64) -> Int64 {
    let (sum, overflow) = a.addingReportingOverflow(b)
    return overflow ? (b < 0 ? .min : .max) : sum
}
