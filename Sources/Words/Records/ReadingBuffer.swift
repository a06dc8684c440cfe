import Metering
import Timekeeping

/// A few encoded readings on the stack, so that the log's array grows once for sixteen readings and not once a byte:
/// readings are nearly all that a log holds.
struct ReadingBuffer {
    /// Readings that fit.
    static let capacity = 16
    /// A head of 34 bits, a time and a value of 64, flags of 16: 5 + 10 + 10 + 3 bytes at most.
    static let byteCount = capacity * 28

    private let memory: UnsafeMutableRawBufferPointer
    private(set) var count = 0

    init(memory: UnsafeMutableRawBufferPointer) {
        precondition(memory.count >= ReadingBuffer.byteCount)
        self.memory = memory
    }

    /// varint(series × 4 + hasFlags × 2 + hasTime), [signed(time − received)], signed(value), [varint(flags)].
    mutating func append(_ reading: Reading, received: Timestamp) {
        let hasTime = reading.time.milliseconds != reading.received.milliseconds
        // Not `isEmpty`, which goes through a generic witness here.
        let flags = UInt64(reading.flags.rawValue)
        varint(UInt64(reading.series.value) << 2 | (flags != 0 ? 2 : 0) | (hasTime ? 1 : 0))
        if hasTime { signed(reading.time.valid.milliseconds &- received.milliseconds) }
        signed(reading.value)
        if flags != 0 { varint(flags) }
    }

    private mutating func signed(_ value: Int64) {
        varint(UInt64(bitPattern: (value << 1) ^ (value >> 63)))
    }

    private mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            memory[count] = UInt8(truncatingIfNeeded: rest) | 0x80
            count += 1
            rest >>= 7
        }
        memory[count] = UInt8(truncatingIfNeeded: rest)
        count += 1
    }
}
