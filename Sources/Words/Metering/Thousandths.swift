/// A unit's factor to the canonical unit as an exact fraction in lowest terms: kWh is 1000/1, Wmin is 1/60, 0.1 W is
/// 1/10.
public struct Scale: Hashable, Sendable {
    /// Not zero; within ±10¹².
    public let numerator: Int64
    /// 1 … 10¹².
    public let denominator: Int64

    /// The canonical unit itself.
    public static let one = Scale(1)

    /// Both within ±10¹², so that no product of a parsed number and a scale can overflow 128 bits.
    public init?(numerator: Int64, denominator: Int64) {
        guard numerator != 0, numerator.magnitude <= 1_000_000_000_000,
            denominator > 0, denominator <= 1_000_000_000_000
        else { return nil }
        self.init(numerator, per: denominator)
    }

    /// For factors written in this source code; a factor out of range is a bug there and traps.
    public init(_ numerator: Int64, per denominator: Int64 = 1) {
        precondition(numerator != 0 && denominator > 0)
        precondition(numerator.magnitude <= 1_000_000_000_000 && denominator <= 1_000_000_000_000)
        // So that equal factors are equal, however they were written.
        var (common, rest) = (Int64(numerator.magnitude), denominator)
        while rest != 0 { (common, rest) = (rest, common % rest) }
        self.numerator = numerator / common
        self.denominator = denominator / common
    }

    /// Reads a decimal factor such as `0.1`, `1000` or `-0.001`, or a fraction such as `1/60`; nil for anything else.
    public init?(text: String) {
        if let slash = text.firstIndex(of: "/") {
            guard let numerator = Int64(text[..<slash]), let denominator = Int64(text[text.index(after: slash)...])
            else { return nil }
            self.init(numerator: numerator, denominator: denominator)
            return
        }
        guard let decimal = DecimalText(utf8: Array(text.utf8)), decimal.exponent >= -12, decimal.exponent <= 12
        else { return nil }
        let power = Thousandths.powersOfTen[Int(decimal.exponent.magnitude)]
        let wide = decimal.exponent < 0 ? decimal.mantissa : decimal.mantissa * power
        guard wide.magnitude <= 1_000_000_000_000 else { return nil }
        self.init(numerator: Int64(wide), denominator: decimal.exponent < 0 ? Int64(power) : 1)
    }
}

/// Exact conversions into and out of Int64 thousandths of a canonical unit. Rounding is to nearest, ties to even,
/// and happens once, at the third decimal.
public enum Thousandths {
    /// 10⁰ … 10³⁸, all that 128 bits hold.
    public static let powersOfTen: [Int128] = {
        var powers: [Int128] = [1]
        for _ in 0..<38 { powers.append(powers[powers.count - 1] * 10) }
        return powers
    }()

    /// `mantissa × 10^exponent × scale`, in thousandths; nil when it does not fit in 64 bits.
    public static func from(_ decimal: DecimalText, scale: Scale = .one) -> Int64? {
        if decimal.mantissa == 0 { return 0 }
        if let value = short(decimal, scale) { return value }
        // Far beyond what can still matter, so that the sum below cannot overflow.
        let exponent = max(-1000, min(decimal.exponent, 1000)) + 3
        let (scaled, tooWide) = decimal.mantissa.multipliedReportingOverflow(by: Int128(scale.numerator))
        if tooWide { return nil }
        var numerator = scaled
        var denominator = Int128(scale.denominator)
        if exponent > 0 {
            // 10³⁹ over the largest denominator is still far beyond 64 bits.
            guard exponent <= 38 else { return nil }
            let (product, overflow) = numerator.multipliedReportingOverflow(by: powersOfTen[exponent])
            if overflow { return nil }
            numerator = product
        } else if exponent < 0 {
            // 25 digits times a scale of 12 stay below 10³⁷: under half a thousandth beyond 10⁻³⁸, and whenever the
            // denominator overflows 128 bits.
            guard exponent >= -38 else { return 0 }
            let (product, overflow) = denominator.multipliedReportingOverflow(by: powersOfTen[-exponent])
            if overflow { return 0 }
            denominator = product
        }
        return Int64(exactly: divideTiesToEven(numerator, denominator))
    }

