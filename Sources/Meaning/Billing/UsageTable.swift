import Metering
import Timekeeping
import Usage

/// Sums slots into rows, one device's channel and one period a row, with the home's balance and the costs.
///
/// Slots come in the order of slot, then device; memory is the rows and one sum a channel, however long the span.
public struct UsageTable {
    private struct Line {
        var row: UsageRow
        /// The sum has something in it.
        var known = false
        var mixedCurrency = false
        /// End of the last row that was written; nil before the first.
        var writtenTo: Timestamp?
        /// 0 the home, 1 a device, 2 the unmetered rest.
        var rank: Int
    }

    private struct Key: Hashable {
        var device: DeviceID
        var channel: Channel
    }

    private let grouping: Grouping
    private let pricing: Pricing
    private var costs: SlotCosts
    private let span: Period
    private let isWhole: Bool
    private let balance: HomeBalance
    private let names: [DeviceID: String]
    private let gridMeters: Set<DeviceID>
    private var lines: [Line] = []
    private var index: [Key: Int] = [:]
    private var current: Period?
    private var group: SlotGroup
    private var rows: [(row: UsageRow, line: Int)] = []

    /// `devices`: the latest descriptor of each. Slots that start outside `span` are left out of the rows; those since
    /// `pricing.start(toPrice: span.from)` say how far tiers have come, if they are added. Without a grouping the span
    /// as a whole is one period. `totalCounters`: see `HomeBalance`.
    public init(
        devices: [Device], pricing: Pricing, by grouping: Grouping?, span: Period, totalCounters: Set<DeviceID> = []
    ) {
        self.grouping = grouping ?? .slot
        isWhole = grouping == nil
        self.pricing = pricing
        self.span = span
        costs = SlotCosts(pricing: pricing)
        group = SlotGroup(span: Period(from: pricing.start(toPrice: span.from), to: span.to))
        balance = HomeBalance(devices: devices, totalCounters: totalCounters)
        names = [DeviceID: String](devices.map { ($0.id, $0.name) }, uniquingKeysWith: { $1 })
        gridMeters = Set(devices.filter { $0.role == .grid }.map(\.id))
    }

    /// All at once: `slots` in the order of slot, then device.
    public static func rows(
        slots: some Sequence<SlotUsage>, devices: [Device], settings: [HomeSettings], zone: Zone, by grouping: Grouping,
        from: Timestamp, to: Timestamp, prices: PriceBook = PriceBook(), totalCounters: Set<DeviceID> = []
    ) -> [UsageRow] {
        var table = UsageTable(
            devices: devices, pricing: Pricing(settings: settings, zone: zone, prices: prices), by: grouping,
            span: Period(from: from, to: to), totalCounters: totalCounters)
        for slot in slots { table.add(slot) }
        return table.finish()
    }

    /// Adds the next slot. One that is earlier than the last one added is left out: its period may be written.
    public mutating func add(_ usage: SlotUsage) {
        if let whole = group.add(usage) { close(whole) }
    }

    /// The rows in the order of their start; in each period the home first, then devices by name, then the rest.
    public mutating func finish() -> [UsageRow] {
        if let whole = group.finish() { close(whole) }
        writePeriod()
        let order = lines.indices.sorted { a, b in
            let (x, y) = (lines[a], lines[b])
            if x.rank != y.rank { return x.rank < y.rank }
            if x.row.name != y.row.name { return x.row.name < y.row.name }
            if x.row.device != y.row.device { return x.row.device < y.row.device }
            let (xTotal, yTotal) = (x.row.channel == .total, y.row.channel == .total)
            return xTotal != yTotal ? xTotal : x.row.channel < y.row.channel
        }
        var places = [Int](repeating: 0, count: lines.count)
        for (place, line) in order.enumerated() { places[line] = place }
        rows.sort { ($0.row.from, places[$0.line]) < ($1.row.from, places[$1.line]) }
        defer { rows = [] }
        return rows.map(\.row)
    }

