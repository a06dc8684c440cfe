import Compression
import Disk
import Metering
import ReadingLog
import Records
import Timekeeping

/// Writes one block file: header, blocks as they come, index, footer. It has its name only when all of it is durable.
///
/// Used by one thread. One that is let go without `finish` leaves a file in the making, which the next one empties.
final class BlockFileWriter {
    static let header = Array("energyd blocks2\n".utf8)
    private static let buffered = 64 << 10

    let tier: HistoryTier
    private let compressor: ZstdCompressor
    private let directory: String
    private let fileSystem: any FileSystem
    private let temporary: String
    private var file: (any File)?
    private var buffer = BlockFileWriter.header
    /// Bytes that are in the file already.
    private var written = 0
    private var entries: [BlockEntry] = []
    private var first = Timestamp(milliseconds: .max)
    private var last = Timestamp(milliseconds: .min)

    init(
        _ tier: HistoryTier, directory: String, _ fileSystem: any FileSystem,
        _ compressor: ZstdCompressor = ZstdCompressor()
    ) {
        self.compressor = compressor
        self.tier = tier
        self.directory = directory
        self.fileSystem = fileSystem
        temporary = directory + "/next.blk" + AtomicFile.temporarySuffix
    }

    deinit { file?.close() }

    var isEmpty: Bool { !entries.contains(where: \.isBlock) }

    /// Adds points in one or more blocks; series come in the order of their keys. Returns the points as they will be
    /// read.
    func add(_ key: SeriesKey, _ points: PointColumns) throws(DiskError) -> PointColumns {
        guard points.count > BlockFileWriter.pointsPerBlock else {
            return try addBlock(key, points)
        }
        var stored = PointColumns()
        var i = 0
        while i < points.count {
            let end = min(points.count, i + BlockFileWriter.pointsPerBlock)
            let piece = PointColumns(
                times: Array(points.times[i..<end]), values: Array(points.values[i..<end]), moved: points.moved,
                divisor: points.divisor)
            let block = try addBlock(key, piece)
            stored.times.append(contentsOf: block.times)
            stored.values.append(contentsOf: block.values)
            stored.moved = max(stored.moved, block.moved)
            i = end
        }
        return stored
    }

    /// Half of what a block may have: a query for a minute should not decode a week.
    static let pointsPerBlock = 1 << 14

    private func addBlock(_ key: SeriesKey, _ points: PointColumns) throws(DiskError) -> PointColumns {
        guard !points.times.isEmpty else { return points }
        let (bytes, stored) = PointBlock.encode(points, compressor)
        let end = stored.count - 1
        try add(
            bytes, key, count: stored.count, first: stored.times[0], last: stored.times[end], stored.values[end])
        return stored
    }

    /// The same for buckets.
    func add(_ key: SeriesKey, _ buckets: BucketColumns) throws(DiskError) {
        guard let step = tier.step else { preconditionFailure("buckets in a file of raw values") }
        var i = 0
        while i < buckets.count {
            let end = min(buckets.count, i + BucketBlock.maximumCount)
            var piece = BucketColumns()
            piece.append(buckets, i..<end)
            let bytes = BucketBlock.encode(piece, step: step, compressor)
            try add(
                bytes, key, count: piece.count, first: piece.starts[0], last: piece.starts[piece.count - 1],
                piece.lasts[piece.count - 1])
            i = end
        }
    }

    /// Names a series' newest value where it is in no block of this file, behind its blocks.
    func addNewest(_ key: SeriesKey, _ newest: HistoryPoint) {
        entries.append(
            BlockEntry(
                key: key, position: 0, length: 0, checksum: 0, count: 0, first: newest.time, last: newest.time,
                lastValue: newest.value))
    }

    private func add(
        _ bytes: [UInt8], _ key: SeriesKey, count: Int, first: Int64, last: Int64, _ lastValue: Int64
    ) throws(DiskError) {
        entries.append(
            BlockEntry(
                key: key, position: written + buffer.count, length: bytes.count,
                checksum: bytes.withUnsafeBytes { CRC32C.update(0, $0) }, count: count,
                first: Timestamp(milliseconds: first), last: Timestamp(milliseconds: last), lastValue: lastValue))
        self.first = min(self.first, Timestamp(milliseconds: first))
        self.last = max(self.last, Timestamp(milliseconds: last))
        buffer.append(contentsOf: bytes)
        if buffer.count >= BlockFileWriter.buffered { try drain() }
    }

    private func drain() throws(DiskError) {
        let file: any File
        if let open = self.file { file = open } else { file = try fileSystem.open(temporary, .create) }
        self.file = file
        try file.write(buffer, at: Int64(written))
        written += buffer.count
        buffer.removeAll(keepingCapacity: true)
    }

    /// Writes index and footer, makes the file durable and gives it its name; nil where no block was added.
    func finish(
        sequences: ClosedRange<UInt64>, cursor: Cursor, since: Timestamp, wall: Timestamp
    ) throws(DiskError) -> BlockFile? {
        guard !isEmpty else { return nil }
        do throws(DiskError) {
            let index = BlockIndex.encode(entries, first: first, last: last)
            var packed = ByteWriter()
            index.withUnsafeBytes { packed.payload($0, compressor) }
            let footer = BlockFooter(
                tier: tier, sequence: sequences.upperBound, firstSequence: sequences.lowerBound, cursor: cursor,
                wall: wall, since: since, first: first, last: last, entryCount: UInt32(clamping: entries.count),
                indexLength: UInt32(clamping: packed.bytes.count), indexContentLength: UInt32(clamping: index.count),
                indexChecksum: packed.bytes.withUnsafeBytes { CRC32C.update(0, $0) })
            buffer.append(contentsOf: packed.bytes)
            buffer.append(contentsOf: footer.encoded())
            try drain()
            try file?.sync()
            file?.close()
            file = nil
            let path = directory + "/" + BlockFile.name(footer)
            try fileSystem.rename(temporary, to: path)
            try fileSystem.syncDirectory(directory)
            return BlockFile(path: path, size: Int64(written), footer: footer)
        } catch {
            abandon()
            throw error
        }
    }

    /// Gives up what was written: its space is what a full disk lacks.
    func abandon() {
        file?.close()
        file = nil
        try? fileSystem.remove(temporary)
    }
}
