/// Division by a number that is known to divide: a shift and a multiplication, where the processor's own division
/// would be most of what encoding costs.
struct ExactDivision {
    let divisor: UInt64
    private let shift: Int64
    /// Of the divisor's odd part, modulo 2⁶⁴.
    let inverse: Int64

    /// `divisor` is at least 1.
    init(by divisor: UInt64) {
        precondition(divisor > 0)
        self.divisor = divisor
        shift = Int64(divisor.trailingZeroBitCount)
        let odd = divisor >> UInt64(shift)
        // Newton: each round doubles the bits that are right; an odd number is its own inverse in three.
        var inverse = odd
        for _ in 0..<5 { inverse = inverse &* (2 &- odd &* inverse) }
        self.inverse = Int64(bitPattern: inverse)
    }

    @inline(__always)
    func quotient(_ value: Int64) -> Int64 { (value >> shift) &* inverse }

    @inline(__always)
    func quotient(_ value: UInt64) -> UInt64 { (value >> UInt64(shift)) &* UInt64(bitPattern: inverse) }
}

/// The greatest number that divides all that were added.
struct CommonDivisor {
    /// 0 until something but zero was added.
    private(set) var value: UInt64 = 0
    /// Known to divide everything that comes: nothing is looked at once it is reached.
    let floor: UInt64

    init(floor: UInt64 = 1) {
        self.floor = max(1, floor)
    }

    @inline(__always)
    mutating func add(_ number: UInt64) {
        if value == floor || number == 0 { return }
        if value != 0, number % value == 0 { return }
        var rest = number
        while rest != 0 { (value, rest) = (rest, value % rest) }
    }

    /// At least 1.
    var divisor: UInt64 { max(1, value) }
}
