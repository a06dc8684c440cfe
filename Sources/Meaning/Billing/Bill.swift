import Metering
import Timekeeping

/// What one billing period costs, line by line. `Billing.md` has the rules; `Bills` makes it.
package struct Bill: Hashable, Sendable {
    /// One line; rounded to the currency's smallest coin as its tariff says, the only place where money is rounded.
    package struct Line: Hashable, Sendable {
        package enum Kind: String, Hashable, Sendable {
            case energy, tier, export, standing, demand, levy, tax
        }

        package var kind: Kind
        package var label: String
        /// In `unit`, exact.
        package var quantity: Decimal
        /// `kWh`, `kW`, `day`, `month`, `year`, or the currency of what a tax is taken of.
        package var unit: String
        /// Per `unit`; of a dynamic price the mean, to the ninth decimal.
        package var price: Decimal
        /// With the currency's decimals; negative where it is a credit.
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
    /// mWh taken and delivered at times whose price is not known: in no line.
    package var unpricedImport: Int64 = 0
    package var unpricedExport: Int64 = 0
    /// ms of the period that the home's meter measured, in slots that this bill's tariffs price.
    package var measuredTime: Int64 = 0
    package var filledTime: Int64 = 0

    /// ms from `from` to `to`.
    package var span: Int64 { to - from }
}
