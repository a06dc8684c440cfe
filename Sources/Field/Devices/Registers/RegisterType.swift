import Metering

/// How the words of a register make a raw value, and the raw value a number.
public enum RegisterType: String, Hashable, Sendable, CaseIterable {
    case u16, s16, u32, s32, u48, s48, u64, s64, f32, f64
    /// The highest bit is the sign, the others the magnitude: no two's complement.
    case sm16, sm32
    /// Words that count to 9999, each four decimal digits of the number.
    case m10k32, m10k48, m10k64
    /// Four bits to a decimal digit.
    case bcd16, bcd32
    /// Iskra's packed types. Bits 31–24 are a signed power of ten, 23–0 an unsigned (t5) or signed (t6) number.
    case t5, t6
    /// Iskra's power factor: ten thousandths in the low word, FF in the highest byte for export.
    case t7

    public var words: Int {
        switch self {
        case .u16, .s16, .sm16, .bcd16: 1
        case .u32, .s32, .f32, .sm32, .m10k32, .bcd32, .t5, .t6, .t7: 2
        case .u48, .s48, .m10k48: 3
        case .u64, .s64, .f64, .m10k64: 4
        }
    }

    /// What a raw value says, before any scale.
    enum Number: Hashable {
        case decimal(DecimalText)
        case float(Double)
        /// NaN, infinity, and the largest float of either width, which stands for "never written" on some devices.
        case noValue
        /// No number of this type: a digit above 9.
        case malformed
    }

    func number(ofRaw raw: UInt64) -> Number {
        switch self {
        case .u16, .u32, .u48, .u64: RegisterType.decimal(Int128(raw))
        case .s16: RegisterType.decimal(Int128(Int16(truncatingIfNeeded: raw)))
        case .s32: RegisterType.decimal(Int128(Int32(truncatingIfNeeded: raw)))
        case .s48: RegisterType.decimal(Int128(Int64(truncatingIfNeeded: raw << 16) >> 16))
        case .s64: RegisterType.decimal(Int128(Int64(bitPattern: raw)))
        case .f32: RegisterType.float(Double(Float(bitPattern: UInt32(truncatingIfNeeded: raw))))
        case .f64: RegisterType.float(Double(bitPattern: raw))
        case .sm16: RegisterType.signed(Int128(raw & 0x7FFF), isNegative: raw & 0x8000 != 0)
        case .sm32: RegisterType.signed(Int128(raw & 0x7FFF_FFFF), isNegative: raw & 0x8000_0000 != 0)
        case .m10k32, .m10k48, .m10k64: digits(raw, bits: 16, base: 10_000)
        case .bcd16, .bcd32: digits(raw, bits: 4, base: 10)
        case .t5: RegisterType.packed(Int128(raw & 0xFF_FFFF), raw)
        case .t6: RegisterType.packed(Int128(Int32(truncatingIfNeeded: raw << 8) >> 8), raw)
        case .t7: RegisterType.signed(Int128(raw & 0xFFFF), isNegative: raw >> 24 & 0xFF == 0xFF, exponent: -4)
        }
    }

    @inline(__always)
    private static func decimal(_ value: Int128) -> Number {
        .decimal(DecimalText(mantissa: value, exponent: 0))
    }

    private static func signed(_ magnitude: Int128, isNegative: Bool, exponent: Int = 0) -> Number {
        .decimal(DecimalText(mantissa: isNegative ? -magnitude : magnitude, exponent: exponent))
    }

    private static func packed(_ mantissa: Int128, _ raw: UInt64) -> Number {
        .decimal(DecimalText(mantissa: mantissa, exponent: Int(Int8(truncatingIfNeeded: raw >> 24))))
    }

    private static func float(_ value: Double) -> Number {
        guard value.isFinite, value.magnitude != Double(Float.greatestFiniteMagnitude),
            value.magnitude != Double.greatestFiniteMagnitude
        else { return .noValue }
        return .float(value)
    }

    private func digits(_ raw: UInt64, bits: UInt64, base: UInt64) -> Number {
        var value: Int128 = 0
        var shift = UInt64(words) * 16
        while shift > 0 {
            shift -= bits
            let digit = raw >> shift & (1 << bits - 1)
            guard digit < base else { return .malformed }
            value = value * Int128(base) + Int128(digit)
        }
        return RegisterType.decimal(value)
    }
}

/// Which word of a multi-word value comes first on the wire, and whether the bytes of each word changed places.
public enum WordOrder: String, Hashable, Sendable, CaseIterable {
    case highFirst = "high-first"
    case lowFirst = "low-first"
    case highFirstSwapped = "high-first-swapped"
    case lowFirstSwapped = "low-first-swapped"

    /// `count` words from `start` as one raw value; `words` holds them all.
    func raw(_ words: [UInt16], at start: Int, count: Int) -> UInt64 {
        let isHighFirst = self == .highFirst || self == .highFirstSwapped
        let isSwapped = self == .highFirstSwapped || self == .lowFirstSwapped
        var value: UInt64 = 0
        for i in 0..<count {
            let word = isHighFirst ? words[start + i] : words[start + count - 1 - i]
            value = value << 16 | UInt64(isSwapped ? word.byteSwapped : word)
        }
        return value
    }
}
