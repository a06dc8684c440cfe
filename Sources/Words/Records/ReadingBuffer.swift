import Metering
import Timekeeping

/// A few encoded readings on the stack, so that the log's array grows once for many readings and not once a byte:
/// readings are nearly all that a log holds.
struct ReadingBuffer {
    /// Readings that fit.
    static let capacity = 64
    /// A head of 34 bits, a time and a value of 64, flags of 16: 5 + 10 + 10 + 3 bytes at most.
    /// Whole words are written.
    static let byteCount = capacity * 28 + 8

    private let memory: UnsafeMutableRawBufferPointer
    private(set) var count = 0

    init(memory: UnsafeMutableRawBufferPointer) {
        precondition(memory.count >= ReadingBuffer.byteCount)
        self.memory = memory
    }

    /// varint(series × 4 + hasFlags × 2 + hasTime), [signed(time − received)], signed(value), [varint(flags)].
    @inline(__always)
    mutating func append(_ reading: Reading, received: Timestamp) {
        let hasTime = reading.time.milliseconds != reading.received.milliseconds
        // Not `isEmpty`, which goes through a generic witness here.
        let flags = UInt64(reading.flags.rawValue)
        varint(UInt64(reading.series.value) << 2 | (flags != 0 ? 2 : 0) | (hasTime ? 1 : 0))
        if hasTime { signed(reading.time.valid.milliseconds &- received.milliseconds) }
        signed(reading.value)
        if flags != 0 { varint(flags) }
    }

    @inline(__always)
    private mutating func signed(_ value: Int64) {
        varint(UInt64(bitPattern: (value << 1) ^ (value >> 63)))
    }

    @inline(__always)
    private mutating func varint(_ value: UInt64) {
        // A branch for each length, because its guess lets the next integer begin before this one is done.
        guard value >= 1 << 7 else { return put(value, 1) }
        let pair = value & 0x7F | value << 1 & 0x7F00
        guard value >= 1 << 14 else { return put(pair | 0x80, 2) }
        let four = pair | value << 2 & 0x7F_0000 | value << 3 & 0x7F00_0000
        guard value >= 1 << 21 else { return put(four | 0x8080, 3) }
        guard value >= 1 << 28 else { return put(four | 0x80_8080, 4) }
        let six = four | value << 4 & 0x7F_0000_0000 | value << 5 & 0x7F00_0000_0000
        guard value >= 1 << 35 else { return put(six | 0x8080_8080, 5) }
        guard value >= 1 << 42 else { return put(six | 0x80_8080_8080, 6) }
        longVarint(value)
    }

    /// Writes a whole word, of which `length` bytes count.
    @inline(__always)
    private mutating func put(_ word: UInt64, _ length: Int) {
        memory.storeBytes(of: word.littleEndian, toByteOffset: count, as: UInt64.self)
        count &+= length
    }

    private mutating func longVarint(_ value: UInt64) {
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
