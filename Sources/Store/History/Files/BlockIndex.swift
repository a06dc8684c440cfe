import Compression
import Metering
import Records
import Timekeeping

/// Where one block of a series lies in a file, and what queries want to know without reading it.
struct BlockEntry: Hashable, Sendable {
    var key: SeriesKey
    var position: Int
    /// 0 for a series of which the file has nothing; it then stands for the newest value before.
    var length: Int
    var checksum: UInt32
    var count: Int
    var first: Timestamp
    var last: Timestamp
    /// The value at `last`.
    var lastValue: Int64

    var isBlock: Bool { length > 0 }
}

/// The index of a file, as columns, each series' device once. Layout: `BlockFormat.md`.
enum BlockIndex {
    /// Bytes of an index when it is decompressed: more is damage.
    static let maximumLength = 64 << 20
    /// Bytes of one block, twice what the longest can take. Version 1 had longer ones.
    private static let longestBlock = 2 << 20
    private static let longestBlockOfVersion1 = 64 << 20

    /// What an index may say of one block: its checksum does not tell who wrote it.
    private static func isPossible(_ entry: BlockEntry, longest: Int, count: Int) -> Bool {
        entry.length <= longest && entry.count <= count && entry.first <= entry.last
            && PointColumns.timeRange.contains(entry.first.milliseconds)
            && PointColumns.timeRange.contains(entry.last.milliseconds)
    }

    /// `entries` are in the order of keys and of positions; blocks lie one behind the other.
    static func encode(_ entries: [BlockEntry], first: Timestamp, last: Timestamp) -> [UInt8] {
        var devices: [DeviceID] = []
        for entry in entries where devices.last != entry.key.device { devices.append(entry.key.device) }
        let channels = Array(Set(entries.map(\.key.channel))).sorted()
        let channelNumbers = Dictionary(uniqueKeysWithValues: zip(channels, channels.indices))
        var writer = ByteWriter(capacity: 64 + devices.count * 16 + entries.count * 16)
        writer.varint(UInt64(devices.count))
        for device in devices { writer.identifier(device) }
        writer.varint(UInt64(channels.count))
        for channel in channels { writer.prefixed(channel.name.utf8) }
        var previous: DeviceID?
        for entry in entries {
            writer.varint(previous == entry.key.device || previous == nil ? 0 : 1)
            previous = entry.key.device
        }
        for entry in entries { writer.varint(UInt64(channelNumbers[entry.key.channel] ?? 0)) }
        for entry in entries { writer.varint(UInt64(entry.key.quantity.code)) }
        for entry in entries { writer.varint(UInt64(entry.length)) }
        for entry in entries { writer.varint(UInt64(entry.count)) }
        for entry in entries { writer.signed(entry.first.milliseconds &- first.milliseconds) }
        for entry in entries { writer.signed(entry.last.milliseconds &- last.milliseconds) }
        for entry in entries { writer.signed(entry.lastValue) }
        for entry in entries where entry.isBlock { writer.fixed(entry.checksum) }
        return writer.bytes
    }

    /// What version 2 wrote; `footer` tells how many there are.
    static func decode(
        _ bytes: UnsafeRawBufferPointer, footer: BlockFooter, blocksEnd: Int
    ) throws(RecordError) -> [BlockEntry] {
        var reader = ByteReader(bytes)
        let count = Int(footer.entryCount)
        // Each entry takes eight bytes at least, and so does a block; without a block each series has one.
        guard count <= bytes.count / 8, count <= blocksEnd / 8 + SeriesDictionary.maximumCount else {
            throw RecordError(.badValue, at: 0)
        }
        let deviceCount = try reader.count(bytesEach: 16)
        var devices: [DeviceID] = []
        for _ in 0..<deviceCount { devices.append(try reader.identifier()) }
        let channelCount = try reader.count(bytesEach: 2)
        var channels: [Channel] = []
        for _ in 0..<channelCount {
            guard let channel = Channel(try reader.text(limit: Channel.maximumLength)) else {
                throw RecordError(.badValue, at: reader.position)
            }
            channels.append(channel)
        }
        var entries = try reader.keys(count, devices, channels)
        var position = BlockFileWriter.header.count
        for i in 0..<count {
            guard let length = Int(exactly: try reader.varint()), length <= blocksEnd - position else {
                throw RecordError(.badValue, at: reader.position)
            }
            entries[i].position = position
            entries[i].length = length
            position += length
        }
        for i in 0..<count { entries[i].count = Int(clamping: try reader.varint()) }
        for i in 0..<count { entries[i].first = footer.first + (try reader.signed()) }
        for i in 0..<count { entries[i].last = footer.last + (try reader.signed()) }
        for i in 0..<count { entries[i].lastValue = try reader.signed() }
        for i in 0..<count where entries[i].isBlock { entries[i].checksum = try reader.fixed() }
        let values = footer.tier == .raw ? TimeGrid.maximumCount : BucketBlock.maximumCount
        guard reader.isAtEnd, entries.allSatisfy({ isPossible($0, longest: longestBlock, count: values) }) else {
            throw RecordError(.badValue, at: reader.position)
        }
        return entries
    }

    /// What version 1 wrote.
    static func decodeVersion1(
        _ bytes: UnsafeRawBufferPointer, blocksEnd: Int
    ) throws(RecordError) -> [BlockEntry] {
        var reader = ByteReader(bytes)
        var entries: [BlockEntry] = []
        while !reader.isAtEnd {
            let entry = try reader.blockEntry()
            guard entry.position <= blocksEnd, entry.length <= blocksEnd - entry.position,
                isPossible(entry, longest: longestBlockOfVersion1, count: VarintBlock.maximumCount)
            else { throw RecordError(.badValue, at: reader.position) }
            entries.append(entry)
        }
        return entries
    }
}

extension ByteReader {
    fileprivate mutating func count(bytesEach: Int) throws(RecordError) -> Int {
        let start = position
        guard let count = Int(exactly: try varint()), count <= remaining / bytesEach else {
            throw RecordError(.badValue, at: start)
        }
        return count
    }

    fileprivate mutating func keys(
        _ count: Int, _ devices: [DeviceID], _ channels: [Channel]
    ) throws(RecordError) -> [BlockEntry] {
        var numbers: [Int] = []
        numbers.reserveCapacity(count)
        var device = 0
        for _ in 0..<count {
            let step = try varint()
            device += step == 0 ? 0 : 1
            guard step <= 1, device < devices.count else { throw RecordError(.badValue, at: position) }
            numbers.append(device)
        }
        var entries: [BlockEntry] = []
        entries.reserveCapacity(count)
        for i in 0..<count {
            guard let channel = Int(exactly: try varint()), channel < channels.count else {
                throw RecordError(.badValue, at: position)
            }
            entries.append(
                BlockEntry(
                    key: SeriesKey(
                        device: devices[numbers[i]], channel: channels[channel], quantity: Quantity(code: 0)),
                    position: 0, length: 0, checksum: 0, count: 0, first: Timestamp(milliseconds: 0),
                    last: Timestamp(milliseconds: 0), lastValue: 0))
        }
        for i in 0..<count {
            guard let code = UInt16(exactly: try varint()) else { throw RecordError(.badValue, at: position) }
            entries[i].key.quantity = Quantity(code: code)
        }
        return entries
    }

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
