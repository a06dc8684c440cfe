import Metering
import Timekeeping

/// The 104 bytes before a frame's content. Layout and meaning: `Records.md`.
public struct FrameHeader: Hashable, Sendable {
    /// Bytes of a header.
    public static let size = 104
    /// The first four bytes of every frame of every version.
    public static let magic: UInt32 = 0x4D52_4665  // "eFRM"
    /// The layout that this version writes, and the newest it reads.
    public static let version: UInt8 = 1
    /// Flags that a reader must know to read the frame at all; the others may be ignored.
    static let criticalFlags: UInt16 = 0xFF00
    /// A frame longer than this is refused on both sides.
    public static let maximumLength = 1 << 20

    public var topic: Topic
    /// Header, dictionary and records, without padding.
    public var length: Int
    /// Where the frame was meant to lie on disk; 0 and 0 on the wire. A frame found elsewhere is stale or misdirected.
    public var segment: UInt64
    public var position: UInt32
    /// Records in the frame; each takes one offset from `firstOffset` on. 0: a heartbeat.
    public var count: UInt32
    public var epoch: UInt64
    public var firstOffset: UInt64
    public var gateway: GatewayID
    public var boot: BootID
    /// The gateway's clocks when the frame was closed.
    public var wall: Timestamp
    /// Milliseconds since boot.
    public var monotonic: Int64
    public var partition: UInt32
    public var dictionaryLength: Int

    /// The first offset after the frame.
    public var endOffset: UInt64 { firstOffset &+ UInt64(count) }

    /// `length` and `dictionaryLength` are set by `Frame.encode`.
    public init(
        topic: Topic, length: Int = 0, segment: UInt64 = 0, position: UInt32 = 0, count: UInt32, epoch: UInt64,
        firstOffset: UInt64, gateway: GatewayID, boot: BootID, wall: Timestamp, monotonic: Int64,
        partition: UInt32 = 0, dictionaryLength: Int = 0
    ) {
        self.topic = topic
        self.length = length
        self.segment = segment
        self.position = position
        self.count = count
        self.epoch = epoch
        self.firstOffset = firstOffset
        self.gateway = gateway
        self.boot = boot
        self.wall = wall
        self.monotonic = monotonic
        self.partition = partition
        self.dictionaryLength = dictionaryLength
    }
}

/// Encodes and decodes whole frames.
public enum Frame {
    /// Writes header, dictionary and records, and seals them with the checksum. `header.length` and
    /// `header.dictionaryLength` are set here. At most `FrameHeader.maximumLength` bytes, which the caller sees to.
    public static func encode(_ header: FrameHeader, dictionary: [UInt8], records: [UInt8]) -> [UInt8] {
        var writer = ByteWriter(capacity: FrameHeader.size + dictionary.count + records.count)
        encode(header, dictionary: dictionary, records: records, to: &writer)
        return writer.bytes
    }

    /// The same behind what the writer has already.
    public static func encode(
        _ header: FrameHeader, dictionary: [UInt8], records: [UInt8], to writer: inout ByteWriter
    ) {
        let length = FrameHeader.size + dictionary.count + records.count
        precondition(length <= FrameHeader.maximumLength)
        let start = writer.bytes.count
        writer.fixed(FrameHeader.magic)
        writer.fixed(FrameHeader.version)
        writer.fixed(header.topic.rawValue)
        writer.fixed(UInt16(0))
        writer.fixed(UInt32(length))
        writer.fixed(UInt32(0))
        writer.fixed(header.segment)
        writer.fixed(header.position)
        writer.fixed(header.count)
        writer.fixed(header.epoch)
        writer.fixed(header.firstOffset)
        writer.identifier(header.gateway)
        writer.bytes.append(contentsOf: header.boot.bytes)
        writer.fixed(header.wall.valid.milliseconds)
        writer.fixed(header.monotonic)
        writer.fixed(header.partition)
        writer.fixed(UInt32(dictionary.count))
        writer.bytes.append(contentsOf: dictionary)
        writer.bytes.append(contentsOf: records)
        writer.bytes.withUnsafeMutableBytes { bytes in
            let frame = UnsafeMutableRawBufferPointer(rebasing: bytes[start...])
            frame.storeBytes(
                of: checksum(UnsafeRawBufferPointer(frame)).littleEndian, toByteOffset: 12, as: UInt32.self)
        }
    }

