import Compression
import Metering
import ReadingLog
import Records
import Simulation
import Timekeeping

@testable import History

/// A block file taken apart, and put together again with right checksums whatever its parts say.
struct ForgedBlockFile {
    var footer: BlockFooter
    var entries: [BlockEntry]
    /// Of each entry; empty where it has none.
    var blocks: [[UInt8]]
    /// In place of what `entries` give.
    var index: [UInt8]?

    /// A file of one series and one block.
    init(_ tier: HistoryTier, sequence: UInt64 = 1, _ block: [UInt8], count: Int, first: Int64, last: Int64) {
        let (first, last) = (Timestamp(milliseconds: first), Timestamp(milliseconds: last))
        footer = BlockFooter(
            tier: tier, sequence: sequence, firstSequence: sequence, cursor: .oldest, wall: LogWorld.start,
            since: LogWorld.start, first: first, last: last, entryCount: 1, indexLength: 0, indexChecksum: 0)
        entries = [
            BlockEntry(
                key: LogWorld.key(0), position: 0, length: 0, checksum: 0, count: count, first: first, last: last,
                lastValue: 0)
        ]
        blocks = [block]
    }

    /// One that was written by a program.
    init(_ bytes: [UInt8]) throws {
        footer = try BlockFooter.decode(Array(bytes.suffix(BlockFooter.length)))
        let end = bytes.count - footer.encodedLength
        let start = end - Int(footer.indexLength)
        let footer = footer
        entries = try bytes[start..<end].withUnsafeBytes { buffer in
            if footer.version == 1 { return try BlockIndex.decodeVersion1(buffer, blocksEnd: start) }
            var reader = ByteReader(buffer)
            let isCompressed = try reader.varint() & 1 != 0
            var content = [UInt8](reader.wholeRest())
            if isCompressed {
                var unpacked = [UInt8](repeating: 0, count: Int(footer.indexContentLength))
                let isDone = content.withUnsafeBytes { packed in
                    unpacked.withUnsafeMutableBytes { ZstdDecompressor().decompress(packed, into: $0) }
                }
                guard isDone else { throw RecordError(.badValue, at: 0) }
                content = unpacked
            }
            return try content.withUnsafeBytes { try BlockIndex.decode($0, footer: footer, blocksEnd: start) }
        }
        blocks = entries.map { Array(bytes[$0.position..<$0.position + $0.length]) }
    }

    /// The index that tells of the entries, their places and checksums.
    mutating func makeIndex() -> [UInt8] {
        var position = BlockFileWriter.header.count
        for i in entries.indices {
            entries[i].position = position
            entries[i].length = blocks[i].count
            entries[i].checksum = blocks[i].withUnsafeBytes { CRC32C.update(0, $0) }
            position += blocks[i].count
        }
        guard footer.version == 1 else { return BlockIndex.encode(entries, first: footer.first, last: footer.last) }
        var writer = ByteWriter()
        for entry in entries {
            writer.identifier(entry.key.device)
            writer.varint(UInt64(entry.key.quantity.code))
            writer.prefixed(entry.key.channel.name.utf8)
            writer.varint(UInt64(entry.position))
            writer.varint(UInt64(entry.length))
            writer.fixed(entry.checksum)
            writer.varint(UInt64(entry.count))
            writer.signed(entry.first.milliseconds)
            writer.signed(entry.last.milliseconds)
            writer.signed(entry.lastValue)
        }
        return writer.bytes
    }

    mutating func bytes() -> [UInt8] {
        let content = index ?? makeIndex()
        var packed = ByteWriter()
        if footer.version > 1 { packed.varint(UInt64(content.count) << 1) }
        packed.bytes += content
        footer.indexContentLength = UInt32(content.count)
        footer.indexLength = UInt32(packed.bytes.count)
        footer.indexChecksum = packed.bytes.withUnsafeBytes { CRC32C.update(0, $0) }
        let end = footer.encoded()
        let header = footer.version == 1 ? Array("energyd blocks1\n".utf8) : BlockFileWriter.header
        return header + blocks.joined() + packed.bytes + (footer.version == 1 ? end.suffix(80) : end[...])
    }
}

/// Block by block, as `BlockFormat.md` has it, with whatever numbers.
enum ForgedBlock {
    /// Codec 3 without columns of starts and counts; `content` are the codes.
    static func buckets(
        count: UInt64, step: UInt64, index: Int64, values: Int64, sums: [Int128]? = nil, _ content: [UInt8]
    ) -> [UInt8] {
        var writer = ByteWriter()
        writer.fixed(UInt8(3))
        writer.varint(count)
        writer.varint(step)
        writer.signed(index)
        writer.signed(values)
        writer.signed(0)
        writer.varint(1)
        writer.fixed(UInt8(sums == nil ? 3 : 7))
        for sum in sums ?? [] { writer.fixed(sum) }
        writer.varint(UInt64(content.count) << 1)
        writer.bytes += content
        return writer.bytes
    }

    /// Codec 2 with a column of times: a step of 0, and each further time as far after the one before as `steps` say.
    static func points(_ first: Int64, _ steps: [Int64], moved: UInt64 = 0) -> [UInt8] {
        var writer = ByteWriter()
        writer.fixed(UInt8(2))
        writer.varint(UInt64(steps.count + 1))
        writer.signed(first)
        writer.varint(moved)
        writer.varint(0)
        writer.signed(0)
        writer.varint(1)
        writer.fixed(UInt8(2))
        let content = CodeWriter.write(count: steps.count) { codes in
            for step in steps { codes.append(signed: step) }
        } _: {
            Array($0)
        }
        writer.varint(UInt64(content.count) << 1)
        writer.bytes += content
        return writer.bytes
    }

    /// Codec 1.
    static func version1(_ first: Int64, _ steps: [Int64] = []) -> [UInt8] {
        var writer = ByteWriter()
        writer.fixed(UInt8(1))
        writer.varint(UInt64(steps.count + 1))
        writer.varint(1)
        writer.signed(first)
        writer.signed(0)
        for step in steps {
            writer.signed(step)
            writer.signed(1)
        }
        return writer.bytes
    }
}
