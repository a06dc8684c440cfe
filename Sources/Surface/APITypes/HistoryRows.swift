import Timekeeping

/// Rows of a series' history as JSON arrays, written straight from integers: a day of one series is 8,640 of them.
///
/// Times are milliseconds of UTC since 1970, values decimal numbers in the quantity's unit, exact to the thousandth.
public struct HistoryRows: Sendable {
    /// Rows with commas between them, without the brackets around all.
    public private(set) var bytes: [UInt8] = []
    public private(set) var count = 0

    /// The names of what a row has.
    public static let pointColumns = ["time", "value"]
    public static let bucketColumns = ["time", "min", "average", "max", "last", "count"]

    private static let keptRoom = 256 << 10
    /// Bytes of a row such as `,[1790000000000,12345.678]`.
    private static let usualPoint = 26

    /// `room` is how many bytes are expected.
    public init(room: Int = 0) {
        bytes.reserveCapacity(room)
    }

    /// No rows any more; their memory is kept for others, unless it is much more than a page takes.
    public mutating func removeAll() {
        bytes.removeAll(keepingCapacity: bytes.capacity <= HistoryRows.keptRoom)
        count = 0
    }

    /// `[time,value]` for each time and the value beside it.
    public mutating func points(_ times: UnsafeBufferPointer<Int64>, _ values: UnsafeBufferPointer<Int64>) {
        let all = min(times.count, values.count)
        grow(by: all * HistoryRows.usualPoint)
        var next = 0
        while next < all {
            let end = min(next + RowWriter.maximumRows, all)
            write { row in
                for i in next..<end {
                    row.begin()
                    row.time(times[i])
                    row.byte(UInt8(ascii: ","))
                    row.thousandths(values[i])
                    row.byte(UInt8(ascii: "]"))
                }
            }
            count += end - next
            next = end
        }
    }

    /// `[time,min,average,max,last,count]`; `time` is where the step begins.
    public mutating func bucket(
        _ time: Timestamp, min: Int64, average: Int64, max: Int64, last: Int64, count: Int
    ) {
        write { row in
            row.begin()
            row.time(time.milliseconds)
            for value in [min, average, max, last] {
                row.byte(UInt8(ascii: ","))
                row.thousandths(value)
            }
            row.byte(UInt8(ascii: ","))
            row.number(Int64(count))
            row.byte(UInt8(ascii: "]"))
        }
        self.count += 1
    }

    private mutating func grow(by count: Int) {
        let needed = bytes.count + count
        if needed > bytes.capacity { bytes.reserveCapacity(max(needed, 2 * bytes.count + 4096)) }
    }

    /// Rows of `body` with commas between them and before them.
    private mutating func write(_ body: (inout RowWriter) -> Void) {
        withUnsafeTemporaryAllocation(byteCount: RowWriter.room, alignment: 8) { room in
            guard let base = room.baseAddress else { return }
            var row = RowWriter(base)
            body(&row)
            let written = UnsafeRawBufferPointer(start: base, count: row.at - base)
            grow(by: written.count)
            // Each row brings its comma; the first of all needs none.
            bytes.append(contentsOf: count == 0 ? UnsafeRawBufferPointer(rebasing: written.dropFirst()) : written)
        }
    }
}

/// Writes rows into room that holds `maximumRows` of the longest points, or a bucket.
private struct RowWriter {
    static let maximumRows = 128
    /// A comma, brackets, 20 digits of a time and 23 characters of a value; numbers are stored eight digits at a time,
    /// so the last one may reach beyond its end.
    static let room = 48 * maximumRows + 8

    private(set) var at: UnsafeMutableRawPointer
    /// Digits of the time before, without the last eight: the same for a day.
    private var prefix = UInt64.max
    private var prefixText: UInt64 = 0
    private var prefixLength = 0

    init(_ start: UnsafeMutableRawPointer) { at = start }

    @inline(__always)
    mutating func byte(_ byte: UInt8) {
        at.storeBytes(of: byte, as: UInt8.self)
        at += 1
    }

    @inline(__always)
    mutating func begin() {
        byte(UInt8(ascii: ","))
        byte(UInt8(ascii: "["))
    }

    /// A time in ms.
    @inline(__always)
    mutating func time(_ value: Int64) {
        guard value >= 0 else { return number(value) }
        let (front, rest) = UInt64(value).quotientAndRemainder(dividingBy: 100_000_000)
        if front != prefix { guard take(front) else { return number(value) } }
        word(prefixText, count: prefixLength)
        word(EightDigits.text(rest), count: 8)
    }

    /// False if the front has no digits of its own, or more than eight.
    private mutating func take(_ front: UInt64) -> Bool {
        guard front > 0, front < 100_000_000 else { return false }
        let text = EightDigits.text(front)
        let zeros = EightDigits.leadingZeros(text)
        (prefix, prefixText, prefixLength) = (front, text >> UInt64(8 * zeros), 8 - zeros)
        return true
    }

    mutating func number(_ value: Int64) {
        if value < 0 { byte(UInt8(ascii: "-")) }
        digits(value.magnitude)
    }

    /// As `Thousandths.text` writes it: no zeros behind the last digit.
    @inline(__always)
    mutating func thousandths(_ value: Int64) {
        if value < 0 { byte(UInt8(ascii: "-")) }
        let (whole, fraction) = value.magnitude.quotientAndRemainder(dividingBy: 1000)
        digits(whole)
        guard fraction > 0 else { return }
        // The point takes the place of the zero before the last three of eight digits.
        let text = EightDigits.text(fraction) >> 32 & ~0xFF | UInt64(UInt8(ascii: "."))
        word(text, count: fraction % 10 != 0 ? 4 : fraction % 100 != 0 ? 3 : 2)
    }

    @inline(__always)
    private mutating func digits(_ value: UInt64) {
        guard value < 100_000_000 else { return longDigits(value) }
        let text = EightDigits.text(value)
        let zeros = min(7, EightDigits.leadingZeros(text))
        word(text >> UInt64(8 * zeros), count: 8 - zeros)
    }

    private mutating func longDigits(_ value: UInt64) {
        let (front, rest) = value.quotientAndRemainder(dividingBy: 100_000_000)
        digits(front)
        word(EightDigits.text(rest), count: 8)
    }

    /// The first `count` characters of a word of text.
    @inline(__always)
    private mutating func word(_ text: UInt64, count: Int) {
        at.storeBytes(of: text.littleEndian, as: UInt64.self)
        at += count
    }
}

/// Eight decimal digits at once: halves, pairs and digits of a number below 100,000,000 beside one another in a word.
/// Multiplying by a reciprocal is exact for numbers this small.
private enum EightDigits {
    /// ASCII, the first digit in the lowest byte.
    @inline(__always)
    static func text(_ value: UInt64) -> UInt64 {
        let halves = value / 10_000 | (value % 10_000) << 32
        let hundreds = (halves &* 10_486) >> 20 & 0x7F_0000_007F
        let pairs = hundreds | (halves &- 100 &* hundreds) << 16
        let tens = (pairs &* 103) >> 10 & 0x000F_000F_000F_000F
        let digits = tens | (pairs &- 10 &* tens) << 8
        return digits | 0x3030_3030_3030_3030
    }

    @inline(__always)
    static func leadingZeros(_ text: UInt64) -> Int {
        (text & 0x0F0F_0F0F_0F0F_0F0F).trailingZeroBitCount / 8
    }
}
