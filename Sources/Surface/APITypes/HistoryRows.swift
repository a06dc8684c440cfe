import Timekeeping

/// Rows of a series' history as JSON arrays, written straight from integers: a day of one series is 8,640 of them.
///
/// Times are milliseconds of UTC since 1970, values decimal numbers in the quantity's unit, exact to the thousandth.
package struct HistoryRows: Sendable {
    /// Rows with commas between them, without the brackets around all.
    package private(set) var bytes: [UInt8] = []
    package private(set) var count = 0

    /// The names of what a row has.
    package static let pointColumns = ["time", "value"]
    package static let bucketColumns = ["time", "min", "average", "max", "last", "count"]

    package init() {}

    /// `[time,value]`
    package mutating func point(_ time: Int64, _ value: Int64) {
        begin(room: 48)
        number(time)
        bytes.append(UInt8(ascii: ","))
        thousandths(value)
        bytes.append(UInt8(ascii: "]"))
    }

    /// `[time,min,average,max,last,count]`; `time` is where the step begins.
    package mutating func bucket(
        _ time: Timestamp, min: Int64, average: Int64, max: Int64, last: Int64, count: Int
    ) {
        begin(room: 160)
        number(time.milliseconds)
        for value in [min, average, max, last] {
            bytes.append(UInt8(ascii: ","))
            thousandths(value)
        }
        bytes.append(UInt8(ascii: ","))
        number(Int64(count))
        bytes.append(UInt8(ascii: "]"))
    }

    private mutating func begin(room: Int) {
        if bytes.count + room > bytes.capacity { bytes.reserveCapacity(2 * bytes.count + 4096) }
        if count > 0 { bytes.append(UInt8(ascii: ",")) }
        bytes.append(UInt8(ascii: "["))
        count += 1
    }

    /// As `Thousandths.text` writes it: no zeros behind the last digit.
    private mutating func thousandths(_ value: Int64) {
        if value < 0 { bytes.append(UInt8(ascii: "-")) }
        let (whole, fraction) = value.magnitude.quotientAndRemainder(dividingBy: 1000)
        digits(whole)
        guard fraction > 0 else { return }
        bytes.append(UInt8(ascii: "."))
        var rest = fraction
        var unit: UInt64 = 100
        while rest > 0 {
            bytes.append(UInt8(ascii: "0") + UInt8(rest / unit))
            rest %= unit
            unit /= 10
        }
    }

    private mutating func number(_ value: Int64) {
        if value < 0 { bytes.append(UInt8(ascii: "-")) }
        digits(value.magnitude)
    }

    private mutating func digits(_ value: UInt64) {
        withUnsafeTemporaryAllocation(byteCount: 20, alignment: 1) { buffer in
            var at = 20
            var rest = value
            repeat {
                at -= 1
                buffer[at] = UInt8(ascii: "0") + UInt8(rest % 10)
                rest /= 10
            } while rest > 0
            bytes.append(contentsOf: UnsafeRawBufferPointer(rebasing: buffer[at...]))
        }
    }
}
