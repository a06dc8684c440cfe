/// A decimal number as it stood in a text: `mantissa × 10^exponent`, no binary float in between.
///
/// Grammar: optional blanks, optional sign, ASCII digits with an optional point, an optional exponent, optional blanks.
/// Hex, `inf`, `nan`, digit separators and decimal commas are refused. The first 24 significant digits are kept as they
/// are; a tail beyond them that is not zero becomes one more digit 1, so that it can never look like an exact tie.
public struct DecimalText: Hashable, Sendable {
    /// The digits without their point, with the sign; below 10²⁵ when it was read from a text.
    public let mantissa: Int128
    /// The power of ten of the last digit; within ±100,100 when it was read from a text.
    public let exponent: Int

    /// The longest text that is looked at.
    public static let maximumLength = 64
    /// 64 bits hold every number of 19 digits; the next five are gathered apart, so that the usual number stays in
    /// one register.
    private static let headDigits = 19
    private static let tailDigits = 5

    /// A number that did not come as text, such as an integer register.
    public init(mantissa: Int128, exponent: Int) {
        self.mantissa = mantissa
        self.exponent = exponent
    }

    /// Nil when `bytes` are not exactly one number.
    public init?(utf8 bytes: [UInt8]) {
        guard let value = bytes.withUnsafeBytes({ DecimalText($0) }) else { return nil }
        self = value
    }

    /// Nil when `text` is not exactly one number.
    public init?(_ text: some StringProtocol) {
        guard text.utf8.count <= DecimalText.maximumLength else { return nil }
        self.init(utf8: Array(text.utf8))
    }

    /// Nil when the bytes are not exactly one number.
    public init?(_ bytes: UnsafeRawBufferPointer) {
        guard bytes.count <= DecimalText.maximumLength else { return nil }
        var i = 0
        var end = bytes.count
        while i < end, DecimalText.isBlank(bytes[i]) { i += 1 }
        while end > i, DecimalText.isBlank(bytes[end - 1]) { end -= 1 }
        var negative = false
        if i < end, bytes[i] == UInt8(ascii: "-") || bytes[i] == UInt8(ascii: "+") {
            negative = bytes[i] == UInt8(ascii: "-")
            i += 1
        }
        var mantissa: UInt64 = 0
        var tail = Tail()
        var exponent = 0
        var digits = 0
        var kept = 0
        var pointSeen = false
        while i < end {
            let byte = bytes[i]
            if byte == UInt8(ascii: "."), !pointSeen {
                pointSeen = true
            } else if byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") {
                digits += 1
                let digit = UInt64(byte - UInt8(ascii: "0"))
                if kept < DecimalText.headDigits {
                    mantissa = mantissa * 10 + digit
                    if mantissa != 0 { kept += 1 }
                } else {
                    tail.append(digit)
                }
                if pointSeen { exponent -= 1 }
            } else {
                break
            }
            i += 1
        }
        guard digits > 0 else { return nil }
        if i < end {
            guard bytes[i] | 0x20 == UInt8(ascii: "e"),
                let written = DecimalText.exponent(bytes, from: i + 1, to: end)
            else { return nil }
            exponent += written
        }
        var wide = Int128(mantissa)
        if tail.seen > 0 {
            wide = wide * Int128(tail.power) + Int128(tail.value)
            exponent += tail.dropped
        }
        self.mantissa = negative ? -wide : wide
        self.exponent = exponent
    }

    /// The digits after the nineteenth.
    private struct Tail {
        var value: UInt64 = 0
        var power: UInt64 = 1
        var seen = 0
        /// Digits seen less digits kept: how much the exponent grows.
        var dropped = 0
        private var isSticky = false

        mutating func append(_ digit: UInt64) {
            seen += 1
            if seen <= DecimalText.tailDigits {
                value = value * 10 + digit
                power *= 10
            } else {
                dropped += 1
                guard digit != 0, !isSticky else { return }
                isSticky = true
                value = value * 10 + 1
                power *= 10
                dropped -= 1
            }
        }
    }

    private static func exponent(_ bytes: UnsafeRawBufferPointer, from start: Int, to end: Int) -> Int? {
        var i = start
        var negative = false
        if i < end, bytes[i] == UInt8(ascii: "-") || bytes[i] == UInt8(ascii: "+") {
            negative = bytes[i] == UInt8(ascii: "-")
            i += 1
        }
        guard i < end else { return nil }
        var value = 0
        while i < end {
            guard bytes[i] >= UInt8(ascii: "0"), bytes[i] <= UInt8(ascii: "9") else { return nil }
            value = min(value * 10 + Int(bytes[i] - UInt8(ascii: "0")), 100_000)
            i += 1
        }
        return negative ? -value : value
    }

    private static func isBlank(_ byte: UInt8) -> Bool {
        byte == 0x20 || (byte >= 0x09 && byte <= 0x0D)
    }
}
