import Records

/// The values of one series that no file has yet, in the order they came, as bytes: most take one or two.
///
/// The first value is stored as it is; each other is a varint of its change (over a divisor that all changes have,
/// zigzag) × 2 + 1 if its time is not the expected one, which then follows as a signed difference. These bytes live in
/// memory only. The struct is one line of the processor's cache: readings come series by series, so each finds its head
/// cold.
struct SeriesHead: Sendable {
    /// The bytes by eights, low byte first.
    private var words: [UInt64] = []
    /// Up to seven bytes that `words` lacks yet, low byte first: most values touch no other memory than this struct.
    private var tail: UInt64 = 0
    private var newest = HeadPoint()
    /// The time between two values, as it has been; kept when the head is emptied, as the divisor is.
    private var step: Int64 = 0
    /// Divides every change; 0 while nothing has changed.
    private var divisor: Int64 = 0
    /// Nil while values came in the order of time.
    private var disorder: Disorder?
    private var number: UInt32 = 0
    private var tailCount: UInt8 = 0
    /// No change can have wrapped around, so the divisor divides the difference of any two values.
    private var isNarrow = true

    /// One value's time and value.
    struct HeadPoint: Sendable {
        var time: Int64 = 0
        var value: Int64 = 0
    }

    /// What is else known without decoding, of a series whose values did not come in the order of time.
    private final class Disorder: Sendable {
        /// The earliest time.
        let first: Int64
        /// The latest value of those before `newest`.
        let peak: HeadPoint

        init(first: Int64, peak: HeadPoint) {
            self.first = first
            self.peak = peak
        }
    }

    var count: Int { Int(number) }
    /// Bytes that the values take.
    var byteCount: Int { words.count * 8 + Int(tailCount) }

    /// What is known to divide all changes of the value.
    var knownDivisor: UInt64 { isNarrow && divisor > 0 ? divisor.magnitude : 1 }

    /// The earliest time; nil without values.
    var first: Int64? {
        if let disorder { return disorder.first }
        return count == 0 ? nil : HeadReader(content()).start.time
    }

    /// The value with the latest time; of several with one time the one that came last.
    var latest: HeadPoint? {
        if count == 0 { return nil }
        if let peak = disorder?.peak, peak.time > newest.time { return peak }
        return newest
    }

    /// Returns by how many bytes the head grew.
    @inline(__always)
    mutating func append(_ time: Int64, _ value: Int64) -> Int {
        guard number > 0 else { return begin(time, value) }
        if time <= newest.time { noteDisorder(time) }
        if value.magnitude >= 1 << 61 { isNarrow = false }
        let change = value &- newest.value
        var quotient: Int64 = 0
        var grown = 0
        if change != 0 {
            if divisor == 0 { divisor = Int64(clamping: change.magnitude) }
            quotient = change / divisor
            if quotient &* divisor != change {
                grown = refine(change)
                quotient = change / divisor
            }
        }
        grown += write(time, quotient)
        newest = HeadPoint(time: time, value: value)
        number += 1
        return grown
    }

    private mutating func begin(_ time: Int64, _ value: Int64) -> Int {
        isNarrow = value.magnitude < 1 << 61
        newest = HeadPoint(time: time, value: value)
        number = 1
        return put(Code.zigzag(time)) + put(Code.zigzag(value)) + put(Code.zigzag(step))
    }

    private mutating func noteDisorder(_ time: Int64) {
        let peak = latest ?? newest
        let first = self.first ?? time
        disorder = Disorder(first: min(first, time), peak: peak)
    }

    @inline(__always)
    private mutating func write(_ time: Int64, _ change: Int64) -> Int {
        let code = Code.zigzag(change)
        let deviation = time &- (newest.time &+ step)
        if deviation == 0, code < HeadReader.wide >> 1 { return put(code << 1) }
        return writeDeviating(code, deviation, time &- newest.time)
    }

    private mutating func writeDeviating(_ code: UInt64, _ deviation: Int64, _ difference: Int64) -> Int {
        let flag: UInt64 = deviation == 0 ? 0 : 1
        var grown = 0
        if code < HeadReader.wide >> 1 {
            grown = put(code << 1 | flag)
        } else {
            grown = put(HeadReader.wide | flag) + put(code)
        }
        if flag == 0 { return grown }
        step = HeadReader.nextStep(step, deviation, difference)
        return grown + put(Code.zigzag(deviation))
    }

    /// Writes a varint.
    @inline(__always)
    private mutating func put(_ value: UInt64) -> Int {
        var rest = value
        var count = 1
        while rest >= 0x80 {
            put(byte: rest & 0x7F | 0x80)
            rest >>= 7
            count += 1
        }
        put(byte: rest)
        return count
    }

    @inline(__always)
    private mutating func put(byte: UInt64) {
        tail |= byte &<< UInt64(truncatingIfNeeded: tailCount &* 8)
        tailCount += 1
        if tailCount == 8 { spill() }
    }

