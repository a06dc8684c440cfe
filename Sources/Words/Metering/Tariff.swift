import Timekeeping

/// What energy costs from an instant on. A changed price is a new tariff with a later `validFrom`; a tariff that is
/// itself changed prices the past anew.
///
/// A kWh taken costs, at each slot, the first of these that there is: the tier that the billing period has come to, the
/// dynamic price, the window's price, `importPrice`. `Billing.md` tells how a bill is made of it.
package struct Tariff: Hashable, Sendable {
    /// At most 64 bytes.
    package var name: String
    package var currency: Currency
    /// Per kWh taken from the grid; with levies and taxes, where `levies` has none.
    package var importPrice: Decimal
    /// Per kWh delivered to the grid; nil when nothing is paid for it.
    package var exportPrice: Decimal?
    package var validFrom: Timestamp
    package var windows: [TariffWindow] = []
    /// In rising order of `upTo`; only without windows and dynamic price.
    package var tiers: [TariffTier] = []
    /// The tiers' borders are per day of the billing period.
    package var tiersPerDay = false
    package var dynamic: DynamicPrice?
    package var feedIn: FeedIn?
    package var standing: [StandingCharge] = []
    package var demands: [DemandCharge] = []
    package var levies: [Levy] = []
    /// Sorted.
    package var holidays: [CivilDate] = []
    package var rounding = Rounding.halfEven

    // A writer cuts to these, a reader refuses more.
    package static let maximumWindows = 64
    package static let maximumTiers = 16
    package static let maximumCharges = 16
    package static let maximumLevies = 32
    package static let maximumHolidays = 512

    package init(
        name: String, currency: Currency, importPrice: Decimal, exportPrice: Decimal? = nil, validFrom: Timestamp
    ) {
        self.name = name
        self.currency = currency
        self.importPrice = importPrice
        self.exportPrice = exportPrice
        self.validFrom = validFrom
    }

    /// What it is, in one word of the field.
    package var model: String {
        if !tiers.isEmpty { return "tiered" }
        if dynamic != nil { return "dynamic" }
        return windows.contains { $0.importPrice != nil } ? "time of use" : "flat"
    }

    /// The same prices, whatever the instant from which they hold.
    package func hasSamePrices(as other: Tariff) -> Bool {
        var copy = other
        copy.validFrom = validFrom
        return self == copy
    }
}

/// What holds for the whole home from an instant on: its zone and its tariffs.
package struct HomeSettings: Hashable, Sendable {
    package var name: String
    /// Name in the tz database, such as `Europe/Berlin`.
    package var zone: String
    /// Every tariff version, in the order of `validFrom`.
    package var tariffs: [Tariff]
    package var validFrom: Timestamp
    /// The day of the month on which billing periods begin.
    package var billingDay = BillingDay.first

    package static let maximumTariffs = 1024

    package init(
        name: String, zone: String, tariffs: [Tariff], validFrom: Timestamp, billingDay: BillingDay = .first
    ) {
        self.name = name
        self.zone = zone
        self.tariffs = tariffs
        self.validFrom = validFrom
        self.billingDay = billingDay
    }

    /// The tariff in force at `time`: the last one whose `validFrom` is not after it.
    package func tariff(at time: Timestamp) -> Tariff? {
        tariffs.last { $0.validFrom <= time }
    }

    /// The same but for the instant from which it holds.
    package func hasSameContent(as other: HomeSettings) -> Bool {
        var copy = other
        copy.validFrom = validFrom
        return self == copy
    }
}
