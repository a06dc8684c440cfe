import Metering

/// What a text says where a number is expected.
enum NumberText: Hashable {
    case number(DecimalText)
    /// One of the spellings of "no value": no sample, no error.
    case noValue
    case notANumber

    /// Blanks, a trailing NUL and a pair of quotes around the text are ignored.
    init(_ bytes: UnsafeRawBufferPointer) {
        if let decimal = DecimalText(bytes) {
            self = .number(decimal)
            return
        }
        let text = NumberText.unquoted(trimmed(bytes))
        if NumberText.meansNoValue(text) {
            self = .noValue
        } else if let decimal = DecimalText(text) {
            self = .number(decimal)
        } else {
            self = .notANumber
        }
    }

    static func unquoted(_ text: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
        guard text.count >= 2, text.first == UInt8(ascii: "\""), text.last == UInt8(ascii: "\"") else { return text }
        return trimmed(UnsafeRawBufferPointer(rebasing: text[1..<text.count - 1]))
    }

    private static func meansNoValue(_ text: UnsafeRawBufferPointer) -> Bool {
        switch text.count {
        case 0: true
        case 1: text[0] == UInt8(ascii: "-")
        default: spellings.contains { equalIgnoringCase(text, $0) }
        }
    }

    private static let spellings: [StaticString] = [
        "nan", "-nan", "+nan", "inf", "-inf", "+inf", "infinity", "-infinity", "null", "none", "unknown",
        "unavailable", "n/a",
    ]
}

/// Without blanks, control characters of line ends, and NULs at both ends: old firmware sends them.
func trimmed(_ bytes: UnsafeRawBufferPointer) -> UnsafeRawBufferPointer {
    var start = 0
    var end = bytes.count
    while start < end, isBlank(bytes[start]) { start += 1 }
    while end > start, isBlank(bytes[end - 1]) { end -= 1 }
    return UnsafeRawBufferPointer(rebasing: bytes[start..<end])
}

private func isBlank(_ byte: UInt8) -> Bool {
    byte == 0x20 || (byte >= 0x09 && byte <= 0x0D) || byte == 0
}

/// For ASCII words.
func equalIgnoringCase(_ text: UnsafeRawBufferPointer, _ word: StaticString) -> Bool {
    guard text.count == word.utf8CodeUnitCount else { return false }
    for i in 0..<text.count {
        var byte = text[i]
        if byte >= UInt8(ascii: "A"), byte <= UInt8(ascii: "Z") { byte |= 0x20 }
        if byte != word.utf8Start[i] { return false }
    }
    return true
}
