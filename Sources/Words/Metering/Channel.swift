/// One measured part of a device: `total`, a phase (`l1`), an output (`0`, `1`), a tariff register (`t1`), a string
/// (`dc1`).
///
/// At most 15 bytes of `a–z`, `0–9` and `_`, so that it is stored inside the value and never allocates.
package struct Channel: Hashable, Comparable, Sendable, CustomStringConvertible {
    /// In bytes; what a Swift string holds without an allocation.
    package static let maximumLength = 15

    /// As it is written in topics, records and answers.
    package let name: String

    /// Nil when `name` is empty, too long or holds another character.
    package init?(_ name: some StringProtocol) {
        let bytes = name.utf8
        guard !bytes.isEmpty, bytes.count <= Channel.maximumLength else { return nil }
        for byte in bytes {
            switch byte {
            case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "_"):
                continue
            default: return nil
            }
        }
        self.name = String(name)
    }

    /// For names written in this source code.
    private init(known name: String) {
        self.name = name
    }

    /// The whole device.
    package static let total = Channel(known: "total")

    /// An independent output or clamp, numbered as the device numbers it; 0 … 999. What a payload claims goes through
    /// `init(_:)` instead.
    package static func output(_ number: Int) -> Channel {
        precondition((0...999).contains(number))
        return Channel(known: String(number))
    }

    /// Phase 1, 2 or 3 of one polyphase circuit.
    package static func phase(_ number: Int) -> Channel {
        precondition((1...3).contains(number))
        return Channel(known: "l\(number)")
    }

    package var description: String { name }

    package static func < (a: Channel, b: Channel) -> Bool {
        a.name < b.name
    }
}
