/// Reads what `ByteWriter` wrote; every read is checked against the end. The position counts from the start of the
/// buffer, so that an error names where it is.
public struct ByteReader {
    private let bytes: UnsafeRawBufferPointer
    /// Bytes read so far.
    public private(set) var position: Int

    /// `bytes` must outlive the reader.
    public init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
        self.position = 0
    }

    /// Whether nothing is left.
    public var isAtEnd: Bool { position == bytes.count }
    /// Bytes not read yet.
    public var remaining: Int { bytes.count - position }

    /// An integer of the size of `T`, low byte first.
    public mutating func fixed<T: FixedWidthInteger>(_ type: T.Type = T.self) throws(RecordError) -> T {
        let size = MemoryLayout<T>.size
        guard remaining >= size else { throw RecordError(.truncated, at: position) }
        let value = bytes.loadUnaligned(fromByteOffset: position, as: T.self)
        position += size
        return T(littleEndian: value)
    }

    /// LEB128 of at most 64 bits. Forms longer than needed are read, though never written.
    @inline(__always)
    public mutating func varint() throws(RecordError) -> UInt64 {
        if position < bytes.count {
            let first = bytes[position]
            if first < 0x80 {
                position += 1
                return UInt64(first)
            }
        }
        return try longVarint()
    }

    @inline(__always)
    private mutating func longVarint() throws(RecordError) -> UInt64 {
        if bytes.count - position >= 8 {
            // One load; a branch for each length, because its guess lets the next integer begin before this one is
            // done.
            let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: position, as: UInt64.self))
            if word & 0x8000 == 0 {
                position &+= 2
                return word & 0x7F | word >> 1 & 0x3F80
            }
            let pairs = word & 0x007F_007F_007F_007F | word >> 1 & 0x3F80_3F80_3F80_3F80
            let fours = pairs & 0x0000_3FFF_0000_3FFF | pairs >> 2 & 0x0FFF_C000_0FFF_C000
            if word & 0x80_0000 == 0 {
                position &+= 3
                return fours & 0x1F_FFFF
            }
            if word & 0x8000_0000 == 0 {
                position &+= 4
                return fours & 0x0FFF_FFFF
            }
            let all = fours & 0x0FFF_FFFF | fours >> 4 & 0x00FF_FFFF_F000_0000
            if word & 0x80_0000_0000 == 0 {
                position &+= 5
                return all & 0x7_FFFF_FFFF
            }
            if word & 0x8000_0000_0000 == 0 {
                position &+= 6
                return all & 0x3FF_FFFF_FFFF
            }
        }
        return try longestVarint()
    }

    private mutating func longestVarint() throws(RecordError) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        let start = position
        while position < bytes.count {
            let byte = bytes[position]
            position += 1
            // The tenth byte holds the last bit, and no eleventh may follow.
            if shift == 63, byte > 1 { throw RecordError(.badVarint, at: start) }
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
            shift += 7
        }
        throw RecordError(.truncated, at: start)
    }

    /// A zigzag varint.
    @inline(__always)
    public mutating func signed() throws(RecordError) -> Int64 {
        let raw = try varint()
        return Int64(bitPattern: (raw >> 1) ^ (0 &- (raw & 1)))
    }

    /// A length and that many bytes, as a slice of the buffer.
    public mutating func prefixed(limit: Int = .max) throws(RecordError) -> UnsafeRawBufferPointer {
        let start = position
        let length = try varint()
        guard length <= UInt64(remaining) else { throw RecordError(.truncated, at: start) }
        guard length <= UInt64(limit) else { throw RecordError(.tooLong, at: start) }
        let content = UnsafeRawBufferPointer(rebasing: bytes[position..<position + Int(length)])
        position += Int(length)
        return content
    }

    /// A length and that many bytes of UTF-8; a longer text than `limit` bytes is an error.
    public mutating func text(limit: Int) throws(RecordError) -> String {
        let start = position
        let content = try prefixed(limit: limit)
        guard let text = String(validating: content, as: UTF8.self) else { throw RecordError(.notText, at: start) }
        return text
    }

    /// Calls `body` for each tagged field to the end of the buffer; `body` skips the tags it does not know.
    ///
    /// Of a tag that comes twice the later one counts, unless it is a list. Lacking one of the tags of `required` (a
    /// bit for each tag below 64) is an error.
    public mutating func fields(
        required: UInt64 = 0, _ body: (UInt64, inout ByteReader) throws(RecordError) -> Void
    ) throws(RecordError) {
        var seen: UInt64 = 0
        while !isAtEnd {
            let tag = try varint()
            var content = ByteReader(try prefixed())
            let start = position - content.remaining
            if tag < 64 { seen |= 1 << tag }
            do throws(RecordError) {
                try body(tag, &content)
            } catch {
                throw RecordError(error.kind, at: start + error.position)
            }
        }
        guard seen & required == required else { throw RecordError(.missingField, at: position) }
    }

    /// The rest of this field as text of at most `limit` bytes.
    public mutating func wholeText(limit: Int) throws(RecordError) -> String {
        guard remaining <= limit else { throw RecordError(.tooLong, at: position) }
        let content = UnsafeRawBufferPointer(rebasing: bytes[position...])
        position = bytes.count
        guard let text = String(validating: content, as: UTF8.self) else { throw RecordError(.notText, at: 0) }
        return text
    }

    /// The rest, as a slice of the buffer.
    public mutating func wholeRest() -> UnsafeRawBufferPointer {
        let content = UnsafeRawBufferPointer(rebasing: bytes[position...])
        position = bytes.count
        return content
    }

    /// The rest of this field as bytes.
    public mutating func wholeBytes() -> [UInt8] {
        let content = [UInt8](UnsafeRawBufferPointer(rebasing: bytes[position...]))
        position = bytes.count
        return content
    }
}

/// Bytes that are not a record, and where.
public struct RecordError: Error, Hashable, CustomStringConvertible {
    /// What is wrong; the raw value is the middle of a sentence.
    public enum Kind: String, Sendable {
        case truncated = "ends too early"
        case badVarint = "holds an integer of more than 64 bits"
        case tooLong = "holds a field longer than its limit"
        case notText = "holds text that is not UTF-8"
        case badValue = "holds a value outside its range"
        case missingField = "lacks a field"
        case notAFrame = "is not a frame"
        case newerFormat = "has a newer format than this version reads"
        case badChecksum = "has a wrong checksum"
        /// Internal to the codec: the record is then handed on as one of an unknown kind.
        case unknownCode = "holds a code of a later version"
        case unknownSeries = "names a series that its dictionary lacks"
    }

    /// What is wrong.
    public let kind: Kind
    /// Byte position in the buffer that was read.
    public let position: Int

    /// `position` counts from the start of the buffer.
    public init(_ kind: Kind, at position: Int) {
        self.kind = kind
        self.position = position
    }

    public var description: String { "the record \(kind.rawValue) (at byte \(position))" }
}
