import CChecksum

/// CRC-32C (Castagnoli, reflected polynomial 0x82F63B78), eight bytes a step: by the processor's instruction where it
/// has one, else by tables.
public enum CRC32C {
    private static let tables: [UInt32] = {
        var tables = [UInt32](repeating: 0, count: 8 * 256)
        for i in 0..<256 {
            var crc = UInt32(i)
            for _ in 0..<8 { crc = crc & 1 != 0 ? crc >> 1 ^ 0x82F6_3B78 : crc >> 1 }
            tables[i] = crc
        }
        for i in 0..<256 {
            for t in 1..<8 {
                let previous = tables[(t - 1) * 256 + i]
                tables[t * 256 + i] = previous >> 8 ^ tables[Int(previous & 0xFF)]
            }
        }
        return tables
    }()

    private static let isSupported = cchecksum_is_supported()

    /// Continues `crc` (0 to begin with) over `bytes`.
    public static func update(_ crc: UInt32, _ bytes: UnsafeRawBufferPointer) -> UInt32 {
        guard isSupported, let start = bytes.baseAddress else { return updateByTables(crc, bytes) }
        return ~cchecksum_update(~crc, start, bytes.count)
    }

    /// The same on every machine.
    static func updateByTables(_ crc: UInt32, _ bytes: UnsafeRawBufferPointer) -> UInt32 {
        tables.withUnsafeBufferPointer { table in
            var state = ~crc
            var i = 0
            while i + 8 <= bytes.count {
                let word = UInt64(littleEndian: bytes.loadUnaligned(fromByteOffset: i, as: UInt64.self))
                let low = UInt32(truncatingIfNeeded: word) ^ state
                let high = UInt32(truncatingIfNeeded: word >> 32)
                state = table[7 * 256 + Int(low & 0xFF)] ^ table[6 * 256 + Int(low >> 8 & 0xFF)]
                state ^= table[5 * 256 + Int(low >> 16 & 0xFF)] ^ table[4 * 256 + Int(low >> 24)]
                state ^= table[3 * 256 + Int(high & 0xFF)] ^ table[2 * 256 + Int(high >> 8 & 0xFF)]
                state ^= table[1 * 256 + Int(high >> 16 & 0xFF)] ^ table[Int(high >> 24)]
                i += 8
            }
            while i < bytes.count {
                state = state >> 8 ^ table[Int((state ^ UInt32(bytes[i])) & 0xFF)]
                i += 1
            }
            return ~state
        }
    }
}
