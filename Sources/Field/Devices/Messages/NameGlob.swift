/// A pattern for a device's name: `*` is any text, `?` any character, `#` any digit.
struct NameGlob: Hashable, Sendable {
    let pattern: [UInt8]

    init(_ text: String) {
        pattern = Array(text.utf8)
    }

    func matches(_ name: UnsafeRawBufferPointer) -> Bool {
        var (p, n) = (0, 0)
        // Where to go on when the last `*` has to take one byte more.
        var star: (pattern: Int, name: Int)?
        while n < name.count {
            if p < pattern.count, pattern[p] == UInt8(ascii: "*") {
                star = (p + 1, n)
                p += 1
            } else if p < pattern.count, NameGlob.takes(pattern[p], name[n]) {
                p += 1
                n += 1
            } else if let last = star {
                star = (last.pattern, last.name + 1)
                (p, n) = (last.pattern, last.name + 1)
            } else {
                return false
            }
        }
        return pattern[p...].allSatisfy { $0 == UInt8(ascii: "*") }
    }

    private static func takes(_ symbol: UInt8, _ byte: UInt8) -> Bool {
        switch symbol {
        case UInt8(ascii: "?"): true
        case UInt8(ascii: "#"): byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
        default: symbol == byte
        }
    }
}
