/// The kernel's identity of one boot, so that monotonic times of two boots are never compared.
package struct BootID: Hashable, Sendable, CustomStringConvertible {
    /// Always sixteen.
    package let bytes: [UInt8]

    package init(bytes: [UInt8]) {
        precondition(bytes.count == 16)
        self.bytes = bytes
    }

    /// Reads the text of `/proc/sys/kernel/random/boot_id`: 32 hexadecimal digits, hyphens and blanks ignored.
    package init?(text: some StringProtocol) {
        var digits: [UInt8] = []
        for byte in text.utf8 where byte != UInt8(ascii: "-") && byte != UInt8(ascii: "\n") {
            guard let digit = Character(UnicodeScalar(byte)).hexDigitValue, digits.count < 32 else { return nil }
            digits.append(UInt8(digit))
        }
        guard digits.count == 32 else { return nil }
        bytes = (0..<16).map { digits[2 * $0] << 4 | digits[2 * $0 + 1] }
    }

    package var description: String {
        bytes.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
    }
}
