import APITypes
import Metering
import Timekeeping

/// Under which tariffs bills are made.
public enum TariffChoice: Sendable {
    /// Those in force.
    case inForce
    /// One of the configuration by its name, a candidate too, as if it had always been in force.
    case named(String)
    /// The text of a file of tariffs, the first as if it had always been in force; `name` for messages.
    case file([UInt8], name: String)
}

/// A text of prices to take in, and how it is written; nil: as the configuration has it, or as is usual.
public struct PriceImport: Sendable {
    public var list: String
    public var currency: String?
    public var time: String?
    public var price: String?
    public var per: String?
    public var text: [UInt8]

    public init(
        list: String, currency: String? = nil, time: String? = nil, price: String? = nil, per: String? = nil,
        text: [UInt8]
    ) {
        self.list = list
        self.currency = currency
        self.time = time
        self.price = price
        self.per = per
        self.text = text
    }
}

/// What two spans a comparison of usage has.
public enum ComparedPeriod: String, Sendable, CaseIterable {
    case day, week, month, bill, year
}

/// What the span is compared to.
public enum ComparedTo: String, Sendable, CaseIterable {
    /// The one before it: yesterday, last month.
    case previous
    case lastWeek = "last-week"
    case lastMonth = "last-month"
    case lastYear = "last-year"
}

/// All the API knows of money. As `HomeView`: nothing here blocks the caller's thread.
public protocol BillingView: Sendable {
    /// The bills of the billing periods that `since ..< until` touches, in the order of time. Nil bounds mean the last
    /// twelve periods up to now.
    func bills(since: Timestamp?, until: Timestamp?, under choice: TariffChoice) async throws -> [BillAnswer]
    /// Every version of the tariffs in the order of time, then the candidates.
    func tariffs() async throws -> [TariffAnswer]
    func priceLists() async throws -> [PriceListAnswer]
    /// Prices of `since ..< until`; nil bounds mean today and all that is known after.
    func prices(list: String, since: Timestamp?, until: Timestamp?) async throws -> [PriceAnswer]
    func take(_ prices: PriceImport) async throws -> PriceImportAnswer
    /// The running period up to now beside as much of another one.
    func compare(_ period: ComparedPeriod, to other: ComparedTo, device: String?) async throws -> [UsageComparison]
}