    private mutating func spill() {
        if words.count == words.capacity {
            // An eighth more each time: doubling would leave a third of all heads' memory unused.
            words.reserveCapacity(words.count + max(8, words.count / 8))
        }
        words.append(tail.littleEndian)
        (tail, tailCount) = (0, 0)
    }

    private func content() -> [UInt64] { words + [tail.littleEndian] }

    /// A change that the divisor does not divide: everything is written again with one that divides all.
    private mutating func refine(_ change: Int64) -> Int {
        var (a, b) = (divisor.magnitude, change.magnitude)
        while b != 0 { (a, b) = (b, a % b) }
        let before = byteCount
        let reader = HeadReader(content())
        let points = reader.points(count: count, divisor: divisor)
        (words, tail, tailCount) = ([], 0, 0)
        let (kept, total) = (newest, number)
        divisor = Int64(clamping: a)
        step = reader.step
        _ = begin(points.times[0], points.values[0])
        for i in 1..<max(1, points.count) {
            _ = write(points.times[i], (points.values[i] &- newest.value) / divisor)
            newest = HeadPoint(time: points.times[i], value: points.values[i])
        }
        (newest, number) = (kept, total)
        isNarrow = points.values.allSatisfy { $0.magnitude < 1 << 61 } && change.magnitude < 1 << 61
        return byteCount - before
    }

    /// Forgets the values, but not what their steps and divisor have been.
    mutating func removeAll() {
        words = []
        (tail, tailCount, number) = (0, 0, 0)
        disorder = nil
        isNarrow = true
    }

    /// In the order of time; of several values for one instant the one that came last.
    func sorted() -> PointColumns {
        guard count > 0 else { return PointColumns() }
        let points = HeadReader(content()).points(count: count, divisor: divisor)
        if disorder == nil { return points }
        let order = points.times.indices.sorted { (points.times[$0], $0) < (points.times[$1], $1) }
        var sorted = PointColumns()
        for i in order {
            if sorted.times.last == points.times[i] {
                sorted.values[sorted.values.count - 1] = points.values[i]
            } else {
                sorted.times.append(points.times[i])
                sorted.values.append(points.values[i])
            }
        }
        return sorted
    }
}

/// Reads the bytes of a head.
private struct HeadReader {
    /// Set in codes whose change follows as a varint of its own because it has more than 62 bits.
    static let wide: UInt64 = 1 << 63

    private let words: [UInt64]
    private let position: Int
    let start: SeriesHead.HeadPoint
    /// The step that the head began with.
    let step: Int64

    init(_ words: [UInt64]) {
        self.words = words
        var at = 0
        (start, step) = words.withUnsafeBytes { bytes in
            let time = Code.signed(HeadReader.varint(bytes, &at))
            let value = Code.signed(HeadReader.varint(bytes, &at))
            return (SeriesHead.HeadPoint(time: time, value: value), Code.signed(HeadReader.varint(bytes, &at)))
        }
        position = at
    }

    /// The step that the following values are expected with: rounded, so that jitter of the first does not stay in it.
    static func nextStep(_ step: Int64, _ deviation: Int64, _ difference: Int64) -> Int64 {
        guard difference > 0, step == 0 || deviation.magnitude > step.magnitude / 2 else { return step }
        return difference < 1000 ? difference : (difference &+ 50) / 100 &* 100
    }

    /// All values in the order they came.
    func points(count: Int, divisor: Int64) -> PointColumns {
        var points = PointColumns()
        points.times = [Int64](repeating: start.time, count: count)
        points.values = [Int64](repeating: start.value, count: count)
        words.withUnsafeBytes { bytes in
            points.times.withUnsafeMutableBufferPointer { times in
                points.values.withUnsafeMutableBufferPointer { values in
                    var (at, step) = (position, step)
                    var (time, value) = (start.time, start.value)
                    for i in 1..<max(1, count) {
                        let head = HeadReader.varint(bytes, &at)
                        let isWide = head >= HeadReader.wide
                        let code = isWide ? HeadReader.varint(bytes, &at) : head >> 1
                        value &+= Code.signed(code) &* divisor
                        let before = time
                        time &+= step
                        if head & 1 != 0 {
                            let deviation = Code.signed(HeadReader.varint(bytes, &at))
                            time &+= deviation
                            step = HeadReader.nextStep(step, deviation, time &- before)
                        }
                        times[i] = time
                        values[i] = value
                    }
                }
            }
        }
        return points
    }

    @inline(__always)
    private static func varint(_ bytes: UnsafeRawBufferPointer, _ at: inout Int) -> UInt64 {
        var value = UInt64(bytes[at])
        at += 1
        if value < 0x80 { return value }
        value &= 0x7F
        var shift: UInt64 = 7
        while true {
            let byte = bytes[at]
            at += 1
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
            shift += 7
        }
    }
}
