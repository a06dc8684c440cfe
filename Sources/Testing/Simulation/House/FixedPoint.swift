/// Integer stand-ins for the C library's functions, whose last bits differ between platforms.
enum FixedPoint {
    /// Sine in millionths of an angle in thousandths of a degree, by Bhaskara's approximation (error below 0.002).
    static func sine(_ millidegrees: Int64) -> Int64 {
        var angle = millidegrees % 360_000
        if angle < 0 { angle += 360_000 }
        let negative = angle >= 180_000
        if negative { angle -= 180_000 }
        let product = angle * (180_000 - angle)
        let value = 4 * product * 1_000_000 / (40_500_000_000 - product)
        return negative ? -value : value
    }

    static func cosine(_ millidegrees: Int64) -> Int64 {
        sine(millidegrees + 90_000)
    }

    /// The largest integer whose square is not above `value`; 0 for a negative one.
    static func squareRoot(_ value: Int64) -> Int64 {
        guard value > 0 else { return 0 }
        // The estimate may be off by the rounding of the conversion; the two loops make it exact.
        var root = Int64(Double(value).squareRoot())
        while root * root > value { root -= 1 }
        while (root + 1) * (root + 1) <= value { root += 1 }
        return root
    }

    /// `dividend / divisor` to nearest, halves away from zero; `divisor` is positive.
    static func divideRounded(_ dividend: Int64, _ divisor: Int64) -> Int64 {
        let half = divisor / 2
        return dividend >= 0 ? (dividend + half) / divisor : (dividend - half) / divisor
    }

    /// Quotient and remainder toward the past; `divisor` is positive.
    static func floorDivide(_ dividend: Int64, _ divisor: Int64) -> (quotient: Int64, remainder: Int64) {
        let (quotient, remainder) = dividend.quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? (quotient - 1, remainder + divisor) : (quotient, remainder)
    }
}
