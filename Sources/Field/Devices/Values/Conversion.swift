import Metering

/// How a source's number becomes thousandths of the canonical unit: (number + offset) × scale, exactly.
public struct Conversion: Hashable, Sendable {
    public let scale: Scale
    /// Added before scaling, in thousandths of the source's unit: −32 °F, −273.15 K. Else 0.
    public let offset: Int64

    public static let canonical = Conversion(scale: .one)

    public init(scale: Scale, offset: Int64 = 0) {
        self.scale = scale
        self.offset = offset
    }

    /// Nil for a unit that does not measure `quantity`.
    public init?(unit: String, of quantity: Quantity) {
        guard let found = Conversion.units(of: quantity).first(where: { $0.name == unit }) else { return nil }
        self = found.conversion
    }

    /// A factor on top; nil when the product leaves the bounds of `Scale`.
    public func scaled(by factor: Scale) -> Conversion? {
        let (numerator, a) = scale.numerator.multipliedReportingOverflow(by: factor.numerator)
        let (denominator, b) = scale.denominator.multipliedReportingOverflow(by: factor.denominator)
        guard !a, !b, let product = Scale(numerator: numerator, denominator: denominator) else { return nil }
        return Conversion(scale: product, offset: offset)
    }

    /// Nil when the result does not fit.
    public func thousandths(_ decimal: DecimalText) -> Int64? {
        guard offset != 0 else { return fast(decimal) ?? Thousandths.from(decimal, scale: scale) }
        // Below 10⁻¹⁸ nothing of a temperature is left; above 10³ it is none.
        guard (-18...3).contains(decimal.exponent) else {
            return decimal.exponent < 0 ? Thousandths.from(DecimalText(mantissa: Int128(offset), exponent: -3)) : nil
        }
        let exponent = min(decimal.exponent, -3)
        let sum =
            decimal.mantissa * Conversion.tenTo(decimal.exponent - exponent)
            + Int128(offset) * Conversion.tenTo(-3 - exponent)
        return Thousandths.from(DecimalText(mantissa: sum, exponent: exponent), scale: scale)
    }

    /// Nil for NaN, infinity and what does not fit.
    public func thousandths(_ value: Double) -> Int64? {
        guard let scaled = Thousandths.from(value, scale: scale) else { return nil }
        guard offset != 0, let shift = shifted else { return scaled }
        let (sum, overflow) = scaled.addingReportingOverflow(shift)
        return overflow ? nil : sum
    }

    /// The usual case in 64 bits: up to three decimals, a whole factor, no wide product. Nil leaves it to 128 bits.
    @inline(__always)
    private func fast(_ decimal: DecimalText) -> Int64? {
        guard scale.denominator == 1, (-3...0).contains(decimal.exponent),
            let mantissa = Int64(exactly: decimal.mantissa)
        else { return nil }
        let power: Int64 =
            switch decimal.exponent {
            case -3: 1
            case -2: 10
            case -1: 100
            default: 1000
            }
        let (wide, a) = mantissa.multipliedReportingOverflow(by: power)
        let (product, b) = wide.multipliedReportingOverflow(by: scale.numerator)
        return a || b ? nil : product
    }

    private var shifted: Int64? {
        Thousandths.from(DecimalText(mantissa: Int128(offset), exponent: -3), scale: scale)
    }

    private static func tenTo(_ exponent: Int) -> Int128 {
        var power: Int128 = 1
        for _ in 0..<exponent { power *= 10 }
        return power
    }
}
