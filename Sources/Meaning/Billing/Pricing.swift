import Metering
import Timekeeping

/// What a slot costs: a function of the slot, the tariffs and the price lists, so a changed price re-prices the past.
///
/// The tariffs are those of the latest settings, each from its own `validFrom` on; what earlier settings said of prices
/// does not count any more. Times of use go by the clock of the zone that was in force.
public struct Pricing: Sendable {
    /// In the order of `validFrom`.
    public let tariffs: [Tariff]
    public let zone: Zone
    public let billingDay: BillingDay
    public let prices: PriceBook

    /// What a kWh taken costs in one slot, before levies.
    public enum Energy: Hashable, Sendable {
        case fixed(Decimal)
        /// By the window of that number.
        case window(Int, Decimal)
        case dynamic(Decimal)
        /// The fixed price, where the list has none.
        case fallback(Decimal)
        /// By what was taken before.
        case tiered
        /// The list has no price and nothing stands in for it.
        case unknown
    }

    /// What is paid for a kWh delivered.
    public enum Export: Hashable, Sendable {
        case nothing
        case price(Decimal)
        case unknown
    }

    /// All that a slot's own time decides.
    public struct SlotPrice: Hashable, Sendable {
        /// Index in `tariffs`.
        public var tariff: Int
        public var energy: Energy
        public var export: Export
        /// A bit for each levy of the tariff that holds now.
        public var levies: UInt32
        /// A bit for each demand charge that counts now.
        public var demands: UInt32
    }

    /// `settings`: every version, in any order; of two with one `validFrom` the later in the list holds.
    public init(settings: [HomeSettings], zone: Zone, prices: PriceBook = PriceBook()) {
        let latest = settings.enumerated().max { ($0.element.validFrom, $0.offset) < ($1.element.validFrom, $1.offset) }
        tariffs = (latest?.element.tariffs ?? []).enumerated()
            .sorted { ($0.element.validFrom, $0.offset) < ($1.element.validFrom, $1.offset) }
            .map(\.element)
        billingDay = latest?.element.billingDay ?? .first
        self.zone = zone
        self.prices = prices
    }

    /// Index of the tariff in force at the start of the slot; nil when there is none.
    public func index(for slot: Slot) -> Int? {
        tariffs.lastIndex { $0.validFrom <= slot.start }
    }

    /// The tariff in force at the start of the slot; nil when there is none.
    public func tariff(for slot: Slot) -> Tariff? { index(for: slot).map { tariffs[$0] } }

    /// Index of the tariff that a local day belongs to: the one in force as it begins, else the first that begins in
    /// it.
    public func index(of day: LocalDay) -> Int? {
        let (start, end) = (zone.start(of: day), zone.end(of: day))
        return index(for: Slot(containing: start))
            ?? tariffs.firstIndex { $0.validFrom >= start && $0.validFrom < end }
    }

    /// Nil when no tariff is in force.
    public func price(of slot: Slot) -> SlotPrice? {
        guard let index = index(for: slot) else { return nil }
        let tariff = tariffs[index]
        guard tariff.asksTheClock else {
            return SlotPrice(
                tariff: index, energy: energy(tariff, slot, window: nil), export: export(tariff, slot, window: nil),
                levies: .max, demands: .max)
        }
        let time = zone.local(at: slot.start)
        let isHoliday = tariff.isHoliday(time.date)
        let holds = { (times: TariffTimes) in times.contains(time, isHoliday: isHoliday) }
        let bought = tariff.windows.firstIndex { $0.importPrice != nil && holds($0.times) }
        let sold = tariff.windows.firstIndex { $0.exportPrice != nil && holds($0.times) }
        var (levies, demands): (UInt32, UInt32) = (0, 0)
        for (i, levy) in tariff.levies.enumerated() where holds(levy.times) { levies |= 1 << UInt32(i) }
        for (i, demand) in tariff.demands.enumerated() where holds(demand.times) { demands |= 1 << UInt32(i) }
        return SlotPrice(
            tariff: index, energy: energy(tariff, slot, window: bought), export: export(tariff, slot, window: sold),
            levies: levies, demands: demands)
    }

