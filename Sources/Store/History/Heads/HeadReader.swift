import Records

/// Writes the operations of a head (`HeadBlock`).
struct HeadWriter {
    private let room: UnsafeMutableRawBufferPointer
    private var count = 0

    /// `room` has eight bytes more than are ever written.
    init(_ room: UnsafeMutableRawBufferPointer) {
        self.room = room
    }

    var written: UnsafeRawBufferPointer { UnsafeRawBufferPointer(rebasing: room[..<count]) }

    @inline(__always)
    mutating func byte(_ byte: UInt8) {
        room[count] = byte
        count += 1
    }

    mutating func varint(_ value: UInt64) {
        var rest = value
        while rest >= 0x80 {
            byte(UInt8(truncatingIfNeeded: rest) | 0x80)
            rest >>= 7
        }
        byte(UInt8(rest))
    }

    @inline(__always)
    mutating func block(_ block: SIMD8<UInt32>, code: Int) {
        let width = HeadBlock.width(code: code)
        precondition(count + width + 8 <= room.count)
        guard width > 0, let base = room.baseAddress else { return }
        HeadBlock.write(block, width: width, to: base + count)
        count += width
    }
}

/// Values of one head.
struct HeadPoints: Sendable {
    private var columns = PointColumns()
    private var isOrdered = true

    init() {}

    var isEmpty: Bool { columns.count == 0 }

    /// `divisor` divides the difference of any two values; `read` sets all of both columns.
    init(
        count: Int, isOrdered: Bool, divisor: UInt64,
        _ read: (UnsafeMutableBufferPointer<Int64>, UnsafeMutableBufferPointer<Int64>) -> Void
    ) {
        var values: [Int64] = []
        columns.times = [Int64](unsafeUninitializedCapacity: count) { times, timesFilled in
            values = [Int64](unsafeUninitializedCapacity: count) { values, filled in
                read(.init(rebasing: times[..<count]), .init(rebasing: values[..<count]))
                (timesFilled, filled) = (count, count)
            }
        }
        columns.values = values
        self.isOrdered = isOrdered
        columns.divisor = divisor
    }

    /// In the order of time; of several values for one instant the one that came last.
    func sorted() -> PointColumns {
        if isOrdered { return columns }
        let order = columns.times.indices.sorted { (columns.times[$0], $0) < (columns.times[$1], $1) }
        var sorted = PointColumns()
        sorted.divisor = columns.divisor
        for i in order {
            if sorted.times.last == columns.times[i] {
                sorted.values[sorted.values.count - 1] = columns.values[i]
            } else {
                sorted.times.append(columns.times[i])
                sorted.values.append(columns.values[i])
            }
        }
        return sorted
    }
}

/// Reads the operations of a head (`HeadBlock`).
struct HeadReader {
    /// Bytes that may be read behind the last operation.
    static let slack = 8

    private let bytes: UnsafeRawBufferPointer
    private let times: UnsafeMutableBufferPointer<Int64>
    private let values: UnsafeMutableBufferPointer<Int64>
    private var at = 0
    private var filled = 0
    private var time: Int64
    private var value: Int64
    private var step: Int32
    private var divisor: Int64

    /// `bytes` are a head's and `slack` more.
    init(
        _ bytes: UnsafeRawBufferPointer, _ times: UnsafeMutableBufferPointer<Int64>,
        _ values: UnsafeMutableBufferPointer<Int64>
    ) {
        (self.bytes, self.times, self.values) = (bytes, times, values)
        time = Code.signed(HeadReader.varint(bytes, &at))
        value = Code.signed(HeadReader.varint(bytes, &at))
        step = Int32(truncatingIfNeeded: HeadReader.varint(bytes, &at))
        divisor = Int64(HeadReader.varint(bytes, &at))
        store()
    }

    /// The time of a head's first value, which its first bytes tell.
    static func firstTime(_ bytes: UnsafeRawBufferPointer) -> Int64 {
        var at = 0
        return Code.signed(varint(bytes, &at))
    }

    /// Whether there are as many values as there is room for.
    var isDone: Bool { filled == times.count }

    @inline(__always)
    private mutating func store() {
        times[filled] = time
        values[filled] = value
        filled += 1
    }

    /// A value by its change, which is not divided, and what its time deviates.
    @inline(__always)
    mutating func put(_ change: Int64, _ deviation: Int64) {
        value &+= change
        let difference = Int64(step) &+ deviation
        time &+= difference
        if deviation != 0 { step = HeadBlock.step(step, deviation, difference) }
        store()
    }

    mutating func readPacked() {
        let end = bytes.count - HeadReader.slack
        var limit = HeadBlock.count
        while at < end {
            let operation = bytes[at]
            at += 1
            switch operation {
            case ..<HeadBlock.run:
                block(operation, limit)
                limit = HeadBlock.count
            case ..<(HeadBlock.run + HeadBlock.longestRun): putRun(Int(operation - HeadBlock.run) + 1)
            case HeadBlock.point:
                let difference = Code.signed(HeadReader.varint(bytes, &at))
                let change = Code.signed(HeadReader.varint(bytes, &at))
                let deviation = difference &- Int64(step)
                value &+= change
                time &+= difference
                step = HeadBlock.step(step, deviation, difference)
                store()
            case HeadBlock.divisor: divisor = Int64(HeadReader.varint(bytes, &at))
            default: limit = Int(operation - HeadBlock.part)
            }
        }
    }

    /// So many blocks without a change, each value where it is expected.
    mutating func putRun(_ blocks: Int) {
        for _ in 0..<blocks * HeadBlock.count { put(0, 0) }
    }

    @inline(__always)
    private mutating func block(_ head: UInt8, _ limit: Int) {
        let changes = read(code: Int(head & 15))
        if head & HeadBlock.deviates == 0, limit == HeadBlock.count { return putAll(changes) }
        var deviations = SIMD8<Int32>()
        if head & HeadBlock.deviates != 0 {
            let code = Int(bytes[at])
            at += 1
            deviations = read(code: code)
        }
        for i in 0..<limit { put(Int64(changes[i]) &* divisor, Int64(deviations[i])) }
    }

    /// Eight values, each where it is expected.
    @inline(__always)
    private mutating func putAll(_ changes: SIMD8<Int32>) {
        precondition(filled + HeadBlock.count <= times.count)
        var (time, value, place) = (time, value, filled)
        let step = Int64(step)
        for i in 0..<HeadBlock.count {
            time &+= step
            value &+= Int64(changes[i]) &* divisor
            times[place] = time
            values[place] = value
            place &+= 1
        }
        (self.time, self.value, filled) = (time, value, place)
    }

    @inline(__always)
    private mutating func read(code: Int) -> SIMD8<Int32> {
        let width = HeadBlock.width(code: code)
        precondition(at + width + HeadReader.slack <= bytes.count)
        guard let base = bytes.baseAddress else { return SIMD8() }
        let block = HeadBlock.read(width: width, from: base + at)
        at += width
        return HeadBlock.signed(block)
    }

    @inline(__always)
    private static func varint(_ bytes: UnsafeRawBufferPointer, _ at: inout Int) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while true {
            let byte = bytes[at]
            at += 1
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
            shift += 7
        }
    }
}
