/// A decimal number as it stood in a text: `mantissa × 10^exponent`, no binary float in between.
///
/// Grammar: optional blanks, optional sign, ASCII digits with an optional point, an optional exponent, optional blanks.
/// Hex, `inf`, `nan`, digit separators and decimal commas are refused. Digits beyond the eighteenth significant one
/// are dropped after rounding information is folded into the last (the value then needs more digits than any meter has).
package struct DecimalText: Hashable, Sendable {
    package let mantissa: Int128
    package let exponent: Int

    /// The longest text that is looked at.
    package static let maximumLength = 64
    private static let maximumDigits = 18

    package init(mantissa: Int128, exponent: Int) {
        self.mantissa = mantissa
        self.exponent = exponent
    }

    package init?(utf8 bytes: [UInt8]) {
        guard let value = bytes.withUnsafeBytes({ DecimalText($0) }) else { return nil }
        self = value
    }

    package init?(_ text: some StringProtocol) {
        self.init(utf8: Array(text.utf8))
    }

    /// Nil when the bytes are not exactly one number.
    package init?(_ bytes: UnsafeRawBufferPointer) {
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
                if kept < DecimalText.maximumDigits {
                    mantissa = mantissa * 10 + digit
                    if mantissa != 0 { kept += 1 }
                    if pointSeen { exponent -= 1 }
                } else {
                    // A sticky odd digit: a dropped tail can then never look like an exact tie.
                    if digit != 0, mantissa % 10 == 0 || mantissa % 10 == 5 { mantissa += 1 }
                    if !pointSeen { exponent += 1 }
                }
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
        self.mantissa = negative ? -Int128(mantissa) : Int128(mantissa)
        self.exponent = exponent
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