    private mutating func close(_ group: [SlotUsage]) {
        guard let slot = group.first?.slot else { return }
        let (home, unmetered) = balance.balance(group)
        costs.enter(slot)
        guard span.contains(slot.start) else {
            if let home { _ = costs.home(home) }
            return
        }
        if let current, !current.contains(slot.start) { writePeriod() }
        let period = current ?? self.period(containing: slot.start)
        current = period
        for usage in group where usage.isKnown {
            sum(usage, rank: 1, creditsExport: gridMeters.contains(usage.device), period)
        }
        if let home { sum(home, rank: 0, creditsExport: true, period) }
        if let unmetered { sum(unmetered, rank: 2, creditsExport: false, period) }
    }

    private mutating func sum(_ usage: SlotUsage, rank: Int, creditsExport: Bool, _ period: Period) {
        let line = line(of: usage, rank)
        if !lines[line].known {
            lines[line].row = empty(lines[line].row, period)
            lines[line].known = true
            lines[line].mixedCurrency = false
        }
        lines[line].row.add(usage)
        let priced = rank == 0 ? costs.home(usage) : costs.device(usage, creditsExport: creditsExport)
        guard let cost = priced, !lines[line].mixedCurrency else { return }
        if let currency = lines[line].row.currency, currency != cost.currency {
            lines[line].mixedCurrency = true
            lines[line].row.cost = nil
            lines[line].row.currency = nil
        } else {
            lines[line].row.cost = (lines[line].row.cost ?? .zero) + cost.amount
            lines[line].row.currency = cost.currency
        }
    }

    private mutating func line(of usage: SlotUsage, _ rank: Int) -> Int {
        let key = Key(device: usage.device, channel: usage.channel)
        if let known = index[key] { return known }
        let name = rank == 0 ? "home" : rank == 2 ? "unmetered" : names[usage.device] ?? usage.device.description
        let row = UsageRow(
            device: usage.device, name: name, channel: usage.channel, from: usage.slot.start, to: usage.slot.end,
            fromOffset: 0, toOffset: 0, estimated: 0, measuredTime: 0, filledTime: 0)
        lines.append(Line(row: row, rank: rank))
        index[key] = lines.count - 1
        return lines.count - 1
    }

    private func period(containing time: Timestamp) -> Period {
        isWhole ? span : grouping.period(containing: time, zone: pricing.zone, billingDay: pricing.billingDay)
    }

    /// A row of `period` with nothing in it.
    private func empty(_ row: UsageRow, _ period: Period) -> UsageRow {
        UsageRow(
            device: row.device, name: row.name, channel: row.channel, from: period.from, to: period.to,
            fromOffset: pricing.zone.offset(at: period.from), toOffset: pricing.zone.offset(at: period.to),
            estimated: 0, measuredTime: 0, filledTime: 0)
    }

    /// Writes the sums of the period that ends, and before them a row for each period without data in between.
    private mutating func writePeriod() {
        guard let period = current else { return }
        current = nil
        for i in lines.indices where lines[i].known {
            if var to = lines[i].writtenTo {
                while to < period.from {
                    let missing = self.period(containing: to)
                    rows.append((empty(lines[i].row, missing), i))
                    to = missing.to
                }
            }
            rows.append((lines[i].row, i))
            lines[i].writtenTo = period.to
            lines[i].known = false
        }
    }
}

extension UsageRow {
    fileprivate mutating func add(_ usage: SlotUsage) {
        imported = UsageRow.sum(imported, usage.imported)
        exported = UsageRow.sum(exported, usage.exported)
        produced = UsageRow.sum(produced, usage.produced)
        charged = UsageRow.sum(charged, usage.charged)
        discharged = UsageRow.sum(discharged, usage.discharged)
        estimated = UsageRow.sum(estimated, usage.estimated) ?? estimated
        measuredTime = UsageRow.sum(measuredTime, usage.measuredTime) ?? measuredTime
        filledTime = UsageRow.sum(filledTime, usage.filledTime) ?? filledTime
    }

    /// The sum of what is known; held at the ends of the range.
    private static func sum(_ a: Int64?, _ b: Int64?) -> Int64? {
        guard let a, let b else { return a ?? b }
        let (sum, overflow) = a.addingReportingOverflow(b)
        return overflow ? (b < 0 ? .min : .max) : sum
    }
}
