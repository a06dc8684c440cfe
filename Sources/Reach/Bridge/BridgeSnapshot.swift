import Metering
import Records

/// What the bridge keeps over a restart: the totals that others know, and the topics that hold something of ours.
///
/// Payload of a snapshot file, version 1: varint count, then per total the series as in a frame's dictionary, its value
/// and its source, both signed; varint count, then the topics as text.
public struct BridgeSnapshot: Hashable, Sendable {
    public static let name = "bridge"
    public static let version: UInt32 = 1
    private static let maximumTotals = 65_536
    private static let maximumTopics = 262_144
    private static let maximumTopicLength = 1024

    public var totals: [SeriesKey: RisingTotal] = [:]
    /// In the order of their bytes.
    public var topics: [String] = []

    public init(totals: [SeriesKey: RisingTotal] = [:], topics: [String] = []) {
        self.totals = totals
        self.topics = topics
    }

    /// Equal states give equal bytes.
    public func encoded() -> [UInt8] {
        var out = ByteWriter(capacity: 64 + totals.count * 48 + topics.count * 48)
        out.varint(UInt64(totals.count))
        for (key, total) in totals.sorted(by: { $0.key < $1.key }) {
            out.seriesEntry(SeriesNumber(0), key)
            out.signed(total.value)
            out.signed(total.source)
        }
        out.varint(UInt64(topics.count))
        for topic in topics { out.prefixed(topic.utf8) }
        return out.bytes
    }

    /// Throws a `RecordError` that names the place.
    public init(decoding bytes: [UInt8]) throws(RecordError) {
        let result = bytes.withUnsafeBytes { buffer -> Result<BridgeSnapshot, RecordError> in
            var reader = ByteReader(buffer)
            var snapshot = BridgeSnapshot()
            do throws(RecordError) {
                for _ in 0..<(try BridgeSnapshot.count(&reader, BridgeSnapshot.maximumTotals)) {
                    let (_, key) = try reader.seriesEntry()
                    snapshot.totals[key] = RisingTotal(value: try reader.signed(), source: try reader.signed())
                }
                for _ in 0..<(try BridgeSnapshot.count(&reader, BridgeSnapshot.maximumTopics)) {
                    snapshot.topics.append(try reader.text(limit: BridgeSnapshot.maximumTopicLength))
                }
                return .success(snapshot)
            } catch {
                return .failure(error)
            }
        }
        self = try result.get()
    }

    private static func count(_ reader: inout ByteReader, _ maximum: Int) throws(RecordError) -> Int {
        let start = reader.position
        let count = try reader.varint()
        // An entry takes a byte at least: a larger count is damage, not a reason to allocate.
        guard count <= UInt64(maximum), count <= UInt64(reader.remaining) else {
            throw RecordError(.badValue, at: start)
        }
        return Int(count)
    }
}
