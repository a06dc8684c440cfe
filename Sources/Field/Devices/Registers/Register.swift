import Metering

/// How the words of a register make a raw value. Bytes within a word are always high byte first.
package enum RegisterType: String, Hashable, Sendable, CaseIterable {
    case u16, s16, u32, s32, u64, s64, f32, f64

    var words: Int {
        switch self {
        case .u16, .s16: 1
        case .u32, .s32, .f32: 2
        case .u64, .s64, .f64: 4
        }
    }
}

/// Which word of a multi-word value comes first on the wire.
package enum WordOrder: String, Hashable, Sendable, CaseIterable {
    case highFirst = "high-first"
    case lowFirst = "low-first"
}

/// One value of a meter: where it stands and what it means. Addresses count from 0, as on the wire.
package struct Register: Hashable, Sendable {
    package let address: UInt16
    package let type: RegisterType
    package let wordOrder: WordOrder
    package let quantity: Quantity
    package let channel: Channel
    package let conversion: Conversion
    /// Raw values, before any scaling, that mean "not available".
    package let sentinels: [UInt64]
    /// Index into the map's groups.
    package let group: Int
    /// Registers with the same number are read in one request: they belong to one instant.
    package let together: Int

    /// Behind its last word.
    var end: Int { Int(address) + type.words }

    /// The words as one number, `words` holding at least `type.words` from `start`.
    func raw(_ words: [UInt16], at start: Int) -> UInt64 {
        var value: UInt64 = 0
        for i in 0..<type.words {
            let word = wordOrder == .highFirst ? words[start + i] : words[start + type.words - 1 - i]
            value = value << 16 | UInt64(word)
        }
        return value
    }

    enum Value: Hashable {
        case thousandths(Int64)
        case noValue
        case outOfRange
    }

    func value(ofRaw raw: UInt64) -> Value {
        if sentinels.contains(raw) { return .noValue }
        let result: Int64?
        switch type {
        case .u16, .u32, .u64: result = conversion.thousandths(DecimalText(mantissa: Int128(raw), exponent: 0))
        case .s16: result = integer(Int64(Int16(truncatingIfNeeded: raw)))
        case .s32: result = integer(Int64(Int32(truncatingIfNeeded: raw)))
        case .s64: result = integer(Int64(bitPattern: raw))
        case .f32: return float(Double(Float(bitPattern: UInt32(truncatingIfNeeded: raw))))
        case .f64: return float(Double(bitPattern: raw))
        }
        return result.map(Value.thousandths) ?? .outOfRange
    }

    private func integer(_ value: Int64) -> Int64? {
        conversion.thousandths(DecimalText(mantissa: Int128(value), exponent: 0))
    }

    /// The largest float of either width stands for "never written" on some devices.
    private func float(_ value: Double) -> Value {
        guard value.isFinite, value.magnitude != Double(Float.greatestFiniteMagnitude),
            value.magnitude != Double.greatestFiniteMagnitude
        else { return .noValue }
        return conversion.thousandths(value).map(Value.thousandths) ?? .outOfRange
    }
}
