import Metering
import Timekeeping

/// Prices the usages of one slot after the other, as a usage listing shows them: energy with its levies and taxes, less
/// what export is paid. What is due without energy, standing and demand charges, is the bill's.
struct SlotCosts {
    typealias Cost = (amount: Decimal, currency: Currency)

    private let pricing: Pricing
    private var tiers = TierMeter()
    private var price: Pricing.SlotPrice?
    /// Of a kWh taken now and one delivered, with levies; nil: not known.
    private var imported: Decimal?
    private var exported: Decimal?

    init(pricing: Pricing) {
        self.pricing = pricing
    }

    /// To be called for each slot, in order, before its usages.
    mutating func enter(_ slot: Slot) {
        price = pricing.price(of: slot)
        guard let price else { return }
        let tariff = pricing.tariffs[price.tariff]
        var rate: Decimal?
        switch price.energy {
        case .fixed(let price), .window(_, let price), .dynamic(let price), .fallback(let price): rate = price
        case .unknown: rate = nil
        case .tiered:
            tiers.enter(slot, tariff: price.tariff, pricing)
            rate = tariff.tiers[tiers.current].price
        }
        imported = rate.map { tariff.withLevies($0, holding: price.levies) }
        switch price.export {
        case .nothing: exported = .zero
        case .price(let paid): exported = tariff.withTaxes(onExport: paid)
        case .unknown: exported = nil
        }
    }

    /// Exact, not rounded. Nil when it is not known what was taken, or its price, or no tariff was in force. A device
    /// pays the tier that the home is in as the slot begins.
    func device(_ usage: SlotUsage, creditsExport: Bool) -> Cost? {
        guard let price, let taken = usage.imported, let imported else { return nil }
        let tariff = pricing.tariffs[price.tariff]
        guard creditsExport else { return (imported.times(milliwattHours: taken), tariff.currency) }
        return credit(imported.times(milliwattHours: taken), usage, tariff)
    }

    /// As `device`, with each part of the energy in its own tier. Once a slot: it moves the tiers on.
    mutating func home(_ usage: SlotUsage) -> Cost? {
        guard let price, case .tiered = price.energy, let taken = usage.imported else {
            return device(usage, creditsExport: true)
        }
        let tariff = pricing.tariffs[price.tariff]
        var amount = Decimal.zero
        for part in tiers.take(taken) {
            let rate = tariff.withLevies(tariff.tiers[part.tier].price, holding: price.levies)
            amount = amount + rate.times(milliwattHours: part.milliwattHours)
        }
        return credit(amount, usage, tariff)
    }

    private func credit(_ amount: Decimal, _ usage: SlotUsage, _ tariff: Tariff) -> Cost? {
        guard let delivered = usage.exported, delivered != 0 else { return (amount, tariff.currency) }
        guard let exported else { return nil }
        return (amount - exported.times(milliwattHours: delivered), tariff.currency)
    }
}
