/// One measured part of a device: `total`, a phase (`l1`), an output (`0`, `1`), a tariff register (`t1`), a string
/// (`dc1`).
///
/// At most 15 bytes of `a–z`, `0–9` and `_`, kept as two integers: a channel is compared and copied with every reading,
/// and neither may cost a call or a reference count.
public struct Channel: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// In bytes.
    public static let maximumLength = 15

    /// The name's bytes from the highest byte of `high` on, zeros after them: integers in the order of the names.
    private let high: UInt64
    private let low: UInt64

    /// Nil when `name` is empty, too long or holds another character.
    public init?(_ name: some StringProtocol) {
        let bytes = name.utf8
        guard !bytes.isEmpty, bytes.count <= Channel.maximumLength, bytes.allSatisfy(Channel.isAllowed) else {
            return nil
        }
        self.init(known: bytes)
    }

    /// The same from bytes.
    public init?(utf8 bytes: UnsafeRawBufferPointer) {
        guard !bytes.isEmpty, bytes.count <= Channel.maximumLength, bytes.allSatisfy(Channel.isAllowed) else {
            return nil
        }
        self.init(known: bytes)
    }

    private init(known bytes: some Sequence<UInt8>) {
        var (high, low): (UInt64, UInt64) = (0, 0)
        var shift: UInt64 = 120
        for byte in bytes {
            if shift >= 64 { high |= UInt64(byte) << (shift - 64) } else { low |= UInt64(byte) << shift }
            shift -= 8
        }
        (self.high, self.low) = (high, low)
    }

    private static func isAllowed(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"): true
        default: false
        }
    }

    /// As it is written in topics, records and answers.
    public var name: String {
        String(unsafeUninitializedCapacity: Channel.maximumLength) { out in
            var count = 0
            while count < Channel.maximumLength {
                let word = count < 8 ? high << UInt64(8 * count) : low << UInt64(8 * (count - 8))
                if word == 0 { break }
                out[count] = UInt8(truncatingIfNeeded: word >> 56)
                count += 1
            }
            return count
        }
    }

    /// The whole device.
    public static let total = Channel(known: "total".utf8)

    /// An independent output or clamp, numbered as the device numbers it; 0 … 999. What a payload claims goes through
    /// `init(_:)` instead.
    public static func output(_ number: Int) -> Channel {
        precondition((0...999).contains(number))
        return Channel(known: String(number).utf8)
    }

    /// Phase 1, 2 or 3 of one polyphase circuit.
    public static func phase(_ number: Int) -> Channel {
        precondition((1...3).contains(number))
        return Channel(known: "l\(number)".utf8)
    }

    public var description: String { name }

    public static func < (a: Channel, b: Channel) -> Bool {
        a.high != b.high ? a.high < b.high : a.low < b.low
    }
}
