import Records

/// Integers as one byte each, with further bytes for the few large ones in a stream of their own: a column of small
/// numbers is then a column of bytes, which zstd's entropy stage takes near to its limit. Table: `BlockFormat.md`.
enum Code {
    /// Codes below stand for themselves.
    static let direct: UInt64 = 192
    /// Codes from `direct` to here take one further byte.
    static let short: UInt64 = direct + 60 * 256
    static let two: UInt8 = 252
    static let three: UInt8 = 253
    static let four: UInt8 = 254
    static let eight: UInt8 = 255

    /// Small for small magnitudes: 0, −1, 1, −2 → 0, 1, 2, 3.
    @inline(__always)
    static func zigzag(_ value: Int64) -> UInt64 { UInt64(bitPattern: (value << 1) ^ (value >> 63)) }

    @inline(__always)
    static func signed(_ code: UInt64) -> Int64 { Int64(bitPattern: (code >> 1) ^ (0 &- (code & 1))) }
}

/// Columns of codes as they are written: a byte for each integer, column after column, then the further bytes.
struct CodeWriter {
    private let bytes: UnsafeMutableRawPointer
    private let limit: Int
    private var count = 0
    private var end: Int

    /// Calls `body` to write `count` integers, and `use` with all that was written.
    static func write<Result>(
        count: Int, _ body: (inout CodeWriter) -> Void, _ use: (UnsafeRawBufferPointer) -> Result
    ) -> Result {
        // Further bytes are written as whole words.
        withUnsafeTemporaryAllocation(byteCount: 9 * count + 8, alignment: 8) { room in
            guard let base = room.baseAddress else { preconditionFailure("no room for codes") }
            var writer = CodeWriter(base, count: count)
            body(&writer)
            precondition(writer.count == count, "columns are shorter than they were said to be")
            return use(UnsafeRawBufferPointer(rebasing: room[..<writer.end]))
        }
    }

    private init(_ bytes: UnsafeMutableRawPointer, count: Int) {
        self.bytes = bytes
        (limit, end) = (count, count)
    }

    @inline(__always)
    mutating func append(_ value: UInt64) {
        precondition(count < limit)
        if value < Code.direct {
            put(UInt8(truncatingIfNeeded: value))
        } else if value < Code.short {
            let rest = value &- Code.direct
            put(UInt8(truncatingIfNeeded: Code.direct &+ rest >> 8))
            put(further: rest, 1)
        } else {
            appendLong(value)
        }
    }

    @inline(__always)
    mutating func append(signed value: Int64) { append(Code.zigzag(value)) }

    @inline(__always)
    private mutating func put(_ byte: UInt8) {
        bytes.storeBytes(of: byte, toByteOffset: count, as: UInt8.self)
        count &+= 1
    }

    /// Of each integer at most eight.
    @inline(__always)
    private mutating func put(further word: UInt64, _ length: Int) {
        bytes.storeBytes(of: word.littleEndian, toByteOffset: end, as: UInt64.self)
        end &+= length
    }

    private mutating func appendLong(_ value: UInt64) {
        switch value {
        case ..<(1 << 16):
            put(Code.two)
            put(further: value, 2)
        case ..<(1 << 24):
            put(Code.three)
            put(further: value, 3)
        case ..<(1 << 32):
            put(Code.four)
            put(further: value, 4)
        default:
            put(Code.eight)
            put(further: value, 8)
        }
    }
}

/// Reads what `CodeWriter` wrote, column by column.
struct CodeReader {
    private let bytes: UnsafeRawBufferPointer
    private var position = 0
    private var further: Int

    /// `count` integers in all columns together.
    init(_ bytes: UnsafeRawBufferPointer, count: Int) throws(RecordError) {
        guard count <= bytes.count else { throw RecordError(.truncated, at: 0) }
        self.bytes = bytes
        further = count
    }

    /// Whether all bytes have been used, as they must be at the end.
    var isAtEnd: Bool { further == bytes.count }

    @inline(__always)
    mutating func next() throws(RecordError) -> UInt64 {
        // Columns are as long as the count that the initializer checked.
        let code = bytes[position]
        position += 1
        if code < UInt8(Code.direct) { return UInt64(code) }
        return try long(code)
    }

    @inline(__always)
    mutating func nextSigned() throws(RecordError) -> Int64 { Code.signed(try next()) }

    /// Calls `body` with the next `count` integers and 0, 1, 2 … beside them.
    @inline(__always)
    mutating func forEachSigned(_ count: Int, _ body: (Int, Int64) -> Void) throws(RecordError) {
        // Columns are as long as the count that the initializer checked.
        guard count > 0, let codes = bytes.baseAddress else { return }
        let column = codes + position
        position += count
        for i in 0..<count {
            let code = column.load(fromByteOffset: i, as: UInt8.self)
            body(i, Code.signed(code < UInt8(Code.direct) ? UInt64(code) : try long(code)))
        }
    }

    private mutating func long(_ code: UInt8) throws(RecordError) -> UInt64 {
        let length: Int
        switch code {
        case Code.two: length = 2
        case Code.three: length = 3
        case Code.four: length = 4
        case Code.eight: length = 8
        default: length = 1
        }
        guard bytes.count - further >= length else { throw RecordError(.truncated, at: further) }
        defer { further += length }
        if length == 1 { return Code.direct + (UInt64(code) - Code.direct) << 8 + UInt64(bytes[further]) }
        var value: UInt64 = 0
        for i in 0..<length { value |= UInt64(bytes[further + i]) << UInt64(8 * i) }
        return value
    }
}