    /// The usual number of a meter, up to six places and a small scale, in 64-bit arithmetic: a 128-bit division costs
    /// more than all the rest. Nil means "take the long way", never "does not fit".
    private static func short(_ decimal: DecimalText, _ scale: Scale) -> Int64? {
        guard decimal.exponent <= 0, decimal.exponent >= -6, let mantissa = Int64(exactly: decimal.mantissa)
        else { return nil }
        let (scaled, overflow) = mantissa.multipliedReportingOverflow(by: scale.numerator)
        if overflow { return nil }
        let multiplier: Int64
        var divisor = scale.denominator
        switch decimal.exponent {
        case 0: multiplier = 1000
        case -1: multiplier = 100
        case -2: multiplier = 10
        case -3: multiplier = 1
        case -4: (multiplier, divisor) = (1, divisor * 10)
        case -5: (multiplier, divisor) = (1, divisor * 100)
        default: (multiplier, divisor) = (1, divisor * 1000)
        }
        let (numerator, tooWide) = scaled.multipliedReportingOverflow(by: multiplier)
        if tooWide { return nil }
        if divisor == 1 { return numerator }
        let (quotient, remainder) = numerator.quotientAndRemainder(dividingBy: divisor)
        let rest = Int64(remainder.magnitude)
        if rest > divisor - rest || (rest == divisor - rest && quotient & 1 != 0) {
            return quotient + (numerator < 0 ? -1 : 1)
        }
        return quotient
    }

    /// A 32-bit or 64-bit binary float times `scale`, computed exactly; nil for NaN, infinity and what does not fit.
    public static func from(_ value: Double, scale: Scale = .one) -> Int64? {
        guard value.isFinite else { return nil }
        if value == 0 { return 0 }
        var mantissa = Int128(value.significandBitPattern)
        var exponent = Int(value.exponentBitPattern) - 1075
        if value.exponentBitPattern == 0 { exponent += 1 } else { mantissa |= 1 << 52 }
        if value < 0 { mantissa = -mantissa }
        // 53 bits × 10 bits × 40 bits: 103 bits, so at most 23 of headroom for a positive exponent.
        var numerator = mantissa * 1000 * Int128(scale.numerator)
        var denominator = Int128(scale.denominator)
        if exponent > 0 {
            guard exponent <= 63 else { return nil }
            let (product, overflow) = numerator.multipliedReportingOverflow(by: Int128(1) << exponent)
            if overflow { return nil }
            numerator = product
        } else if exponent < 0 {
            // The denominator may take 40 + 87 bits; below that the value is far under half a thousandth unless the
            // numerator is wide, so shift the numerator first and keep a sticky bit for the ties.
            let shift = -exponent
            let room = min(shift, 80)
            denominator <<= room
            let rest = shift - room
            if rest > 0 {
                guard rest < 120 else { return 0 }
                let sticky: Int128 = numerator & ((Int128(1) << rest) - 1) == 0 ? 0 : 1
                numerator = (numerator >> rest) | sticky
            }
        }
        return Int64(exactly: divideTiesToEven(numerator, denominator))
    }

    /// An integer register times `scale`; nil when it does not fit.
    public static func from(integer value: Int64, scale: Scale = .one) -> Int64? {
        Int64(exactly: divideTiesToEven(Int128(value) * 1000 * Int128(scale.numerator), Int128(scale.denominator)))
    }

    /// `numerator / denominator`, to nearest, ties to even. `denominator` is positive.
    public static func divideTiesToEven(_ numerator: Int128, _ denominator: Int128) -> Int128 {
        precondition(denominator > 0)
        let (quotient, remainder) = numerator.quotientAndRemainder(dividingBy: denominator)
        if remainder == 0 { return quotient }
        let rest = remainder.magnitude
        let away: Int128 = numerator < 0 ? -1 : 1
        let half = denominator.magnitude - rest
        if rest > half || (rest == half && quotient & 1 != 0) { return quotient + away }
        return quotient
    }

    /// The value in canonical units with up to three decimals and no trailing zeros: 1234567 is `1234.567`.
    public static func text(_ value: Int64) -> String {
        let whole = value.magnitude / 1000
        var fraction = value.magnitude % 1000
        let sign = value < 0 ? "-" : ""
        if fraction == 0 { return "\(sign)\(whole)" }
        var digits = 3
        while fraction % 10 == 0 {
            fraction /= 10
            digits -= 1
        }
        let tail = String(fraction)
        return "\(sign)\(whole)." + String(repeating: "0", count: digits - tail.count) + tail
    }
}
