/// Appends little-endian integers, varints and length-prefixed bytes.
package struct ByteWriter: Sendable {
    package var bytes: [UInt8]

    package init(capacity: Int = 0) {
        bytes = []
        bytes.reserveCapacity(capacity)
    }

    package mutating func fixed<T: FixedWidthInteger>(_ value: T) {
        withUnsafeBytes(of: value.littleEndian) { bytes.append(contentsOf: $0) }
    }

    /// LEB128: seven bits a byte, low bits first, at most ten bytes.
    package mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        bytes.append(UInt8(rest))
    }

    /// Zigzag, so that small negative numbers stay short.
    package mutating func signed(_ value: Int64) {
        varint(UInt64(bitPattern: (value << 1) ^ (value >> 63)))
    }

    package mutating func prefixed(_ content: some Collection<UInt8>) {
        varint(UInt64(content.count))
        bytes.append(contentsOf: content)
    }

    /// One tagged field: tag, length, content.
    package mutating func field(_ tag: UInt64, _ content: some Collection<UInt8>) {
        varint(tag)
        prefixed(content)
    }

    package mutating func field(_ tag: UInt64, text: String) {
        field(tag, text.utf8)
    }

    package mutating func field(_ tag: UInt64, signed value: Int64) {
        var content = ByteWriter()
        content.signed(value)
        field(tag, content.bytes)
    }

    package mutating func field(_ tag: UInt64, unsigned value: UInt64) {
        var content = ByteWriter()
        content.varint(value)
        field(tag, content.bytes)
    }

    package mutating func field(_ tag: UInt64, nested build: (inout ByteWriter) -> Void) {
        var content = ByteWriter()
        build(&content)
        field(tag, content.bytes)
    }
}
