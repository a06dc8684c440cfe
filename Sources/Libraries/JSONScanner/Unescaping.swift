/// The bytes of a string whose escapes the scan has already checked: every one is whole and every surrogate paired.
func unescaped(_ text: UnsafeRawBufferPointer) -> [UInt8] {
    var bytes: [UInt8] = []
    bytes.reserveCapacity(text.count)
    var at = 0
    while at < text.count {
        guard text[at] == UInt8(ascii: "\\") else {
            bytes.append(text[at])
            at += 1
            continue
        }
        let letter = text[at + 1]
        guard letter == UInt8(ascii: "u") else {
            bytes.append(control(letter))
            at += 2
            continue
        }
        var scalar = codeUnit(text, at + 2)
        at += 6
        if (0xD800...0xDBFF).contains(scalar) {
            scalar = 0x10000 + (scalar - 0xD800) << 10 + (codeUnit(text, at + 2) - 0xDC00)
            at += 6
        }
        guard let character = Unicode.Scalar(scalar) else { preconditionFailure("an unchecked JSON escape") }
        bytes.append(contentsOf: UTF8.encode(character)!)
    }
    return bytes
}

private func control(_ letter: UInt8) -> UInt8 {
    switch letter {
    case UInt8(ascii: "b"): 0x08
    case UInt8(ascii: "f"): 0x0C
    case UInt8(ascii: "n"): 0x0A
    case UInt8(ascii: "r"): 0x0D
    case UInt8(ascii: "t"): 0x09
    default: letter
    }
}

private func codeUnit(_ text: UnsafeRawBufferPointer, _ start: Int) -> UInt32 {
    var value: UInt32 = 0
    for byte in text[start..<start + 4] {
        value = value << 4 + UInt32(byte <= UInt8(ascii: "9") ? byte - 0x30 : (byte | 0x20) - 0x61 + 10)
    }
    return value
}
