/// A read as bytes, for either kind of bus.
enum RequestFrame {
    /// Bytes of a request on a serial line.
    static let serialLength = 8

    /// Bytes of the answer with words, on a serial line: unit, function, byte count, words, checksum.
    static func serialLength(ofAnswerTo request: ModbusRequest) -> Int { 5 + 2 * request.count }

    static func serial(_ request: ModbusRequest, into bytes: inout [UInt8]) {
        bytes.removeAll(keepingCapacity: true)
        append(request, to: &bytes)
        let checksum = CRC16.checksum(of: bytes)
        bytes.append(UInt8(truncatingIfNeeded: checksum))
        bytes.append(UInt8(truncatingIfNeeded: checksum >> 8))
    }

    static func tcp(_ request: ModbusRequest, transaction: UInt16, into bytes: inout [UInt8]) {
        bytes.removeAll(keepingCapacity: true)
        append(transaction, to: &bytes)
        append(0, to: &bytes)
        append(6, to: &bytes)
        append(request, to: &bytes)
    }

    private static func append(_ request: ModbusRequest, to bytes: inout [UInt8]) {
        bytes.append(request.unit)
        bytes.append(request.function.rawValue)
        append(request.address, to: &bytes)
        append(UInt16(request.count), to: &bytes)
    }

    private static func append(_ word: UInt16, to bytes: inout [UInt8]) {
        bytes.append(UInt8(word >> 8))
        bytes.append(UInt8(word & 0xFF))
    }
}

/// The checksum of serial frames: polynomial 0xA001, start 0xFFFF, low byte first on the wire.
enum CRC16 {
    private static let table: [UInt16] = (0..<256).map { byte in
        var value = UInt16(byte)
        for _ in 0..<8 { value = value & 1 == 1 ? value >> 1 ^ 0xA001 : value >> 1 }
        return value
    }

    static func checksum(of bytes: some Sequence<UInt8>) -> UInt16 {
        var checksum: UInt16 = 0xFFFF
        for byte in bytes { checksum = checksum >> 8 ^ table[Int((checksum ^ UInt16(byte)) & 0xFF)] }
        return checksum
    }
}
