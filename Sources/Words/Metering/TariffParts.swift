import Timekeeping

// What a tariff is made of beside its prices of a kWh.

/// Prices at some times: time of use. Of several windows the first that holds and states a price gives it.
public struct TariffWindow: Hashable, Sendable {
    /// As a line of the bill calls it, such as `peak`; at most 64 bytes.
    public var label: String
    public var times: TariffTimes
    /// Per kWh; nil: this window says nothing of energy taken.
    public var importPrice: Decimal?
    public var exportPrice: Decimal?

    public init(label: String, times: TariffTimes, importPrice: Decimal? = nil, exportPrice: Decimal? = nil) {
        self.label = label
        self.times = times
        self.importPrice = importPrice
        self.exportPrice = exportPrice
    }
}

/// A price that holds until so much has been taken in a billing period.
public struct TariffTier: Hashable, Sendable {
    /// mWh, per billing period or per day of it; nil: without end, as the last tier is.
    public var upTo: Int64?
    /// Per kWh.
    public var price: Decimal

    public init(upTo: Int64?, price: Decimal) {
        self.upTo = upTo
        self.price = price
    }
}

/// A price that follows a list of prices, slot by slot: factor × list + surcharge, rounded to the ninth decimal.
public struct DynamicPrice: Hashable, Sendable {
    /// Name of the price list, at most 64 bytes.
    public var list: String
    public var factor: Decimal
    /// Per kWh.
    public var surcharge: Decimal
    /// Where the list has no price the tariff's fixed price holds; else such energy has no price, which is told.
    public var fallsBack: Bool

    public init(list: String, factor: Decimal = Decimal(1), surcharge: Decimal = .zero, fallsBack: Bool = false) {
        self.list = list
        self.factor = factor
        self.surcharge = surcharge
        self.fallsBack = fallsBack
    }
}

/// What a charge is stated for.
public enum ChargePeriod: UInt8, Hashable, Sendable, CaseIterable {
    case day = 1
    case month = 2
    case year = 3

    public var name: String { "\(self)" }
}

/// What is due whether energy flows or not.
public struct StandingCharge: Hashable, Sendable {
    public var label: String
    public var amount: Decimal
    public var per: ChargePeriod

    public init(label: String, amount: Decimal, per: ChargePeriod) {
        self.label = label
        self.amount = amount
        self.per = per
    }
}

/// A price for the highest mean power of a slot in the billing period.
public struct DemandCharge: Hashable, Sendable {
    public var label: String
    /// Per kW.
    public var price: Decimal
    public var per: ChargePeriod
    /// mW that are billed at least.
    public var minimum: Int64
    /// Only slots of these times count.
    public var times: TariffTimes

    public init(
        label: String, price: Decimal, per: ChargePeriod, minimum: Int64 = 0, times: TariffTimes = .always
    ) {
        self.label = label
        self.price = price
        self.per = per
        self.minimum = minimum
        self.times = times
    }
}

/// A levy per kWh taken, or a tax in per cent of what stands before it; in the order in which a tariff lists them.
public struct Levy: Hashable, Sendable {
    public enum Kind: Hashable, Sendable {
        case perKilowattHour(Decimal)
        /// Hundredths: 19 is 19 %.
        case percent(Decimal)
    }

    /// What a per cent is taken of.
    public struct Base: OptionSet, Hashable, Sendable {
        public let rawValue: UInt8
        public init(rawValue: UInt8) { self.rawValue = rawValue }
        public static let energy = Base(rawValue: 1)
        public static let standing = Base(rawValue: 2)
        public static let demand = Base(rawValue: 4)
        /// Levies and taxes that stand before it.
        public static let levies = Base(rawValue: 8)
        public static let export = Base(rawValue: 16)
        /// All that is to be paid; what is credited for export is not less tax.
        public static let usual: Base = [.energy, .standing, .demand, .levies]
    }

    public var label: String
    public var kind: Kind
    public var base: Base
    /// For a levy per kWh: only energy of these times, as a grid fee that depends on the hour.
    public var times: TariffTimes

    public init(label: String, kind: Kind, base: Base = .usual, times: TariffTimes = .always) {
        self.label = label
        self.kind = kind
        self.base = base
        self.times = times
    }
}

/// What is paid for energy delivered, beside a fixed price and the windows' prices.
public struct FeedIn: Hashable, Sendable {
    /// When a price is negative.
    public enum Negative: UInt8, Hashable, Sendable, CaseIterable {
        /// It is paid by whoever delivers.
        case pay = 1
        /// Nothing is paid by anybody.
        case zero = 2
    }

    /// Nil: the fixed price.
    public var dynamic: DynamicPrice?
    public var negative: Negative
    /// The list whose sign decides, as where a fixed price is not paid while the market's is negative; nil: the price
    /// itself does.
    public var negativeList: String?

    public init(dynamic: DynamicPrice? = nil, negative: Negative = .pay, negativeList: String? = nil) {
        self.dynamic = dynamic
        self.negative = negative
        self.negativeList = negativeList
    }
}