    private func energy(_ tariff: Tariff, _ slot: Slot, window: Int?) -> Energy {
        if !tariff.tiers.isEmpty { return .tiered }
        let fixed = window.map { Energy.window($0, tariff.windows[$0].importPrice ?? .zero) }
        guard let dynamic = tariff.dynamic else { return fixed ?? .fixed(tariff.importPrice) }
        if let price = price(dynamic, tariff, slot) { return .dynamic(price) }
        return dynamic.fallsBack ? fixed ?? .fallback(tariff.importPrice) : .unknown
    }

    private func export(_ tariff: Tariff, _ slot: Slot, window: Int?) -> Export {
        let fixed = window.flatMap { tariff.windows[$0].exportPrice } ?? tariff.exportPrice
        guard let feedIn = tariff.feedIn else { return fixed.map(Export.price) ?? .nothing }
        var paid = fixed
        if let dynamic = feedIn.dynamic {
            let listed = price(dynamic, tariff, slot)
            guard let price = listed ?? (dynamic.fallsBack ? fixed : nil) else { return .unknown }
            paid = price
        }
        guard let paid else { return .nothing }
        guard feedIn.negative == .zero else { return .price(paid) }
        guard let list = feedIn.negativeList else { return .price(max(paid, .zero)) }
        guard let sign = prices.nano(list, at: slot) else { return .unknown }
        return .price(sign < 0 ? .zero : paid)
    }

    /// Nil where the list has none, or one in another currency.
    private func price(_ dynamic: DynamicPrice, _ tariff: Tariff, _ slot: Slot) -> Decimal? {
        guard prices.currency(of: dynamic.list) == tariff.currency,
            let listed = prices.price(dynamic.list, at: slot)
        else { return nil }
        return (listed.times(dynamic.factor) + dynamic.surcharge).asPrice
    }

    /// The billing period that holds `time`.
    public func billingPeriod(containing time: Timestamp) -> Period {
        Grouping.bill.period(containing: time, zone: zone, billingDay: billingDay)
    }

    /// From where slots have to be known to price those from `time` on: a tier depends on what its billing period has
    /// taken before.
    public func start(toPrice time: Timestamp) -> Timestamp {
        tariffs.contains { !$0.tiers.isEmpty } ? min(billingPeriod(containing: time).from, time) : time
    }
}

extension Tariff {
    /// Whether anything in it depends on the time of day, the day or the month.
    var asksTheClock: Bool {
        !windows.isEmpty || levies.contains { $0.times != .always } || demands.contains { $0.times != .always }
    }

    func isHoliday(_ date: CivilDate) -> Bool {
        var (low, high) = (0, holidays.count)
        while low < high {
            let middle = (low + high) / 2
            if holidays[middle] == date { return true }
            if holidays[middle] < date { low = middle + 1 } else { high = middle }
        }
        return false
    }

    /// What a kWh at `energy` costs with all levies that hold now, rounded to the ninth decimal: what usage is priced
    /// at. What does not depend on the kWh, standing and demand charges, is no part of it.
    func withLevies(_ energy: Decimal, holding: UInt32) -> Decimal {
        guard !levies.isEmpty else { return energy }
        var added = Decimal.zero
        for (i, levy) in levies.enumerated() {
            switch levy.kind {
            case .perKilowattHour(let price):
                if holding & (1 << UInt32(i)) != 0 { added = added + price }
            case .percent(let rate):
                let base =
                    (levy.base.contains(.energy) ? energy : .zero) + (levy.base.contains(.levies) ? added : .zero)
                added = added + base.times(rate.times(1, dividedBy: 100))
            }
        }
        return (energy + added).asPrice
    }

    /// The same for a kWh delivered: only taxes on export count.
    func withTaxes(onExport price: Decimal) -> Decimal {
        var sum = price
        for levy in levies where levy.base.contains(.export) {
            if case .percent(let rate) = levy.kind { sum = sum + price.times(rate.times(1, dividedBy: 100)) }
        }
        return sum == price ? price : sum.asPrice
    }
}

extension Decimal {
    /// Nine places, as a price has, within what a price may be.
    var asPrice: Decimal {
        let limit = Decimal(nano: PriceRun.maximumPrice)
        return max(Decimal.zero - limit, min(rounded(places: 9), limit))
    }
}
