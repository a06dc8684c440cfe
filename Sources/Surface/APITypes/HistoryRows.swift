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

    public init() {}

    /// `[time,value]` for each time and the value beside it.
    public mutating func points(_ times: UnsafeBufferPointer<Int64>, _ values: UnsafeBufferPointer<Int64>) {
        var next = 0
        while next < min(times.count, values.count) {
            let end = min(next + RowWriter.maximumRows, times.count, values.count)
            write { row in
                for i in next..<end {
                    row.begin()
                    row.number(times[i])
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
            row.number(time.milliseconds)
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

    /// Rows of `body` with commas between them and before them.
    private mutating func write(_ body: (inout RowWriter) -> Void) {
        withUnsafeTemporaryAllocation(byteCount: RowWriter.room, alignment: 8) { room in
            guard let base = room.baseAddress else { return }
            var row = RowWriter(base)
            body(&row)
            let written = UnsafeRawBufferPointer(start: base, count: row.at - base)
            if bytes.count + written.count > bytes.capacity { bytes.reserveCapacity(2 * bytes.count + 4096) }
            // Each row brings its comma; the first of all needs none.
            bytes.append(contentsOf: count == 0 ? UnsafeRawBufferPointer(rebasing: written.dropFirst()) : written)
        }
    }
}

/// Writes rows into room that holds `maximumRows` of the longest points, or a bucket.
private struct RowWriter {
    static let maximumRows = 128
    /// A comma, brackets, 20 digits of a time and 23 characters of a value.
    static let room = 48 * maximumRows

    private(set) var at: UnsafeMutableRawPointer

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

    @inline(__always)
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
        byte(UInt8(ascii: "."))
        let (tenths, rest) = fraction.quotientAndRemainder(dividingBy: 100)
        byte(UInt8(ascii: "0") + UInt8(tenths))
        guard rest > 0 else { return }
        pair(rest, to: at)
        at += rest % 10 == 0 ? 1 : 2
    }

    /// Two digits at a time: dividing is what takes the time.
    private mutating func digits(_ value: UInt64) {
        let end = at + RowWriter.length(value)
        var (place, rest) = (end, value)
        while rest >= 100 {
            let (others, two) = rest.quotientAndRemainder(dividingBy: 100)
            place -= 2
            pair(two, to: place)
            rest = others
        }
        if rest >= 10 {
            pair(rest, to: place - 2)
        } else {
            (place - 1).storeBytes(of: UInt8(ascii: "0") + UInt8(rest), as: UInt8.self)
        }
        at = end
    }

    /// How many digits a number has.
    private static func length(_ value: UInt64) -> Int {
        var (length, limit) = (1, UInt64(10))
        while length < 20, value >= limit {
            length += 1
            limit &*= 10
        }
        return length
    }

    @inline(__always)
    private func pair(_ value: UInt64, to place: UnsafeMutableRawPointer) {
        let (tens, ones) = value.quotientAndRemainder(dividingBy: 10)
        place.storeBytes(of: UInt16(0x3030 | tens | ones << 8).littleEndian, as: UInt16.self)
    }
}
