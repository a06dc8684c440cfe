import Timekeeping

/// What energy costs from an instant on. A changed price is a new tariff with a later `validFrom`; a tariff that is
/// itself changed prices the past anew.
///
/// A kWh taken costs, at each slot, the first of these that there is: the tier that the billing period has come to, the
/// dynamic price, the window's price, `importPrice`. `Billing.md` tells how a bill is made of it.
public struct Tariff: Hashable, Sendable {
    /// At most 64 bytes.
    public var name: String
    public var currency: Currency
    /// Per kWh taken from the grid; with levies and taxes, where `levies` has none.
    public var importPrice: Decimal
    /// Per kWh delivered to the grid; nil when nothing is paid for it.
    public var exportPrice: Decimal?
    public var validFrom: Timestamp
    public var windows: [TariffWindow] = []
    /// In rising order of `upTo`; only without windows and dynamic price.
    public var tiers: [TariffTier] = []
    /// The tiers' borders are per day of the billing period.
    public var tiersPerDay = false
    public var dynamic: DynamicPrice?
    public var feedIn: FeedIn?
    public var standing: [StandingCharge] = []
    public var demands: [DemandCharge] = []
    public var levies: [Levy] = []
    /// Sorted.
    public var holidays: [CivilDate] = []
    public var rounding = Rounding.halfEven

    // A writer cuts to these, a reader refuses more.
    public static let maximumWindows = 64
    public static let maximumTiers = 16
    public static let maximumCharges = 16
    public static let maximumLevies = 32
    public static let maximumHolidays = 512

    public init(
        name: String, currency: Currency, importPrice: Decimal, exportPrice: Decimal? = nil, validFrom: Timestamp
    ) {
        self.name = name
        self.currency = currency
        self.importPrice = importPrice
        self.exportPrice = exportPrice
        self.validFrom = validFrom
    }

    /// What it is, in one word of the field.
    public var model: String {
        if !tiers.isEmpty { return "tiered" }
        if dynamic != nil { return "dynamic" }
        return windows.contains { $0.importPrice != nil } ? "time of use" : "flat"
    }

    /// The same prices, whatever the instant from which they hold.
    public func hasSamePrices(as other: Tariff) -> Bool {
        var copy = other
        copy.validFrom = validFrom
        return self == copy
    }
}

/// What holds for the whole home from an instant on: its zone and its tariffs.
public struct HomeSettings: Hashable, Sendable {
    public var name: String
    /// Name in the tz database, such as `Europe/Berlin`.
    public var zone: String
    /// Every tariff version, in the order of `validFrom`.
    public var tariffs: [Tariff]
    public var validFrom: Timestamp
    /// The day of the month on which billing periods begin.
    public var billingDay = BillingDay.first

    public static let maximumTariffs = 1024

    public init(
        name: String, zone: String, tariffs: [Tariff], validFrom: Timestamp, billingDay: BillingDay = .first
    ) {
        self.name = name
        self.zone = zone
        self.tariffs = tariffs
        self.validFrom = validFrom
        self.billingDay = billingDay
    }

    /// The tariff in force at `time`: the last one whose `validFrom` is not after it.
    public func tariff(at time: Timestamp) -> Tariff? {
        tariffs.last { $0.validFrom <= time }
    }

    /// The same but for the instant from which it holds.
    public func hasSameContent(as other: HomeSettings) -> Bool {
        var copy = other
        copy.validFrom = validFrom
        return self == copy
    }
}
