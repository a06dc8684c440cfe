import Metering
import Records
import Timekeeping

/// The first page of a segment file. Layout and meaning: `SegmentFormat.md`.
struct SegmentHeader: Hashable, Sendable {
    static let pageSize = 4096
    static let version: UInt16 = 1
    private static let magic = Array("energyd segment\n".utf8)
    private static let checkedLength = 84
    /// An epoch begins with 48 bits of wall time, so none is ever near the end of its range.
    static let maximumEpoch = UInt64.max - 1 << 48
    /// Bytes of the page that mean something.
    static let length = 88

    var topic: Topic
    var partition: UInt32
    var number: UInt64
    var gateway: GatewayID
    var epoch: UInt64
    /// Of the first record in the segment.
    var firstOffset: UInt64
    var created: Timestamp
    /// Bytes of the file, this page included.
    var size: UInt64
    /// Series declared at the segment's start: all that the log has.
    var seriesCount: UInt32
    /// The file was made for this segment, so it is zero wherever nothing was written; a recycled one is not.
    var isNewFile: Bool

    func encoded() -> [UInt8] {
        var writer = ByteWriter(capacity: SegmentHeader.pageSize)
        writer.bytes.append(contentsOf: SegmentHeader.magic)
        writer.fixed(SegmentHeader.version)
        writer.fixed(topic.rawValue)
        writer.fixed(UInt8(isNewFile ? 1 : 0))
        writer.fixed(partition)
        writer.fixed(number)
        writer.identifier(gateway)
        writer.fixed(epoch)
        writer.fixed(firstOffset)
        writer.fixed(created.milliseconds)
        writer.fixed(size)
        writer.fixed(seriesCount)
        let crc = writer.bytes.withUnsafeBytes { CRC32C.update(0, $0) }
        writer.fixed(crc)
        writer.bytes.append(contentsOf: repeatElement(0, count: SegmentHeader.pageSize - writer.bytes.count))
        return writer.bytes
    }

    enum Failure: Error, Hashable {
        case damaged
        case newer(version: UInt16)
    }

    static func decode(_ bytes: [UInt8]) throws(Failure) -> SegmentHeader {
        guard bytes.count >= length, bytes[..<16].elementsEqual(magic) else { throw .damaged }
        let result: Result<SegmentHeader, Failure> = bytes.withUnsafeBytes { buffer in
            var reader = ByteReader(UnsafeRawBufferPointer(rebasing: buffer[16..<length]))
            let crc = CRC32C.update(0, UnsafeRawBufferPointer(rebasing: buffer[..<checkedLength]))
            guard crc == UInt32(littleEndian: buffer.loadUnaligned(fromByteOffset: checkedLength, as: UInt32.self))
            else { return .failure(.damaged) }
            do throws(RecordError) {
                let version: UInt16 = try reader.fixed()
                let topic = Topic(rawValue: try reader.fixed())
                let flags: UInt8 = try reader.fixed()
                let header = SegmentHeader(
                    topic: topic ?? .facts, partition: try reader.fixed(), number: try reader.fixed(),
                    gateway: try reader.identifier(), epoch: try reader.fixed(), firstOffset: try reader.fixed(),
                    created: Timestamp(milliseconds: try reader.fixed()), size: try reader.fixed(),
                    seriesCount: try reader.fixed(), isNewFile: flags & 1 != 0)
                if version > SegmentHeader.version || topic == nil { return .failure(.newer(version: version)) }
                guard header.size <= 256 << 20, header.size > UInt64(pageSize), header.epoch <= maximumEpoch,
                    Timestamp.validRange.contains(header.created)
                else { return .failure(.damaged) }
                return .success(header)
            } catch {
                return .failure(.damaged)
            }
        }
        return try result.get()
    }
}

/// Names of the files in a log's directory.
enum SegmentFile {
    /// A segment in the making: prepared under this name and renamed when its header is durable, so that a file with
    /// a segment's name always has that segment's header.
    static let next = "segment-next.log"

    static func name(_ number: UInt64) -> String { "segment-\(digits(number)).log" }
    static func damagedName(_ number: UInt64) -> String { name(number) + ".damaged" }
    static func tornName(_ number: UInt64, position: Int) -> String { "torn-\(digits(number))-\(position).bin" }
    static func isTorn(_ name: String) -> Bool { name.hasPrefix("torn-") && name.hasSuffix(".bin") }

    /// The number in `segment-<16 digits>.log`; nil for another name.
    static func number(_ name: String) -> UInt64? {
        guard name.hasPrefix("segment-"), name.hasSuffix(".log"), name.utf8.count == 28 else { return nil }
        let digits = name.utf8.dropFirst(8).prefix(16)
        guard digits.allSatisfy({ (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }) else { return nil }
        return UInt64(String(digits) ?? "")
    }

    static func damagedNumber(_ name: String) -> UInt64? {
        name.hasSuffix(".damaged") ? number(String(name.dropLast(8))) : nil
    }

    private static func digits(_ number: UInt64) -> String {
        let text = String(number)
        return String(repeating: "0", count: max(0, 16 - text.count)) + text
    }
}
