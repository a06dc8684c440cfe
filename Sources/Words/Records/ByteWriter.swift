/// Appends little-endian integers, varints and length-prefixed bytes.
public struct ByteWriter: Sendable {
    /// All that was written.
    public var bytes: [UInt8]

    /// `capacity` spares growing where the size is known.
    public init(capacity: Int = 0) {
        bytes = []
        bytes.reserveCapacity(capacity)
    }

    /// All bytes of an integer, low byte first.
    public mutating func fixed<T: FixedWidthInteger>(_ value: T) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    /// LEB128: seven bits a byte, low bits first, at most ten bytes.
    public mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    /// Zigzag, so that small negative numbers stay short.
    public mutating func signed(_ value: Int64) {
        varint(UInt64(bitPattern: (value << 1) ^ (value >> 63)))
    }

    /// A length and that many bytes.
    public mutating func prefixed(_ content: some Collection<UInt8>) {
        varint(UInt64(content.count))
        bytes.append(contentsOf: content)
    }

    /// One tagged field: tag, length, content.
    public mutating func field(_ tag: UInt64, _ content: some Collection<UInt8>) {
        varint(tag)
        prefixed(content)
    }

    /// A text, cut at a character of at most `limit` bytes: a longer one would be refused by every reader, and with it
    /// the frame.
    public mutating func field(_ tag: UInt64, text: String, limit: Int) {
        let all = text.utf8
        guard all.count > limit else { return field(tag, all) }
        var end = all.index(all.startIndex, offsetBy: limit)
        // Back to the first byte of a character, which is not 10xxxxxx.
        while all[end] & 0xC0 == 0x80 { end = all.index(before: end) }
        field(tag, all[..<end])
    }

    /// A zigzag integer as a field.
    public mutating func field(_ tag: UInt64, signed value: Int64) {
        field(tag) { $0.signed(value) }
    }

    /// An integer as a field.
    public mutating func field(_ tag: UInt64, unsigned value: UInt64) {
        field(tag) { $0.varint(value) }
    }

    /// A field whose content is built in place.
    public mutating func field(_ tag: UInt64, nested build: (inout ByteWriter) -> Void) {
        varint(tag)
        prefixed(nested: build)
    }

    /// A length and what `build` appends. The content is moved up when its length needs more than one byte, which is
    /// cheaper than a buffer of its own for each.
    @inline(__always)
    public mutating func prefixed(nested build: (inout ByteWriter) -> Void) {
        let start = bytes.count
        bytes.append(0)
        build(&self)
        var rest = UInt64(bytes.count - start - 1)
        if rest >= 0x80 {
            var prefix = ByteWriter(capacity: 4)
            prefix.varint(rest >> 7)
            bytes.insert(contentsOf: prefix.bytes, at: start + 1)
            rest = rest & 0x7F | 0x80
        }
        bytes[start] = UInt8(rest)
    }
}
