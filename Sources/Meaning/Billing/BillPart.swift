import Metering
import Timekeeping

/// What one tariff has to do with a bill: its sums, and the lines that they become.
struct BillPart {
    /// Energy of one line.
    private struct Sum {
        var kind: Bill.Line.Kind
        var label: String
        /// Nil where it differs from slot to slot.
        var price: Decimal?
        var milliwattHours: Int64 = 0
        var cost = Decimal.zero

        mutating func add(_ energy: Int64, at price: Decimal) {
            milliwattHours = saturating(milliwattHours, energy)
            cost = cost + price.times(milliwattHours: energy)
        }
    }

    /// The place of a line among those of energy: as the tariff lists them, what is delivered last.
    private struct Key: Hashable, Comparable {
        var place: Int

        static let dynamic = Key(place: 1000)
        static let base = Key(place: 2000)
        static let exportBase = Key(place: 4000)
        static func window(_ i: Int) -> Key { Key(place: i) }
        static func tier(_ i: Int) -> Key { Key(place: i) }
        static func export(_ i: Int) -> Key { Key(place: 3000 + i) }
        static func < (a: Key, b: Key) -> Bool { a.place < b.place }
    }

    let tariff: Tariff
    private var sums: [Key: Sum] = [:]
    /// mWh taken while each levy held, and the highest of a slot that each demand charge counts.
    private var levied: [Int64]
    private var peaks: [Int64?]
    private var hasImport = false
    var unpricedImport: Int64 = 0
    var unpricedExport: Int64 = 0
    var measuredTime: Int64 = 0
    var filledTime: Int64 = 0
    /// The days for which charges are due, and how many the whole period has.
    var days: [LocalDay] = []
    var daysOfPeriod = 1

    init(_ tariff: Tariff) {
        self.tariff = tariff
        levied = Array(repeating: 0, count: tariff.levies.count)
        peaks = Array(repeating: nil, count: tariff.demands.count)
    }

    /// Takes in what the home took and gave in one slot.
    mutating func add(_ home: SlotUsage, _ price: Pricing.SlotPrice, _ tiers: inout TierMeter) {
        measuredTime += home.measuredTime
        filledTime += home.filledTime
        if let imported = home.imported {
            hasImport = true
            addImport(imported, price, &tiers)
            for i in levied.indices where price.levies & (1 << UInt32(i)) != 0 {
                levied[i] = saturating(levied[i], imported)
            }
            for i in peaks.indices where price.demands & (1 << UInt32(i)) != 0 {
                peaks[i] = max(peaks[i] ?? 0, imported)
            }
        }
        guard let exported = home.exported, exported != 0 else { return }
        switch price.export {
        case .nothing: return
        case .unknown: unpricedExport = saturating(unpricedExport, exported)
        case .price(let paid): addExport(exported, paid)
        }
    }

    private mutating func addImport(_ imported: Int64, _ price: Pricing.SlotPrice, _ tiers: inout TierMeter) {
        let name = "Energy, \(tariff.name)"
        switch price.energy {
        case .fixed(let rate): sum(.base, .energy, name, rate, imported)
        case .window(let i, let rate):
            // Two windows of one label and price are one line.
            let first = tariff.windows.firstIndex {
                $0.label == tariff.windows[i].label && $0.importPrice == tariff.windows[i].importPrice
            }
            let label = tariff.windows[i].label
            sum(.window(first ?? i), .energy, label.isEmpty ? name : "\(name), \(label)", rate, imported)
        case .dynamic(let rate): sum(.dynamic, .energy, "\(name), dynamic", rate, imported, isMean: true)
        case .fallback(let rate): sum(.base, .energy, "\(name), not in the price list", rate, imported)
        case .unknown: unpricedImport = saturating(unpricedImport, imported)
        case .tiered:
            for part in tiers.take(imported) {
                let label = "\(name), tier \(part.tier + 1)"
                sum(.tier(part.tier), .tier, label, tariff.tiers[part.tier].price, part.milliwattHours)
            }
            if imported == 0 {
                let label = "\(name), tier \(tiers.current + 1)"
                sum(.tier(tiers.current), .tier, label, tariff.tiers[tiers.current].price, 0)
            }
        }
    }

    private mutating func addExport(_ exported: Int64, _ paid: Decimal) {
        let isMean = tariff.feedIn?.dynamic != nil || tariff.feedIn?.negative == .zero
        let window = isMean ? nil : tariff.windows.firstIndex { $0.exportPrice == paid }
        let isBase = paid == tariff.exportPrice
        guard let window, !isBase else {
            return sum(.exportBase, .export, "Export, \(tariff.name)", paid, exported, isMean: isMean)
        }
        let label = tariff.windows[window].label
        let name = "Export, \(tariff.name)"
        sum(.export(window), .export, label.isEmpty ? name : "\(name), \(label)", paid, exported)
    }

