import ReadingLog
import Records
import Timekeeping

/// What a block file says about itself in its last bytes.
struct BlockFooter: Hashable, Sendable {
    static let version: UInt16 = 2
    /// Of version 2; the last `fixedLength` bytes have the same layout in all versions.
    static let length = fixedLength + extensionLength
    static let fixedLength = 80
    static let extensionLength = 24
    static let magic = Array("energydb".utf8)
    /// No seal ever gets there.
    static let maximumSequence: UInt64 = 1 << 62

    var version: UInt16 = BlockFooter.version
    var tier: HistoryTier = .raw
    /// Rises with each file; where two files have something for one instant, the higher one's is right.
    var sequence: UInt64
    /// The lowest sequence of the files that this one was made of, its own where it was made of none. It stands for all
    /// from there to its own.
    var firstSequence: UInt64
    /// What the log had given up to here is in this file or an earlier one.
    var cursor: Cursor
    /// Log time at the cursor.
    var wall: Timestamp
    /// Log time where the file begins: at the cursor of the one before.
    var since: Timestamp
    var first: Timestamp
    var last: Timestamp
    var entryCount: UInt32
    var indexLength: UInt32
    /// Of the index when it is decompressed.
    var indexContentLength: UInt32 = 0
    var indexChecksum: UInt32

    var encodedLength: Int { version == 1 ? BlockFooter.fixedLength : BlockFooter.length }

    func encoded() -> [UInt8] {
        var head = ByteWriter(capacity: BlockFooter.length)
        head.fixed(firstSequence)
        head.fixed(since.milliseconds)
        head.fixed(indexContentLength)
        head.fixed(head.bytes.withUnsafeBytes { CRC32C.update(0, $0) })
        var writer = ByteWriter(capacity: BlockFooter.fixedLength)
        writer.fixed(sequence)
        writer.fixed(cursor.epoch)
        writer.fixed(cursor.offset)
        writer.fixed(wall.milliseconds)
        writer.fixed(first.milliseconds)
        writer.fixed(last.milliseconds)
        writer.fixed(entryCount)
        writer.fixed(indexLength)
        writer.fixed(indexChecksum)
        writer.fixed(UInt32(0))
        writer.fixed(version)
        writer.fixed(UInt16(tier.rawValue))
        writer.fixed(writer.bytes.withUnsafeBytes { CRC32C.update(0, $0) })
        return head.bytes + writer.bytes + BlockFooter.magic
    }

    enum Failure: Error {
        case damaged
        /// A later version.
        case newer
    }

    /// From the last `length` bytes of a file, or fewer where it is shorter.
    static func decode(_ bytes: [UInt8]) throws(Failure) -> BlockFooter {
        guard bytes.count >= fixedLength, bytes.suffix(8).elementsEqual(magic) else { throw .damaged }
        let result: Result<BlockFooter, Failure> = bytes.withUnsafeBytes { buffer in
            let fixed = UnsafeRawBufferPointer(rebasing: buffer[(buffer.count - fixedLength)...])
            do throws(RecordError) {
                guard var footer = try decodeFixed(fixed) else { return .failure(.damaged) }
                if footer.version > BlockFooter.version { return .failure(.newer) }
                if footer.version >= 2 {
                    guard buffer.count == length else { return .failure(.damaged) }
                    let isWhole = try footer.readExtension(
                        UnsafeRawBufferPointer(rebasing: buffer[..<extensionLength]))
                    guard isWhole else { return .failure(.damaged) }
                }
                return footer.isPossible ? .success(footer) : .failure(.damaged)
            } catch {
                return .failure(.damaged)
            }
        }
        return try result.get()
    }

    /// Whether it says nothing that no file can say: its checksum does not tell who wrote it.
    private var isPossible: Bool {
        [wall, since, first, last].allSatisfy { PointColumns.timeRange.contains($0.milliseconds) } && first <= last
            && sequence < BlockFooter.maximumSequence && firstSequence <= sequence
            && Int(indexLength) <= BlockIndex.maximumLength
    }

    /// Nil for damage.
    private static func decodeFixed(_ bytes: UnsafeRawBufferPointer) throws(RecordError) -> BlockFooter? {
        var reader = ByteReader(bytes)
        let checksum = CRC32C.update(0, UnsafeRawBufferPointer(rebasing: bytes[..<(fixedLength - 12)]))
        let sequence: UInt64 = try reader.fixed()
        var footer = BlockFooter(
            sequence: sequence, firstSequence: sequence,
            cursor: Cursor(epoch: try reader.fixed(), offset: try reader.fixed()),
            wall: Timestamp(milliseconds: try reader.fixed()), since: Timestamp(milliseconds: 0),
            first: Timestamp(milliseconds: try reader.fixed()), last: Timestamp(milliseconds: try reader.fixed()),
            entryCount: try reader.fixed(), indexLength: try reader.fixed(), indexChecksum: try reader.fixed())
        // Version 1 does not say; it had two hours in a file.
        footer.since = min(footer.first, footer.wall)
        _ = try reader.fixed(UInt32.self)
        footer.version = try reader.fixed()
        let tier: UInt16 = try reader.fixed()
        guard try reader.fixed(UInt32.self) == checksum else { return nil }
        if footer.version > version { return footer }
        guard footer.version > 0, let tier = HistoryTier(rawValue: Int(tier)) else { return nil }
        footer.tier = tier
        return footer
    }

    /// False for damage.
    private mutating func readExtension(_ bytes: UnsafeRawBufferPointer) throws(RecordError) -> Bool {
        var reader = ByteReader(bytes)
        let checksum = CRC32C.update(0, UnsafeRawBufferPointer(rebasing: bytes[..<20]))
        firstSequence = try reader.fixed()
        since = Timestamp(milliseconds: try reader.fixed())
        indexContentLength = try reader.fixed()
        return try reader.fixed(UInt32.self) == checksum
    }
}
