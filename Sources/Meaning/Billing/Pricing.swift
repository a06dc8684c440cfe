import Metering
import Timekeeping

/// What a slot costs: a function of the slot and of the settings' versions, so a changed price re-prices the past.
package struct Pricing: Sendable {
    private let versions: [HomeSettings]

    /// `settings`: every version, in any order; of two with one `validFrom` the later in the list holds.
    package init(settings: [HomeSettings]) {
        versions = settings.enumerated()
            .sorted { ($0.element.validFrom, $0.offset) < ($1.element.validFrom, $1.offset) }
            .map(\.element)
    }

    /// The tariff in force at the start of the slot; nil when there is none. Time before the first settings is
    /// priced by them, as far as their tariffs reach back: history may be older than the installation.
    package func tariff(for slot: Slot) -> Tariff? {
        let settings = versions.last { $0.validFrom <= slot.start } ?? versions.first
        return settings?.tariff(at: slot.start)
    }

    /// Energy taken times its price, less, where `creditsExport`, energy delivered times its price. Exact, not
    /// rounded. Nil when it is not known what was taken, or no tariff was in force.
    package func cost(of usage: SlotUsage, creditsExport: Bool) -> (amount: Decimal, currency: Currency)? {
        guard let imported = usage.imported, let tariff = tariff(for: usage.slot) else { return nil }
        var amount = tariff.importPrice.times(milliwattHours: imported)
        if creditsExport, let exported = usage.exported, let price = tariff.exportPrice {
            amount = amount - price.times(milliwattHours: exported)
        }
        return (amount, tariff.currency)
    }
}