    private mutating func sum(
        _ key: Key, _ kind: Bill.Line.Kind, _ label: String, _ price: Decimal, _ energy: Int64, isMean: Bool = false
    ) {
        sums[key, default: Sum(kind: kind, label: label, price: isMean ? nil : price)].add(energy, at: price)
    }

    /// The lines in the order of the bill: energy and tiers, export, standing, demand, then levies and taxes as listed.
    func lines() -> [Bill.Line] {
        var lines = sums.sorted { $0.key < $1.key }.map { line($0.value) }
        lines += standingLines()
        lines += demandLines()
        addLevies(to: &lines)
        return lines
    }

    private func line(_ sum: Sum) -> Bill.Line {
        let quantity = Decimal(1).times(milliwattHours: sum.milliwattHours)
        let price = sum.price ?? sum.cost.divided(byKilowattHours: sum.milliwattHours).rounded(places: 9)
        let amount = sum.kind == .export ? Decimal.zero - sum.cost : sum.cost
        return line(sum.kind, sum.label, quantity, "kWh", price, amount)
    }

    private func standingLines() -> [Bill.Line] {
        tariff.standing.compactMap { charge in
            guard !days.isEmpty else { return nil }
            let (count, amount) = due(charge.amount, charge.per)
            let label = charge.label.isEmpty ? "Standing charge" : charge.label
            return line(.standing, "\(label), \(tariff.name)", count, charge.per.name, charge.amount, amount)
        }
    }

    private func demandLines() -> [Bill.Line] {
        zip(tariff.demands, peaks).compactMap { charge, peak in
            guard !days.isEmpty, let peak else { return nil }
            // mWh of a quarter of an hour to mW.
            let (power, overflow) = peak.multipliedReportingOverflow(by: Span.hour / Slot.length)
            let billed = max(overflow ? .max : power, charge.minimum)
            let (_, rate) = due(charge.price, charge.per)
            let price = rate.rounded(places: 9)
            let label = charge.label.isEmpty ? "Demand" : charge.label
            return line(
                .demand, "\(label), \(tariff.name)", Decimal(1).times(milliwattHours: billed), "kW", price,
                price.times(milliwattHours: billed))
        }
    }

    private func addLevies(to lines: inout [Bill.Line]) {
        for (i, levy) in tariff.levies.enumerated() {
            switch levy.kind {
            case .perKilowattHour(let price):
                guard hasImport else { continue }
                lines.append(
                    line(
                        .levy, "\(levy.label), \(tariff.name)", Decimal(1).times(milliwattHours: levied[i]), "kWh",
                        price, price.times(milliwattHours: levied[i])))
            case .percent(let rate):
                let base = lines.filter { levy.base.contains($0.kind.base) }
                guard !base.isEmpty else { continue }
                let sum = base.reduce(.zero) { $0 + $1.amount }
                let share = rate.times(1, dividedBy: 100)
                lines.append(
                    line(
                        .tax, "\(levy.label), \(tariff.name)", sum, tariff.currency.code, share, sum.times(share)))
            }
        }
    }

    /// How many of its periods a charge is due for, and what that amounts to: by days, of the billing period for a
    /// charge a month, of the calendar year for one a year.
    private func due(_ amount: Decimal, _ per: ChargePeriod) -> (count: Decimal, amount: Decimal) {
        let own = Int64(days.count)
        switch per {
        case .day: return (Decimal(own), amount.times(own, dividedBy: 1))
        case .month:
            let whole = Int64(max(daysOfPeriod, 1))
            return (Decimal(1).times(own, dividedBy: whole).rounded(places: 9), amount.times(own, dividedBy: whole))
        case .year:
            let leap = Int64(days.count { CivilDate.isLeap(year: $0.year) })
            let count = Decimal(1).times(leap, dividedBy: 366) + Decimal(1).times(own - leap, dividedBy: 365)
            let sum = amount.times(leap, dividedBy: 366) + amount.times(own - leap, dividedBy: 365)
            return (count.rounded(places: 9), sum)
        }
    }

    private func line(
        _ kind: Bill.Line.Kind, _ label: String, _ quantity: Decimal, _ unit: String, _ price: Decimal,
        _ amount: Decimal
    ) -> Bill.Line {
        Bill.Line(
            kind: kind, label: label, quantity: quantity, unit: unit, price: price,
            amount: amount.rounded(places: tariff.currency.places, tariff.rounding))
    }
}

extension Bill.Line.Kind {
    /// What a tax calls it.
    fileprivate var base: Levy.Base {
        switch self {
        case .energy, .tier: .energy
        case .export: .export
        case .standing: .standing
        case .demand: .demand
        case .levy, .tax: .levies
        }
    }
}

extension Decimal {
    /// A cost by the kWh that it is of; zero for none.
    fileprivate func divided(byKilowattHours milliwattHours: Int64) -> Decimal {
        guard milliwattHours > 0 else { return .zero }
        return times(1_000_000, dividedBy: milliwattHours)
    }
}
