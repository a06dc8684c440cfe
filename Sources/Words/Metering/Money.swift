/// An exact decimal number with eighteen places, for prices and money. No binary float is ever involved.
///
/// The range is ±1.7 × 10²⁰, the product of any home's energy and any price.
public struct Decimal: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// Units of 10⁻¹⁸.
    public let atto: Int128
    /// Decimals that are kept.
    public static let places = 18
    private static let one: Int128 = 1_000_000_000_000_000_000

    /// Nothing.
    public static let zero = Decimal(atto: 0)

    /// From units of 10⁻¹⁸.
    public init(atto: Int128) {
        self.atto = atto
    }

    /// A whole number.
    public init(_ whole: Int64) {
        self.atto = Int128(whole) * Decimal.one
    }

    /// Reads digits such as `0.3215`; nil when it is not one number, has over nine places (zeros at the end do not
    /// count) or over nine whole digits.
    public init?(price text: some StringProtocol) {
        guard let decimal = DecimalText(text) else { return nil }
        var mantissa = decimal.mantissa
        var exponent = mantissa == 0 ? 0 : decimal.exponent
        while exponent < -9, mantissa % 10 == 0 {
            mantissa /= 10
            exponent += 1
        }
        guard exponent >= -9, exponent <= 9 else { return nil }
        let (scaled, overflow) = mantissa.multipliedReportingOverflow(by: Thousandths.powersOfTen[exponent + 18])
        guard !overflow, scaled.magnitude < 1_000_000_000 * Decimal.one.magnitude else { return nil }
        self.atto = scaled
    }

    /// Saturates, as `-` does: no price or sum that a file can state brings the process down.
    public static func + (a: Decimal, b: Decimal) -> Decimal {
        let (sum, overflow) = a.atto.addingReportingOverflow(b.atto)
        return Decimal(atto: overflow ? (b.atto < 0 ? .min : .max) : sum)
    }

    public static func - (a: Decimal, b: Decimal) -> Decimal {
        let (difference, overflow) = a.atto.subtractingReportingOverflow(b.atto)
        return Decimal(atto: overflow ? (b.atto < 0 ? .max : .min) : difference)
    }

    public static func < (a: Decimal, b: Decimal) -> Bool {
        a.atto < b.atto
    }

    /// This price per kWh for `milliwattHours`. Exact, since a price has at most nine places (so a product of prices
    /// is none) and an mWh is 10⁻⁶ kWh; saturates.
    public func times(milliwattHours: Int64) -> Decimal {
        let nano = atto / 1_000_000_000
        precondition(nano * 1_000_000_000 == atto, "a price has at most nine places")
        let (product, overflow) = nano.multipliedReportingOverflow(by: Int128(milliwattHours))
        if overflow { return Decimal(atto: (nano < 0) == (milliwattHours < 0) ? .max : .min) }
        let (wide, tooWide) = product.multipliedReportingOverflow(by: 1_000)
        return Decimal(atto: tooWide ? (product < 0 ? .min : .max) : wide)
    }

    /// The product, rounded to the eighteenth place, ties to even; saturates.
    public func times(_ factor: Decimal) -> Decimal {
        let isNegative = (atto < 0) != (factor.atto < 0)
        let wide = atto.magnitude.multipliedFullWidth(by: factor.atto.magnitude)
        let divisor = Decimal.one.magnitude
        guard wide.high < divisor else { return Decimal(atto: isNegative ? .min : .max) }
        var (quotient, rest) = divisor.dividingFullWidth(wide)
        if rest * 2 > divisor || (rest * 2 == divisor && quotient & 1 == 1) { quotient += 1 }
        guard quotient <= Int128.max.magnitude else { return Decimal(atto: isNegative ? .min : .max) }
        return Decimal(atto: isNegative ? -Int128(quotient) : Int128(quotient))
    }

    /// The part `numerator / denominator` of it, rounded to the eighteenth place, ties to even; saturates.
    /// `denominator` is above zero.
    public func times(_ numerator: Int64, dividedBy denominator: Int64) -> Decimal {
        let (product, overflow) = atto.multipliedReportingOverflow(by: Int128(numerator))
        if overflow { return Decimal(atto: (atto < 0) == (numerator < 0) ? .max : .min) }
        return Decimal(atto: Thousandths.divideTiesToEven(product, Int128(denominator)))
    }

    /// Rounded to `places` decimals, to nearest.
    public func rounded(places: Int, _ rounding: Rounding = .halfEven) -> Decimal {
        precondition(places >= 0 && places <= Decimal.places)
        let unit = Thousandths.powersOfTen[Decimal.places - places]
        var value = Thousandths.divideTiesToEven(atto, unit)
        if rounding == .halfUp {
            // Only a tie is decided otherwise: away from zero.
            let rest = atto - value * unit
            if rest.magnitude * 2 == unit.magnitude { value += (atto < 0) == (rest < 0) ? (atto < 0 ? -1 : 1) : 0 }
        }
        let (rounded, overflow) = value.multipliedReportingOverflow(by: unit)
        return Decimal(atto: overflow ? (atto < 0 ? .min : .max) : rounded)
    }

    /// All decimals that are not trailing zeros.
    public var description: String { text(places: Decimal.places) }

    /// Rounded to at most `places` decimals, without trailing zeros, but with at least `minimum` of them.
    public func text(places: Int, minimum: Int = 0) -> String {
        let value = rounded(places: places).atto
        let whole = value.magnitude / Decimal.one.magnitude
        var fraction = String(value.magnitude % Decimal.one.magnitude)
        fraction = String(repeating: "0", count: Decimal.places - fraction.count) + fraction
        var digits = Array(fraction.utf8)
        while digits.count > minimum, digits.last == UInt8(ascii: "0") { digits.removeLast() }
        let sign = value < 0 ? "-" : ""
        if digits.isEmpty { return "\(sign)\(whole)" }
        return "\(sign)\(whole).\(String(decoding: digits, as: UTF8.self))"
    }
}

/// Which cent a half becomes. It matters to a bill's lines only, the one place where money is rounded.
public enum Rounding: UInt8, Hashable, Sendable, CaseIterable {
    /// To the even neighbour: over many lines it favours nobody.
    case halfEven = 1
    /// Away from zero, as many suppliers print their bills.
    case halfUp = 2
}

/// An ISO 4217 code: three capital letters.
public struct Currency: Hashable, Sendable, CustomStringConvertible {
    /// The three letters.
    public let code: String

    /// Nil for anything but three capital letters; whether such a currency exists is not checked.
    public init?(_ code: some StringProtocol) {
        let bytes = Array(code.utf8)
        let capitals = UInt8(ascii: "A")...UInt8(ascii: "Z")
        guard bytes.count == 3, bytes.allSatisfy(capitals.contains) else { return nil }
        self.code = String(code)
    }

    /// Decimals of its smallest coin, as ISO 4217 has them: 2 for most.
    public var places: Int {
        switch code {
        case "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF",
            "XPF":
            0
        case "BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND": 3
        default: 2
        }
    }

    /// The euro.
    public static let euro = Currency("EUR")!
    public var description: String { code }
}
