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

    private let memory: UnsafeMutableRawPointer
    private var count = 0

    /// Returns how many bytes were written.
    static func write(
        _ readings: UnsafeBufferPointer<Reading>, received: Timestamp, to memory: UnsafeMutableRawBufferPointer
    ) -> Int {
        precondition(readings.count <= capacity && memory.count >= byteCount)
        guard let base = memory.baseAddress else { return 0 }
        var buffer = ReadingBuffer(memory: base)
        for i in 0..<readings.count {
            // Part by part: a whole one would be copied first.
            buffer.append(
                readings[i].series.value, readings[i].time,
                isNow: readings[i].time.milliseconds
                    == readings[i].received.milliseconds, received, readings[i].value, readings[i].flags.rawValue)
        }
        return buffer.count
    }

    /// varint(series × 4 + hasFlags × 2 + hasTime), [signed(time − received)], signed(value), [varint(flags)].
    @inline(__always)
    private mutating func append(
        _ series: UInt32, _ time: Timestamp, isNow: Bool, _ received: Timestamp, _ value: Int64, _ flags: UInt16
    ) {
        varint(UInt64(series) << 2 | (flags != 0 ? 2 : 0) | (isNow ? 0 : 1))
        if !isNow { signed(time.valid.milliseconds &- received.milliseconds) }
        signed(value)
        if flags != 0 { varint(UInt64(flags)) }
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
            put(rest & 0x7F | 0x80, 1)
            rest >>= 7
        }
        put(rest, 1)
    }
}
