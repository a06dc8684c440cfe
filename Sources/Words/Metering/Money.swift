/// An exact decimal number with eighteen places, for prices and money. No binary float is ever involved.
///
/// The range is ±1.7 × 10²⁰, the product of any home's energy and any price.
package struct Decimal: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// Units of 10⁻¹⁸.
    package let atto: Int128
    /// Decimals that are kept.
    package static let places = 18
    private static let one: Int128 = 1_000_000_000_000_000_000

    /// Nothing.
    package static let zero = Decimal(atto: 0)

    /// From units of 10⁻¹⁸.
    package init(atto: Int128) {
        self.atto = atto
    }

    /// A whole number.
    package init(_ whole: Int64) {
        self.atto = Int128(whole) * Decimal.one
    }

    /// Reads digits such as `0.3215`; nil when it is not one number, has over nine places (zeros at the end do not
    /// count) or over nine whole digits.
    package init?(price text: some StringProtocol) {
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
    package static func + (a: Decimal, b: Decimal) -> Decimal {
        let (sum, overflow) = a.atto.addingReportingOverflow(b.atto)
        return Decimal(atto: overflow ? (b.atto < 0 ? .min : .max) : sum)
    }

    package static func - (a: Decimal, b: Decimal) -> Decimal {
        let (difference, overflow) = a.atto.subtractingReportingOverflow(b.atto)
        return Decimal(atto: overflow ? (b.atto < 0 ? .max : .min) : difference)
    }

    package static func < (a: Decimal, b: Decimal) -> Bool {
        a.atto < b.atto
    }

    /// This price per kWh for `milliwattHours`. Exact, since a price has at most nine places (so a product of prices
    /// is none) and an mWh is 10⁻⁶ kWh; saturates.
    package func times(milliwattHours: Int64) -> Decimal {
        let nano = atto / 1_000_000_000
        precondition(nano * 1_000_000_000 == atto, "a price has at most nine places")
        let (product, overflow) = nano.multipliedReportingOverflow(by: Int128(milliwattHours))
        if overflow { return Decimal(atto: (nano < 0) == (milliwattHours < 0) ? .max : .min) }
        let (wide, tooWide) = product.multipliedReportingOverflow(by: 1_000)
        return Decimal(atto: tooWide ? (product < 0 ? .min : .max) : wide)
    }

    /// Rounded to `places` decimals, to nearest, ties to even.
    package func rounded(places: Int) -> Decimal {
        precondition(places >= 0 && places <= Decimal.places)
        let unit = Thousandths.powersOfTen[Decimal.places - places]
        let (value, overflow) = Thousandths.divideTiesToEven(atto, unit).multipliedReportingOverflow(by: unit)
        return Decimal(atto: overflow ? (atto < 0 ? .min : .max) : value)
    }

    /// All decimals that are not trailing zeros.
    package var description: String { text(places: Decimal.places) }

    /// Rounded to at most `places` decimals, without trailing zeros, but with at least `minimum` of them.
    package func text(places: Int, minimum: Int = 0) -> String {
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

/// An ISO 4217 code: three capital letters.
package struct Currency: Hashable, Sendable, CustomStringConvertible {
    /// The three letters.
    package let code: String

    /// Nil for anything but three capital letters; whether such a currency exists is not checked.
    package init?(_ code: some StringProtocol) {
        let bytes = Array(code.utf8)
        let capitals = UInt8(ascii: "A")...UInt8(ascii: "Z")
        guard bytes.count == 3, bytes.allSatisfy(capitals.contains) else { return nil }
        self.code = String(code)
    }

    /// The euro.
    package static let euro = Currency("EUR")!
    package var description: String { code }
}
