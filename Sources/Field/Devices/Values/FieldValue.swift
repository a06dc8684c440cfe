import Metering

/// What a text is as a field's value.
enum FieldValue {
    /// In thousandths of the canonical unit.
    case value(Int64)
    case noValue
    case wrong(DecodeError)
}

extension FieldValue {
    /// A text that is a number and nothing else.
    init(plain bytes: UnsafeRawBufferPointer, _ conversion: Conversion) {
        switch NumberText(bytes) {
        case .number(let decimal): self = conversion.thousandths(decimal).map { .value($0) } ?? .wrong(.outOfRange)
        case .noValue: self = .noValue
        case .notANumber: self = .wrong(.notANumber(DecodeError.excerpt(trimmed(bytes))))
        }
    }
}

extension Field {
    /// Reads a value as the field wants it: words, commas and units where they are allowed, codes that mean nothing.
    /// `isSimple`: there is none of these.
    func value(of bytes: UnsafeRawBufferPointer, conversion: Conversion, isSimple: Bool = false) -> FieldValue {
        if isSimple { return FieldValue(plain: bytes, conversion) }
        let text = NumberText.unquoted(trimmed(bytes))
        for word in words where text.elementsEqual(word.text) { return .value(word.value) }
        if hasOnlyWords { return .noValue }
        switch NumberText(text) {
        case .noValue: return .noValue
        case .number(let decimal): return finished(conversion.thousandths(decimal))
        case .notANumber:
            guard takesComma || takesUnit, let loose = looseValue(text, conversion) else {
                return .wrong(.notANumber(DecodeError.excerpt(text)))
            }
            return loose
        }
    }

    /// Nil did not fit.
    func finished(_ converted: Int64?) -> FieldValue {
        guard var value = converted else { return .wrong(.outOfRange) }
        if noValue.contains(value) { return .noValue }
        if mayBePercent, value.magnitude > 1200 {
            value = Thousandths.from(DecimalText(mantissa: Int128(value), exponent: -5)) ?? value
        }
        return .value(value)
    }

    /// `231,4`, `231.4 V`, `0,482kW`.
    private func looseValue(_ text: UnsafeRawBufferPointer, _ conversion: Conversion) -> FieldValue? {
        guard text.count <= DecimalText.maximumLength else { return nil }
        var digits = Array(text)
        var conversion = conversion
        if takesUnit {
            let end = digits.lastIndex { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") || $0 == UInt8(ascii: ".") }
            guard let end else { return nil }
            let unit = digits[(end + 1)...].drop { $0 == 0x20 }
            if !unit.isEmpty {
                let name = String(decoding: unit, as: UTF8.self)
                guard let stated = Conversion(unit: name, of: quantity) else { return .wrong(.unknownUnit(name)) }
                conversion = stated
            }
            digits.removeSubrange((end + 1)...)
        }
        if takesComma, !digits.contains(UInt8(ascii: ".")), let comma = digits.firstIndex(of: UInt8(ascii: ",")) {
            digits[comma] = UInt8(ascii: ".")
        }
        return DecimalText(utf8: digits).map { finished(conversion.thousandths($0)) }
    }
}
