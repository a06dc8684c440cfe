import Timekeeping

/// Prices of a list in slots that follow each other: what an exchange or a supplier publishes for a day.
///
/// Key: (list, slot). A later run replaces what an earlier one said of the same slot, so the log's order decides.
public struct PriceRun: Hashable, Sendable {
    /// Name of the list, at most 64 bytes.
    public var list: String
    public var currency: Currency
    /// The slot of the first price.
    public var first: Slot
    /// Each price holds for so many slots: 1 for quarters of an hour, 4 for hours; 1...96.
    public var slotsPerPrice: Int
    /// In 10⁻⁹ of the currency per kWh, within ±`maximumPrice`.
    public var prices: [Int64]

    /// 31 days of quarters of an hour.
    public static let maximumCount = 2976
    public static let maximumSlotsPerPrice = 96
    /// A billion of the currency per kWh: what a price of nine places may be.
    public static let maximumPrice: Int64 = 999_999_999_999_999_999

    public init(list: String, currency: Currency, first: Slot, slotsPerPrice: Int, prices: [Int64]) {
        self.list = list
        self.currency = currency
        self.first = first
        self.slotsPerPrice = slotsPerPrice
        self.prices = prices
    }

    /// The first slot after it.
    public var end: Slot { Slot(index: first.index + Int64(prices.count * slotsPerPrice)) }
}

extension Decimal {
    /// From 10⁻⁹ per kWh, as price lists are kept.
    public init(nano: Int64) {
        self.init(atto: Int128(nano) * 1_000_000_000)
    }

    /// In 10⁻⁹, rounded to nearest, ties to even; nil beyond what a price may be.
    public var nano: Int64? {
        let value = Thousandths.divideTiesToEven(atto, 1_000_000_000)
        guard value.magnitude <= UInt128(PriceRun.maximumPrice) else { return nil }
        return Int64(value)
    }
}
