import Disk
import Metering
import Records
import Timekeeping

/// What a block file says about itself in its footer.
struct BlockFooter: Hashable, Sendable {
    static let version: UInt16 = 1
    static let length = 80
    static let magic = Array("energydb".utf8)

    /// Rises with each file; where two files have a value for one instant, the higher one's is right.
    var sequence: UInt64
    /// What the log had given up to here is in this file or an earlier one.
    var cursor: Cursor
    /// Log time at the cursor.
    var wall: Timestamp
    var first: Timestamp
    var last: Timestamp
    var seriesCount: UInt32
    var indexLength: UInt32
    var indexChecksum: UInt32

    func encoded() -> [UInt8] {
        var writer = ByteWriter(capacity: BlockFooter.length)
        writer.fixed(sequence)
        writer.fixed(cursor.epoch)
        writer.fixed(cursor.offset)
        writer.fixed(wall.milliseconds)
        writer.fixed(first.milliseconds)
        writer.fixed(last.milliseconds)
        writer.fixed(seriesCount)
        writer.fixed(indexLength)
        writer.fixed(indexChecksum)
        writer.fixed(UInt32(0))
        writer.fixed(BlockFooter.version)
        writer.fixed(UInt16(0))
        writer.fixed(writer.bytes.withUnsafeBytes { CRC32C.update(0, $0) })
        writer.bytes.append(contentsOf: BlockFooter.magic)
        return writer.bytes
    }

    enum Failure: Error {
        case damaged
        /// A later version; its last 80 bytes have the same layout.
        case newer
    }

    static func decode(_ bytes: [UInt8]) throws(Failure) -> BlockFooter {
        guard bytes.count == length, bytes[(length - 8)...].elementsEqual(magic) else { throw .damaged }
        let result: Result<BlockFooter, Failure> = bytes.withUnsafeBytes { buffer in
            var reader = ByteReader(buffer)
            let checksum = CRC32C.update(0, UnsafeRawBufferPointer(rebasing: buffer[..<(length - 12)]))
            do throws(RecordError) {
                let footer = BlockFooter(
                    sequence: try reader.fixed(),
                    cursor: Cursor(epoch: try reader.fixed(), offset: try reader.fixed()),
                    wall: Timestamp(milliseconds: try reader.fixed()),
                    first: Timestamp(milliseconds: try reader.fixed()),
                    last: Timestamp(milliseconds: try reader.fixed()), seriesCount: try reader.fixed(),
                    indexLength: try reader.fixed(), indexChecksum: try reader.fixed())
                _ = try reader.fixed(UInt32.self)
                let version: UInt16 = try reader.fixed()
                _ = try reader.fixed(UInt16.self)
                guard try reader.fixed(UInt32.self) == checksum else { return .failure(.damaged) }
                if version > BlockFooter.version { return .failure(.newer) }
                guard footer.first <= footer.last, footer.sequence < .max else { return .failure(.damaged) }
                return .success(footer)
            } catch {
                return .failure(.damaged)
            }
        }
        return try result.get()
    }
}

/// Where one series lies in a block file, and what queries want to know without reading it.
struct BlockEntry: Hashable, Sendable {
    var key: SeriesKey
    var position: Int
    var length: Int
    var checksum: UInt32
    var count: Int
    var first: Timestamp
    var last: Timestamp
    /// The value at `last`.
    var lastValue: Int64
}

/// Encodes a whole file: header, blocks, index, footer.
struct BlockFileBuilder {
    static let header = Array("energyd blocks1\n".utf8)

    private(set) var bytes = BlockFileBuilder.header
    private var index = ByteWriter()
    private var seriesCount: UInt32 = 0
    private var first = Int64.max
    private var last = Int64.min

    /// Series come in the order of their keys.
    mutating func add(_ key: SeriesKey, times: [Int64], values: [Int64]) {
        guard let firstTime = times.first, let lastTime = times.last, let lastValue = values.last else { return }
        let block = BlockCodec.encode(times: times, values: values)
        index.identifier(key.device)
        index.varint(UInt64(key.quantity.code))
        index.prefixed(key.channel.name.utf8)
        index.varint(UInt64(bytes.count))
        index.varint(UInt64(block.count))
        index.fixed(block.withUnsafeBytes { CRC32C.update(0, $0) })
        index.varint(UInt64(times.count))
        index.signed(firstTime)
        index.signed(lastTime)
        index.signed(lastValue)
        bytes.append(contentsOf: block)
        seriesCount += 1
        first = min(first, firstTime)
        last = max(last, lastTime)
    }

