/// The integer that a JSON number's text denotes, exactly, or nil when it has a fraction or does not fit.
///
/// The text is a number by JSON's grammar: the scan has checked it.
func exactInteger(_ text: UnsafeRawBufferPointer) -> Int64? {
    let negative = text.first == UInt8(ascii: "-")
    var magnitude: UInt64 = 0
    // Zeros at the end wait: they only count when another digit follows, so `1.000` stays 1 and `5000e-3` is 5.
    var pendingZeros = 0
    var fractionDigits = 0
    var inFraction = false
    var at = negative ? 1 : 0
    while at < text.count, text[at] | 0x20 != UInt8(ascii: "e") {
        defer { at += 1 }
        guard text[at] != UInt8(ascii: ".") else {
            inFraction = true
            continue
        }
        if inFraction { fractionDigits += 1 }
        let digit = UInt64(text[at] &- UInt8(ascii: "0"))
        guard digit != 0 else {
            pendingZeros += 1
            continue
        }
        guard let shifted = shift(magnitude, by: pendingZeros + 1) else { return nil }
        let (sum, overflow) = shifted.addingReportingOverflow(digit)
        guard !overflow else { return nil }
        magnitude = sum
        pendingZeros = 0
    }
    guard magnitude != 0 else { return 0 }
    let exponent = at < text.count ? writtenExponent(text[(at + 1)...]) : 0
    let zeros = exponent - fractionDigits + pendingZeros
    guard zeros >= 0, let whole = shift(magnitude, by: zeros) else { return nil }
    guard negative else { return Int64(exactly: whole) }
    return whole == Int64.min.magnitude ? Int64.min : Int64(exactly: whole).map { -$0 }
}

/// `value × 10^zeros`, nil when it does not fit.
private func shift(_ value: UInt64, by zeros: Int) -> UInt64? {
    guard value != 0 else { return 0 }
    guard zeros < 20 else { return nil }
    var result = value
    for _ in 0..<zeros {
        let (product, overflow) = result.multipliedReportingOverflow(by: 10)
        guard !overflow else { return nil }
        result = product
    }
    return result
}

/// Held to ±1,000,000, far outside what any digits can make up for.
private func writtenExponent(_ text: Slice<UnsafeRawBufferPointer>) -> Int {
    var value = 0
    for byte in text where byte != UInt8(ascii: "+") && byte != UInt8(ascii: "-") {
        value = min(value * 10 + Int(byte &- UInt8(ascii: "0")), 1_000_000)
    }
    return text.first == UInt8(ascii: "-") ? -value : value
}
