import Metering
import Records
import Timekeeping

/// Devices and settings lie in the ledger as they lie in the log: one format, one document, one set of golden files.
enum StoredRecord {
    private static let wall = Timestamp(milliseconds: 0)

    static func bytes(_ record: Record) -> [UInt8] {
        var writer = ByteWriter()
        writer.record(record, wall: wall)
        return writer.bytes
    }

    /// Nil for bytes that are not exactly one record.
    static func record(_ bytes: [UInt8]) -> Record? {
        bytes.withUnsafeBytes { buffer in
            var reader = ByteReader(buffer)
            guard let record = try? reader.record(wall: wall), reader.isAtEnd else { return nil }
            return record
        }
    }
}

extension PermanentID {
    /// Sixteen bytes in the order of the hexadecimal text, so that SQLite sorts identities as we do.
    var blob: [UInt8] {
        withUnsafeBytes(of: (high.bigEndian, low.bigEndian)) { Array($0) }
    }

    init?(blob: [UInt8]?) {
        guard let blob, blob.count == 16 else { return nil }
        func half(_ bytes: ArraySlice<UInt8>) -> UInt64 { bytes.reduce(0) { $0 << 8 | UInt64($1) } }
        self.init(high: half(blob[..<8]), low: half(blob[8...]))
    }
}
