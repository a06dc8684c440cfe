import Metering

/// A fraction of whole numbers, for sums and quotients that a template states: no binary float in between.
struct ExactRatio: Hashable {
    let numerator: Int128
    /// Above 0.
    let denominator: Int128

    /// Nil when the denominator is 0, or either does not fit.
    init?(_ numerator: Int128, _ denominator: Int128 = 1) {
        guard denominator != 0, numerator != .min, denominator != .min else { return nil }
        let divisor = ExactRatio.divisor(abs(numerator), abs(denominator))
        let sign: Int128 = denominator < 0 ? -1 : 1
        self.numerator = sign * numerator / divisor
        self.denominator = abs(denominator) / divisor
    }

    /// Nil far outside of what anybody measures.
    init?(_ decimal: DecimalText) {
        guard decimal.mantissa != 0 else {
            self.init(0)
            return
        }
        guard (-24...12).contains(decimal.exponent) else { return nil }
        var power: Int128 = 1
        for _ in 0..<abs(decimal.exponent) { power *= 10 }
        guard decimal.exponent > 0 else {
            self.init(decimal.mantissa, power)
            return
        }
        let (product, overflow) = decimal.mantissa.multipliedReportingOverflow(by: power)
        if overflow { return nil }
        self.init(product)
    }

    private static func divisor(_ a: Int128, _ b: Int128) -> Int128 {
        var (a, b) = (a, b)
        while b != 0 { (a, b) = (b, a % b) }
        return max(a, 1)
    }

    func adding(_ other: ExactRatio) -> ExactRatio? {
        let (left, a) = numerator.multipliedReportingOverflow(by: other.denominator)
        let (right, b) = other.numerator.multipliedReportingOverflow(by: denominator)
        let (sum, c) = left.addingReportingOverflow(right)
        let (product, d) = denominator.multipliedReportingOverflow(by: other.denominator)
        return a || b || c || d ? nil : ExactRatio(sum, product)
    }

    func multiplied(by other: ExactRatio) -> ExactRatio? {
        let (top, a) = numerator.multipliedReportingOverflow(by: other.numerator)
        let (bottom, b) = denominator.multipliedReportingOverflow(by: other.denominator)
        return a || b ? nil : ExactRatio(top, bottom)
    }

    func divided(by other: ExactRatio) -> ExactRatio? {
        ExactRatio(other.denominator, other.numerator).flatMap { multiplied(by: $0) }
    }

    var negated: ExactRatio? { ExactRatio(-numerator, denominator) }
    var magnitude: ExactRatio? { ExactRatio(abs(numerator), denominator) }
    /// Towards zero.
    var truncated: ExactRatio? { ExactRatio(numerator / denominator) }

    /// To `digits` decimals, ties to even.
    func rounded(to digits: Int) -> ExactRatio? {
        guard (0...12).contains(digits) else { return nil }
        var power: Int128 = 1
        for _ in 0..<digits { power *= 10 }
        let (scaled, overflow) = numerator.multipliedReportingOverflow(by: power)
        if overflow { return nil }
        return ExactRatio(Thousandths.divideTiesToEven(scaled, denominator), power)
    }

    /// Nil when the result does not fit.
    func thousandths(_ conversion: Conversion) -> Int64? {
        guard let offset = ExactRatio(Int128(conversion.offset), 1000),
            let scale = ExactRatio(Int128(conversion.scale.numerator) * 1000, Int128(conversion.scale.denominator)),
            let result = adding(offset)?.multiplied(by: scale)
        else { return nil }
        return Int64(exactly: Thousandths.divideTiesToEven(result.numerator, result.denominator))
    }
}
