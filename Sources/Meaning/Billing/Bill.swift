import Metering
import Timekeeping

/// What one billing period costs, line by line. `Billing.md` has the rules; `Bills` makes it.
public struct Bill: Hashable, Sendable {
    /// One line; rounded to the currency's smallest coin as its tariff says, the only place where money is rounded.
    public struct Line: Hashable, Sendable {
        public enum Kind: String, Hashable, Sendable {
            case energy, tier, export, standing, demand, levy, tax
        }

        public var kind: Kind
        public var label: String
        /// In `unit`, exact.
        public var quantity: Decimal
        /// `kWh`, `kW`, `day`, `month`, `year`, or the currency of what a tax is taken of.
        public var unit: String
        /// Per `unit`; of a dynamic price the mean, to the ninth decimal.
        public var price: Decimal
        /// With the currency's decimals; negative where it is a credit.
        public var amount: Decimal
    }

    public var from: Timestamp
    public var to: Timestamp
    /// Seconds east of UTC at `from` and at `to`, for printing.
    public var fromOffset: Int
    public var toOffset: Int
    /// Names of the tariffs in force, in the order of time, separated by `, `.
    public var tariff: String
    public var currency: Currency
    public var lines: [Line]
    /// Sum of the lines' amounts.
    public var total: Decimal
    /// mWh taken and delivered at times whose price is not known: in no line.
    public var unpricedImport: Int64 = 0
    public var unpricedExport: Int64 = 0
    /// ms of the period that the home's meter measured, in slots that this bill's tariffs price.
    public var measuredTime: Int64 = 0
    public var filledTime: Int64 = 0

    /// ms from `from` to `to`.
    public var span: Int64 { to - from }
}
