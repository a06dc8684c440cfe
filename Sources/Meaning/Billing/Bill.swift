import Metering
import Timekeeping
import Usage

/// What one billing period costs, line by line.
package struct Bill: Hashable, Sendable {
    /// One line; rounded half to even to the cent, the only place where money is rounded.
    package struct Line: Hashable, Sendable {
        package enum Kind: String, Hashable, Sendable {
            case energy, export
        }

        package var kind: Kind
        package var label: String
        /// In `unit`, exact.
        package var quantity: Decimal
        package var unit: String
        /// Per `unit`.
        package var price: Decimal
        /// Two decimals; negative where it is a credit.
        package var amount: Decimal
    }

    package var from: Timestamp
    package var to: Timestamp
    /// Seconds east of UTC at `from` and at `to`, for printing.
    package var fromOffset: Int
    package var toOffset: Int
    /// Names of the tariffs in force, in the order of time, separated by `, `.
    package var tariff: String
    package var currency: Currency
    package var lines: [Line]
    /// Sum of the lines' amounts.
    package var total: Decimal
}

/// Makes the bills of a home, one a local month: the slots of the month's tariffs, each at its own price.
package struct Bills {
    /// Energy at one tariff version.
    private struct Part {
        var tariff: Tariff
        var imported: Int64?
        var exported: Int64?
    }

    private let pricing: Pricing
    private let balance: HomeBalance
    private let zone: Zone
    private var month: Period?
    private var parts: [Part] = []
    private var group: SlotGroup
    private var bills: [Bill] = []

    /// As for `UsageTable`.
    package init(
        devices: [Device], settings: [HomeSettings], zone: Zone, span: Period, totalCounters: Set<DeviceID> = []
    ) {
        pricing = Pricing(settings: settings)
        balance = HomeBalance(devices: devices, totalCounters: totalCounters)
        self.zone = zone
        group = SlotGroup(span: span)
    }

    /// All at once: `slots` in the order of slot, then device.
    package static func bills(
        slots: some Sequence<SlotUsage>, devices: [Device], settings: [HomeSettings], zone: Zone, from: Timestamp,
        to: Timestamp, totalCounters: Set<DeviceID> = []
    ) -> [Bill] {
        var bills = Bills(
            devices: devices, settings: settings, zone: zone, span: Period(from: from, to: to),
            totalCounters: totalCounters)
        for slot in slots { bills.add(slot) }
        return bills.finish()
    }

    /// Adds the next slot; one earlier than the last one added is left out.
    package mutating func add(_ usage: SlotUsage) {
        if let whole = group.add(usage) { close(whole) }
    }

    /// The bills in the order of time; a month in which nothing could be priced has none.
    package mutating func finish() -> [Bill] {
        if let whole = group.finish() { close(whole) }
        writeMonth()
        defer { bills = [] }
        return bills
    }

    private mutating func close(_ group: [SlotUsage]) {
        guard let slot = group.first?.slot else { return }
        if let month, !month.contains(slot.start) { writeMonth() }
        guard let home = balance.balance(group).home, let tariff = pricing.tariff(for: slot) else { return }
        if month == nil { month = Grouping.month.period(containing: slot.start, zone: zone) }
        if parts.last?.tariff != tariff { parts.append(Part(tariff: tariff)) }
        let last = parts.count - 1
        if let imported = home.imported { parts[last].imported = (parts[last].imported ?? 0) &+ imported }
        if let exported = home.exported { parts[last].exported = (parts[last].exported ?? 0) &+ exported }
    }

    /// One bill a currency: amounts of two cannot be added.
    private mutating func writeMonth() {
        guard let period = month else { return }
        month = nil
        defer { parts = [] }
        var rest = parts[...]
        while let currency = rest.first?.tariff.currency {
            let same = rest.prefix { $0.tariff.currency == currency }
            rest = rest.dropFirst(same.count)
            let lines = same.flatMap(lines)
            guard !lines.isEmpty else { continue }
            var names: [String] = []
            for part in same where !names.contains(part.tariff.name) { names.append(part.tariff.name) }
            bills.append(
                Bill(
                    from: period.from, to: period.to, fromOffset: zone.offset(at: period.from),
                    toOffset: zone.offset(at: period.to), tariff: names.joined(separator: ", "), currency: currency,
                    lines: lines, total: lines.reduce(.zero) { $0 + $1.amount }))
        }
    }

    private func lines(of part: Part) -> [Bill.Line] {
        var lines: [Bill.Line] = []
        if let imported = part.imported {
            let amount = part.tariff.importPrice.times(milliwattHours: imported)
            lines.append(line(.energy, "Energy, \(part.tariff.name)", imported, part.tariff.importPrice, amount))
        }
        if let exported = part.exported, exported != 0, let price = part.tariff.exportPrice {
            let amount = Decimal.zero - price.times(milliwattHours: exported)
            lines.append(line(.export, "Export, \(part.tariff.name)", exported, price, amount))
        }
        return lines
    }

    private func line(
        _ kind: Bill.Line.Kind, _ label: String, _ milliwattHours: Int64, _ price: Decimal, _ amount: Decimal
    ) -> Bill.Line {
        Bill.Line(
            kind: kind, label: label, quantity: Decimal(1).times(milliwattHours: milliwattHours), unit: "kWh",
            price: price, amount: amount.rounded(places: 2))
    }
}
