import Compression
import Records

/// Blocks from bytes, of every codec there has been.
enum BlockCodec {
    /// Points of codec 1 or 2; an unknown codec is `newerFormat`.
    static func points(
        _ bytes: UnsafeRawBufferPointer, _ scratch: DecodingScratch
    ) throws(RecordError) -> PointColumns {
        var reader = ByteReader(bytes)
        switch try reader.fixed(UInt8.self) {
        case VarintBlock.code: return try VarintBlock.decode(&reader)
        case PointBlock.code: return try PointBlock.decode(&reader, scratch)
        default: throw RecordError(.newerFormat, at: 0)
        }
    }

    /// Buckets of codec 3; an unknown codec is `newerFormat`.
    static func buckets(
        _ bytes: UnsafeRawBufferPointer, _ scratch: DecodingScratch
    ) throws(RecordError) -> BucketColumns {
        var reader = ByteReader(bytes)
        guard try reader.fixed(UInt8.self) == BucketBlock.code else { throw RecordError(.newerFormat, at: 0) }
        return try BucketBlock.decode(&reader, scratch)
    }
}

extension ByteWriter {
    /// Shorter contents are not compressed: a frame's own tables would take what it saves.
    private static let leastCompressed = 64

    /// The content's length × 2 and the content; where that is shorter, the length × 2 + 1 and a zstd frame.
    mutating func payload(_ content: UnsafeRawBufferPointer, _ compressor: ZstdCompressor) {
        withUnsafeTemporaryAllocation(byteCount: max(1, content.count), alignment: 1) { room in
            let length = content.count < ByteWriter.leastCompressed ? 0 : compressor.compress(content, into: room) ?? 0
            let isShorter = length > 0 && length < content.count
            varint(UInt64(content.count) << 1 | (isShorter ? 1 : 0))
            bytes.append(contentsOf: isShorter ? UnsafeRawBufferPointer(rebasing: room[..<length]) : content)
        }
    }
}

extension ByteReader {
    /// The rest, as `ByteWriter.payload` wrote it: `codes` integers, all of which `body` must use.
    mutating func payload<Result>(
        codes: Int, _ scratch: DecodingScratch, _ body: (inout CodeReader) throws(RecordError) -> Result
    ) throws(RecordError) -> Result {
        let start = position
        // No integer takes more than nine bytes, so a larger content is damage, not a reason to allocate.
        let head = try varint()
        let isCompressed = head & 1 != 0
        guard let length = Int(exactly: head >> 1), length >= codes, length <= 9 * codes else {
            throw RecordError(.badValue, at: start)
        }
        let stored = wholeRest()
        if !isCompressed {
            guard stored.count == length else { throw RecordError(.truncated, at: start) }
            return try ByteReader.use(stored, codes, body)
        }
        let room = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, length), alignment: 8)
        defer { room.deallocate() }
        let content = UnsafeMutableRawBufferPointer(rebasing: room[..<length])
        guard scratch.zstd.decompress(stored, into: content) else { throw RecordError(.badValue, at: start) }
        return try ByteReader.use(UnsafeRawBufferPointer(content), codes, body)
    }

    private static func use<Result>(
        _ bytes: UnsafeRawBufferPointer, _ codes: Int, _ body: (inout CodeReader) throws(RecordError) -> Result
    ) throws(RecordError) -> Result {
        var content = try CodeReader(bytes, count: codes)
        let result = try body(&content)
        guard content.isAtEnd else { throw RecordError(.badValue, at: bytes.count) }
        return result
    }
}

extension Array where Element: BitwiseCopyable {
    /// `count` elements that `fill` sets, all of them.
    @inline(__always)
    init<Failure: Error>(
        count: Int, _ fill: (UnsafeMutableBufferPointer<Element>) throws(Failure) -> Void
    ) throws(Failure) {
        var failure: Failure?
        self.init(unsafeUninitializedCapacity: count) { buffer, filled in
            do throws(Failure) {
                try fill(UnsafeMutableBufferPointer(rebasing: buffer[..<count]))
                filled = count
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
    }
}