    /// The footer, once all series are in; nil where there is none. `bytes` is then the whole file.
    mutating func finish(sequence: UInt64, cursor: Cursor, wall: Timestamp) -> BlockFooter? {
        guard seriesCount > 0 else { return nil }
        let footer = BlockFooter(
            sequence: sequence, cursor: cursor, wall: wall, first: Timestamp(milliseconds: first),
            last: Timestamp(milliseconds: last), seriesCount: seriesCount,
            indexLength: UInt32(clamping: index.bytes.count),
            indexChecksum: index.bytes.withUnsafeBytes { CRC32C.update(0, $0) })
        bytes.append(contentsOf: index.bytes)
        bytes.append(contentsOf: footer.encoded())
        return footer
    }
}

/// A sealed file as History knows it.
struct BlockFile: Hashable, Sendable {
    let path: String
    let size: Int64
    let footer: BlockFooter

    static func name(_ footer: BlockFooter) -> String {
        "\(footer.first.milliseconds)-\(footer.last.milliseconds)-\(footer.sequence).blk"
    }

    enum Opened {
        case good(BlockFile, [BlockEntry])
        case newer
        case damaged
    }

    static func open(_ path: String, in fileSystem: any FileSystem) throws(DiskError) -> Opened {
        let file = try fileSystem.open(path, .read)
        defer { file.close() }
        let size = try file.size()
        guard size >= Int64(BlockFooter.length + BlockFileBuilder.header.count) else { return .damaged }
        let tail = try file.read(at: size - Int64(BlockFooter.length), count: BlockFooter.length)
        let footer: BlockFooter
        do throws(BlockFooter.Failure) {
            footer = try BlockFooter.decode(tail)
        } catch {
            return error == .newer ? .newer : .damaged
        }
        let opened = BlockFile(path: path, size: size, footer: footer)
        guard let entries = try opened.entries(file) else { return .damaged }
        return .good(opened, entries)
    }

    /// The index; nil for damage.
    func entries(_ file: any File) throws(DiskError) -> [BlockEntry]? {
        let start = size - Int64(BlockFooter.length) - Int64(footer.indexLength)
        guard start >= Int64(BlockFileBuilder.header.count) else { return nil }
        let bytes = try file.read(at: start, count: Int(footer.indexLength))
        guard bytes.count == Int(footer.indexLength) else { return nil }
        return bytes.withUnsafeBytes { buffer in
            guard CRC32C.update(0, buffer) == footer.indexChecksum else { return nil }
            var reader = ByteReader(buffer)
            var entries: [BlockEntry] = []
            do throws(RecordError) {
                while !reader.isAtEnd {
                    let entry = try reader.blockEntry()
                    guard entry.position <= Int(start), entry.length <= Int(start) - entry.position,
                        entry.first <= entry.last
                    else { return nil }
                    entries.append(entry)
                }
            } catch {
                return nil
            }
            return entries.count == Int(footer.seriesCount) ? entries : nil
        }
    }

    /// A block's points; nil for damage.
    static func points(
        _ entry: BlockEntry, _ file: any File
    ) throws(DiskError) -> (times: [Int64], values: [Int64])? {
        let bytes = try file.read(at: Int64(entry.position), count: entry.length)
        return bytes.withUnsafeBytes { buffer in
            guard buffer.count == entry.length, CRC32C.update(0, buffer) == entry.checksum else { return nil }
            return try? BlockCodec.decode(buffer)
        }
    }
}

extension ByteReader {
    fileprivate mutating func blockEntry() throws(RecordError) -> BlockEntry {
        let device: DeviceID = try identifier()
        let code = UInt16(exactly: try varint())
        let channel = Channel(try text(limit: Channel.maximumLength))
        let position = Int(exactly: try varint())
        let length = Int(exactly: try varint())
        let checksum: UInt32 = try fixed()
        let count = Int(exactly: try varint())
        guard let code, let channel, let position, let length, let count else {
            throw RecordError(.badValue, at: self.position)
        }
        return BlockEntry(
            key: SeriesKey(device: device, channel: channel, quantity: Quantity(code: code)), position: position,
            length: length, checksum: checksum, count: count, first: Timestamp(milliseconds: try signed()),
            last: Timestamp(milliseconds: try signed()), lastValue: try signed())
    }
}
