import Compression
import Disk
import Metering
import Records
import Timekeeping

/// A block file as History knows it.
final class BlockFile: Sendable {
    let path: String
    let size: Int64
    let footer: BlockFooter

    init(path: String, size: Int64, footer: BlockFooter) {
        self.path = path
        self.size = size
        self.footer = footer
    }

    static func name(_ footer: BlockFooter) -> String {
        "\(footer.first.milliseconds)-\(footer.last.milliseconds)-\(footer.firstSequence).\(footer.sequence).blk"
    }

    var tier: HistoryTier { footer.tier }
    var sequences: ClosedRange<UInt64> { footer.firstSequence...footer.sequence }

    /// Whether `other` was made of this file, or has all of what it has.
    func lies(within other: BlockFile) -> Bool {
        other.footer.firstSequence <= footer.firstSequence && footer.sequence <= other.footer.sequence
    }

    enum Opened {
        case good(BlockFile)
        case newer
        case damaged
    }

    /// Reads the footer only.
    static func open(_ path: String, in fileSystem: any FileSystem) throws(DiskError) -> Opened {
        let file = try fileSystem.open(path, .read)
        defer { file.close() }
        let size = try file.size()
        let shortest = BlockFooter.fixedLength + BlockFileWriter.header.count
        guard size >= Int64(shortest) else { return .damaged }
        let length = min(BlockFooter.length, Int(size) - BlockFileWriter.header.count)
        let tail = try file.read(at: size - Int64(length), count: length)
        do throws(BlockFooter.Failure) {
            return .good(BlockFile(path: path, size: size, footer: try BlockFooter.decode(tail)))
        } catch {
            return error == .newer ? .newer : .damaged
        }
    }

    /// The index in the order of keys; nil for damage.
    func entries(_ file: any File, _ scratch: DecodingScratch) throws(DiskError) -> [BlockEntry]? {
        let start = size - Int64(footer.encodedLength) - Int64(footer.indexLength)
        guard start >= Int64(BlockFileWriter.header.count) else { return nil }
        let bytes = try file.read(at: start, count: Int(footer.indexLength))
        guard bytes.count == Int(footer.indexLength) else { return nil }
        return bytes.withUnsafeBytes { buffer in
            guard CRC32C.update(0, buffer) == footer.indexChecksum else { return nil }
            do throws(RecordError) {
                let entries =
                    footer.version == 1
                    ? try BlockIndex.decodeVersion1(buffer, blocksEnd: Int(start))
                    : try unpack(buffer, scratch, blocksEnd: Int(start))
                return entries.count == Int(footer.entryCount) ? entries : nil
            } catch {
                return nil
            }
        }
    }

    private func unpack(
        _ bytes: UnsafeRawBufferPointer, _ scratch: DecodingScratch, blocksEnd: Int
    ) throws(RecordError) -> [BlockEntry] {
        var reader = ByteReader(bytes)
        let head = try reader.varint()
        let length = Int(footer.indexContentLength)
        guard head >> 1 == UInt64(length), length <= BlockIndex.maximumLength else {
            throw RecordError(.badValue, at: 0)
        }
        let stored = reader.wholeRest()
        if head & 1 == 0 { return try BlockIndex.decode(stored, footer: footer, blocksEnd: blocksEnd) }
        let room = UnsafeMutableRawBufferPointer.allocate(byteCount: max(1, length), alignment: 8)
        defer { room.deallocate() }
        let content = UnsafeMutableRawBufferPointer(rebasing: room[..<length])
        guard scratch.zstd.decompress(stored, into: content) else { throw RecordError(.badValue, at: 0) }
        return try BlockIndex.decode(UnsafeRawBufferPointer(content), footer: footer, blocksEnd: blocksEnd)
    }
}

extension BlockError {
    init(noIndexIn file: BlockFile) {
        self.init(path: file.path, position: 0, reason: "the index is damaged or cannot be read")
    }
}