    /// The header at the start of `bytes`, if a whole frame with a right checksum lies there.
    public static func header(_ bytes: UnsafeRawBufferPointer) throws(RecordError) -> FrameHeader {
        var reader = ByteReader(bytes)
        guard bytes.count >= FrameHeader.size else { throw RecordError(.truncated, at: bytes.count) }
        guard try reader.fixed(UInt32.self) == FrameHeader.magic else { throw RecordError(.notAFrame, at: 0) }
        let version: UInt8 = try reader.fixed()
        let rawTopic: UInt8 = try reader.fixed()
        let flags: UInt16 = try reader.fixed()
        let length = Int(clamping: try reader.fixed(UInt32.self))
        guard length >= FrameHeader.size, length <= FrameHeader.maximumLength else {
            throw RecordError(.badValue, at: 8)
        }
        guard length <= bytes.count else { throw RecordError(.truncated, at: 8) }
        let crc: UInt32 = try reader.fixed()
        guard checksum(UnsafeRawBufferPointer(rebasing: bytes[..<length])) == crc else {
            throw RecordError(.badChecksum, at: 12)
        }
        guard version != 0 else { throw RecordError(.badValue, at: 4) }
        guard version <= FrameHeader.version, flags & FrameHeader.criticalFlags == 0,
            let topic = Topic(rawValue: rawTopic)
        else {
            throw RecordError(.newerFormat, at: 4)
        }
        let header = FrameHeader(
            topic: topic, length: length, segment: try reader.fixed(), position: try reader.fixed(),
            count: try reader.fixed(), epoch: try reader.fixed(), firstOffset: try reader.fixed(),
            gateway: try reader.identifier(), boot: try reader.bootID(),
            wall: Timestamp(milliseconds: try reader.fixed()), monotonic: try reader.fixed(),
            partition: try reader.fixed(), dictionaryLength: Int(clamping: try reader.fixed(UInt32.self)))
        guard header.dictionaryLength <= length - FrameHeader.size else { throw RecordError(.badValue, at: 100) }
        guard !header.firstOffset.addingReportingOverflow(UInt64(header.count)).overflow else {
            throw RecordError(.badValue, at: 40)
        }
        guard Timestamp.validRange.contains(header.wall) else { throw RecordError(.badValue, at: 80) }
        return header
    }

    /// All bytes of the frame but the checksum's own four.
    private static func checksum(_ frame: UnsafeRawBufferPointer) -> UInt32 {
        let head = CRC32C.update(0, UnsafeRawBufferPointer(rebasing: frame[..<12]))
        return CRC32C.update(head, UnsafeRawBufferPointer(rebasing: frame[16...]))
    }

    /// The series declared in the frame, in order.
    public static func dictionary(
        _ bytes: UnsafeRawBufferPointer, _ header: FrameHeader
    ) throws(RecordError) -> [(SeriesNumber, SeriesKey)] {
        let start = FrameHeader.size
        var reader = ByteReader(UnsafeRawBufferPointer(rebasing: bytes[start..<start + header.dictionaryLength]))
        var entries: [(SeriesNumber, SeriesKey)] = []
        do throws(RecordError) {
            while !reader.isAtEnd { entries.append(try reader.seriesEntry()) }
        } catch {
            throw RecordError(error.kind, at: start + error.position)
        }
        return entries
    }

    /// Calls `body` with each record and its offset. An error in a later record comes after the calls for the earlier
    /// ones, so whoever applies records of a stranger decodes the whole frame first.
    public static func records(
        _ bytes: UnsafeRawBufferPointer, _ header: FrameHeader, _ body: (UInt64, Record) throws -> Void
    ) throws {
        let start = FrameHeader.size + header.dictionaryLength
        var reader = ByteReader(UnsafeRawBufferPointer(rebasing: bytes[start..<header.length]))
        for i in 0..<UInt64(header.count) {
            let record: Record
            do throws(RecordError) {
                record = try reader.record(wall: header.wall)
            } catch {
                throw RecordError(error.kind, at: start + error.position)
            }
            try body(header.firstOffset &+ i, record)
        }
        guard reader.isAtEnd else { throw RecordError(.badValue, at: start + reader.position) }
    }
}

extension Frame {
    /// Calls `body` with the readings of the records of kind `readings` whose offsets are in `offsets`, some at a time,
    /// without making records of them: for consumers that want nothing else. An error comes after the calls for what
    /// lies before it.
    public static func readings(
        _ bytes: UnsafeRawBufferPointer, _ header: FrameHeader, offsets: Range<UInt64>,
        _ body: (UnsafeBufferPointer<Reading>) -> Void
    ) throws(RecordError) {
        let start = FrameHeader.size + header.dictionaryLength
        var reader = ByteReader(UnsafeRawBufferPointer(rebasing: bytes[start..<header.length]))
        for i in 0..<UInt64(header.count) {
            let kind = try reader.varint()
            var content = ByteReader(try reader.prefixed())
            guard kind == 1, offsets.contains(header.firstOffset &+ i) else { continue }
            try content.forEachReadings(wall: header.wall, body)
        }
        guard reader.isAtEnd else { throw RecordError(.badValue, at: start + reader.position) }
    }
}

extension ByteWriter {
    /// One dictionary entry: varint(number), device (16 bytes), varint(quantity code), channel (length-prefixed).
    public mutating func seriesEntry(_ number: SeriesNumber, _ key: SeriesKey) {
        varint(UInt64(number.value))
        identifier(key.device)
        varint(UInt64(key.quantity.code))
        prefixed(key.channel.name.utf8)
    }
}

extension ByteReader {
    /// What the writer's `seriesEntry` wrote.
    public mutating func seriesEntry() throws(RecordError) -> (SeriesNumber, SeriesKey) {
        let start = position
        guard let number = UInt32(exactly: try varint()), number < SeriesDictionary.maximumCount else {
            throw RecordError(.badValue, at: start)
        }
        let device: DeviceID = try identifier()
        guard let code = UInt16(exactly: try varint()) else { throw RecordError(.badValue, at: start) }
        guard let channel = Channel(try text(limit: Channel.maximumLength)) else {
            throw RecordError(.badValue, at: start)
        }
        return (SeriesNumber(number), SeriesKey(device: device, channel: channel, quantity: Quantity(code: code)))
    }

    mutating func bootID() throws(RecordError) -> BootID {
        var bytes: [UInt8] = []
        for _ in 0..<16 { bytes.append(try fixed()) }
        return BootID(bytes: bytes)
    }
}
