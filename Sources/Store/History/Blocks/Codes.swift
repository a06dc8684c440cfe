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
    private var bytes: UnsafeMutableBufferPointer<UInt8>
    private var count = 0
    private var further: [UInt8] = []

    /// `buffer` has room for every integer that will come.
    init(_ buffer: UnsafeMutableBufferPointer<UInt8>) {
        bytes = buffer
    }

    @inline(__always)
    mutating func append(_ value: UInt64) {
        if value < Code.direct {
            put(UInt8(truncatingIfNeeded: value))
        } else {
            appendLong(value)
        }
    }

    @inline(__always)
    mutating func append(signed value: Int64) { append(Code.zigzag(value)) }

    @inline(__always)
    private mutating func put(_ byte: UInt8) {
        precondition(count < bytes.count)
        bytes[count] = byte
        count += 1
    }

    private mutating func appendLong(_ value: UInt64) {
        if value < Code.short {
            let rest = value - Code.direct
            put(UInt8(Code.direct + rest >> 8))
            further.append(UInt8(truncatingIfNeeded: rest))
            return
        }
        let length: Int
        switch value {
        case ..<(1 << 16): (length, _) = (2, put(Code.two))
        case ..<(1 << 24): (length, _) = (3, put(Code.three))
        case ..<(1 << 32): (length, _) = (4, put(Code.four))
        default: (length, _) = (8, put(Code.eight))
        }
        for i in 0..<length { further.append(UInt8(truncatingIfNeeded: value >> UInt64(8 * i))) }
    }

    /// All that was written.
    func content() -> [UInt8] {
        [UInt8](unsafeUninitializedCapacity: count + further.count) { target, filled in
            filled = UnsafeMutableRawBufferPointer(target).initializeCopy(bytes[..<count], further)
        }
    }
}

extension UnsafeMutableRawBufferPointer {
    fileprivate func initializeCopy(_ first: Slice<UnsafeMutableBufferPointer<UInt8>>, _ second: [UInt8]) -> Int {
        copyBytes(from: UnsafeRawBufferPointer(UnsafeMutableBufferPointer(rebasing: first)))
        UnsafeMutableRawBufferPointer(rebasing: self[first.count...]).copyBytes(from: second)
        return first.count + second.count
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
        var value: UInt64 = 0
        for i in 0..<length { value |= UInt64(bytes[further + i]) << UInt64(8 * i) }
        further += length
        return length == 1 ? Code.direct + (UInt64(code) - Code.direct) << 8 + value : value
    }
}
