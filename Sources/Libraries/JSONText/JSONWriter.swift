/// Writes JSON text: numbers exactly as given, no floats, no reflection.
public struct JSONWriter: Sendable {
    /// What was written since the start, or since `take`.
    public private(set) var bytes: [UInt8] = []
    /// Whether the next value at each open level needs a comma before it.
    private var needsComma: [Bool] = [false]

    public init() {}

    /// `[…]` around the values that `body` writes.
    public mutating func array(_ body: (inout JSONWriter) throws -> Void) rethrows {
        beginArray()
        try body(&self)
        endArray()
    }

    /// For an array that is written in parts: what follows is in it until `endArray`.
    public mutating func beginArray() { open(UInt8(ascii: "[")) }
    /// Traps unless it closes what `beginArray` opened.
    public mutating func endArray() { close(UInt8(ascii: "]")) }

    /// `{…}` around the keys and values that `body` writes.
    public mutating func object(_ body: (inout JSONWriter) throws -> Void) rethrows {
        open(UInt8(ascii: "{"))
        try body(&self)
        close(UInt8(ascii: "}"))
    }

    /// The next value is the member of that name. Names stand in this source code, so they need no escapes.
    public mutating func key(_ name: StaticString) {
        separate()
        bytes.append(UInt8(ascii: "\""))
        name.withUTF8Buffer { bytes.append(contentsOf: $0) }
        bytes.append(UInt8(ascii: "\""))
        bytes.append(UInt8(ascii: ":"))
        needsComma[needsComma.count - 1] = false
    }

    /// The same for a name that is made at run time.
    public mutating func key(text name: String) {
        text(name)
        bytes.append(UInt8(ascii: ":"))
        needsComma[needsComma.count - 1] = false
    }

    /// A number or literal that is JSON already, such as what `Thousandths.text` returns.
    public mutating func raw(_ text: String) {
        separate()
        bytes.append(contentsOf: text.utf8)
    }

    /// Not known.
    public mutating func null() {
        raw("null")
    }

    /// `true` or `false`.
    public mutating func bool(_ value: Bool) {
        raw(value ? "true" : "false")
    }

    /// All digits, also beyond what a double holds.
    public mutating func number(_ value: some FixedWidthInteger) {
        raw(String(value))
    }

    /// A string, escaped where JSON wants it.
    public mutating func text(_ value: String) {
        separate()
        bytes.append(UInt8(ascii: "\""))
        for byte in value.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"):
                bytes.append(UInt8(ascii: "\\"))
                bytes.append(byte)
            case 0x0A: bytes.append(contentsOf: Array("\\n".utf8))
            case 0x0D: bytes.append(contentsOf: Array("\\r".utf8))
            case 0x09: bytes.append(contentsOf: Array("\\t".utf8))
            case 0..<0x20, 0x7F:
                let digits = Array("0123456789abcdef".utf8)
                bytes.append(contentsOf: Array("\\u00".utf8))
                bytes.append(digits[Int(byte >> 4)])
                bytes.append(digits[Int(byte & 15)])
            default: bytes.append(byte)
            }
        }
        bytes.append(UInt8(ascii: "\""))
    }

    /// A member; null for nil. So are the others.
    public mutating func field(_ name: StaticString, text value: String?) {
        key(name)
        if let value { text(value) } else { null() }
    }

    /// As `raw`.
    public mutating func field(_ name: StaticString, raw value: String?) {
        key(name)
        raw(value ?? "null")
    }

    /// As `number`.
    public mutating func field(_ name: StaticString, number value: (some FixedWidthInteger)?) {
        key(name)
        if let value { number(value) } else { null() }
    }

    /// As `bool`.
    public mutating func field(_ name: StaticString, bool value: Bool) {
        key(name)
        bool(value)
    }

    /// Ends a line of a stream; the next value starts without a comma.
    public mutating func newline() {
        bytes.append(0x0A)
        needsComma[needsComma.count - 1] = false
    }

    /// Hands out what was written so far and starts an empty buffer, levels kept: for streaming.
    public mutating func take() -> [UInt8] {
        defer { bytes.removeAll(keepingCapacity: true) }
        return bytes
    }

    private mutating func separate() {
        if needsComma[needsComma.count - 1] { bytes.append(UInt8(ascii: ",")) }
        needsComma[needsComma.count - 1] = true
    }

    private mutating func open(_ bracket: UInt8) {
        separate()
        bytes.append(bracket)
        needsComma.append(false)
    }

    private mutating func close(_ bracket: UInt8) {
        precondition(needsComma.count > 1)
        needsComma.removeLast()
        bytes.append(bracket)
    }
}

/// What can be sent as one JSON value.
public protocol JSONEncodable: Sendable {
    /// Writes exactly one value.
    func encode(to json: inout JSONWriter)
}

extension JSONWriter {
    /// A member that is an array.
    public mutating func field(_ name: StaticString, list: [some JSONEncodable]) {
        key(name)
        array { json in
            for item in list { item.encode(to: &json) }
        }
    }
}
