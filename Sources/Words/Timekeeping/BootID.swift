/// Which boot of the machine monotonic times belong to: times of different boots cannot be compared.
public struct BootID: Hashable, Sendable, CustomStringConvertible {
    private let value: UInt128

    /// Exactly 16 bytes; any 16 are a boot.
    public init(bytes: some Collection<UInt8>) {
        precondition(bytes.count == 16)
        value = bytes.reduce(0) { $0 << 8 | UInt128($1) }
    }

    /// Reads `xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx`, with or without a line end; nil for anything else.
    public init?(text: some StringProtocol) {
        var bytes = Array(text.utf8.prefix(38))
        if bytes.last == UInt8(ascii: "\n") { bytes.removeLast() }
        guard bytes.count == 36 else { return nil }
        var value: UInt128 = 0
        for (index, byte) in bytes.enumerated() {
            if [8, 13, 18, 23].contains(index) {
                guard byte == UInt8(ascii: "-") else { return nil }
                continue
            }
            let lower = byte | 0x20
            switch byte {
            case UInt8(ascii: "0")...UInt8(ascii: "9"): value = value << 4 | UInt128(byte - UInt8(ascii: "0"))
            case _ where lower >= UInt8(ascii: "a") && lower <= UInt8(ascii: "f"):
                value = value << 4 | UInt128(lower - UInt8(ascii: "a") + 10)
            default: return nil
            }
        }
        self.value = value
    }

    /// The boot that runs now; nil where the kernel does not tell.
    public static func current(path: String = "/proc/sys/kernel/random/boot_id") -> BootID? {
        guard case .success(let bytes) = readSmallFile(path, limit: 64) else { return nil }
        return BootID(text: String(decoding: bytes, as: UTF8.self))
    }

    /// The 16 bytes in the order in which the text shows them.
    public var bytes: [UInt8] {
        (0..<16).map { UInt8(truncatingIfNeeded: value >> (120 - 8 * UInt128($0))) }
    }

    public var description: String {
        var text = ""
        for (index, byte) in bytes.enumerated() {
            if [4, 6, 8, 10].contains(index) { text += "-" }
            text += (byte < 16 ? "0" : "") + String(byte, radix: 16)
        }
        return text
    }
}
