import Compression
import Records

/// Codec 2: values of one series. Layout: `BlockFormat.md`.
enum PointBlock {
    static let code: UInt8 = 2

    struct Flags: OptionSet {
        let rawValue: UInt8
        /// Every time lies where it is expected: there is no column of times.
        static let evenTimes = Flags(rawValue: 1 << 0)
        /// Every value is the first: there is no column of values.
        static let sameValues = Flags(rawValue: 1 << 1)
        /// The column of values holds changes of the change.
        static let secondDifferences = Flags(rawValue: 1 << 2)
        static let known: Flags = [.evenTimes, .sameValues, .secondDifferences]
    }

    /// The block, and the points as they will be read: times may have been moved onto a grid.
    ///
    /// Times rise, and there are from 1 to `TimeGrid.maximumCount`.
    static func encode(
        _ points: PointColumns, _ compressor: ZstdCompressor
    ) -> (bytes: [UInt8], points: PointColumns) {
        precondition((1...TimeGrid.maximumCount).contains(points.count) && points.values.count == points.count)
        let gridded = GriddedTimes(points.times, alreadyMoved: points.moved)
        let moved = points.moved + gridded.moved
        var writer = ByteWriter(capacity: 64)
        writer.fixed(code)
        writer.varint(UInt64(points.count))
        writer.signed(gridded.times[0])
        writer.varint(UInt64(moved))
        writer.varint(gridded.grid.step)
        let changes = ValueChanges(points.values, divisor: points.divisor)
        writer.signed(points.values[0])
        writer.varint(changes.divisor)
        var flags: Flags = gridded.deviations.isEmpty ? .evenTimes : []
        if changes.isZero { flags.insert(.sameValues) }
        if changes.prefersSecondDifferences { flags.insert(.secondDifferences) }
        writer.fixed(flags.rawValue)
        let count = gridded.deviations.count + (changes.isZero ? 0 : points.count - 1)
        CodeWriter.write(count: count) { codes in
            for deviation in gridded.deviations { codes.append(signed: deviation) }
            if !changes.isZero { changes.write(points.values, to: &codes) }
        } _: {
            writer.payload($0, compressor)
        }
        return (
            writer.bytes,
            PointColumns(
                times: gridded.times, values: points.values, moved: moved,
                divisor: changes.isZero ? 0 : changes.divisor)
        )
    }

    static func decode(_ reader: inout ByteReader, _ scratch: DecodingScratch) throws(RecordError) -> PointColumns {
        let start = reader.position
        let count = try reader.varint()
        guard (1...UInt64(TimeGrid.maximumCount)).contains(count) else { throw RecordError(.badValue, at: start) }
        var times = TimeReader(count: Int(count), first: try reader.signed())
        let moved = try reader.varint()
        times.grid = TimeGrid(step: try reader.varint())
        let first = try reader.signed()
        let divisor = Int64(bitPattern: try reader.varint())
        let flags = Flags(rawValue: try reader.fixed())
        guard moved <= UInt64(TimeGrid.farthestMove), times.grid.step <= UInt64(TimeGrid.longestStep) << 16,
            PointColumns.timeRange.contains(times.first), Flags.known.isSuperset(of: flags)
        else { throw RecordError(.badValue, at: start) }
        let columns = (flags.contains(.evenTimes) ? 0 : 1) + (flags.contains(.sameValues) ? 0 : 1)
        let codes = columns * (Int(count) - 1)
        return try reader.payload(codes: codes, scratch) {
            (content) throws(RecordError) in
            var points = PointColumns()
            points.moved = Int64(moved)
            points.divisor = flags.contains(.sameValues) ? 0 : UInt64(bitPattern: divisor)
            points.times = try flags.contains(.evenTimes) ? times.even(scratch) : times.read(&content, scratch)
            points.values =
                try flags.contains(.sameValues)
                ? [Int64](repeating: first, count: Int(count))
                : values(&content, Int(count), first, divisor, flags.contains(.secondDifferences), scratch)
            return points
        }
    }

    private static func values(
        _ content: inout CodeReader, _ count: Int, _ first: Int64, _ divisor: Int64, _ isSecond: Bool,
        _ scratch: DecodingScratch
    ) throws(RecordError) -> [Int64] {
        try scratch.column(count: count) { (values) throws(RecordError) in
            var value = first
            values[0] = first
            guard isSecond else {
                return try content.forEachSigned(count - 1) { i, code in
                    value &+= code &* divisor
                    values[i &+ 1] = value
                }
            }
            var change: Int64 = 0
            try content.forEachSigned(count - 1) { i, code in
                change &+= code
                value &+= change &* divisor
                values[i &+ 1] = value
            }
        }
    }
}

/// Makes the times of a block.
private struct TimeReader {
    let count: Int
    let first: Int64
    var grid = TimeGrid(step: 0)

    init(count: Int, first: Int64) {
        self.count = count
        self.first = first
    }

    /// All where they are expected.
    func even(_ scratch: DecodingScratch) throws(RecordError) -> [Int64] {
        guard count == 1 || grid.step >= 1 << 16 else { throw RecordError(.badValue, at: 0) }
        let (first, grid) = (first, grid)
        // Times rise, so with both ends all of them are in range.
        guard PointColumns.timeRange.contains(grid.time(count - 1, after: first)) else {
            throw RecordError(.badValue, at: 0)
        }
        return try scratch.column(count: count) { times in
            if grid.step & 0xFFFF == 0 {
                // Whole milliseconds, as nearly always.
                let step = Int64(grid.step >> 16)
                var time = first
                for i in 0..<times.count {
                    times[i] = time
                    time &+= step
                }
            } else {
                for i in 0..<times.count { times[i] = grid.time(i, after: first) }
            }
        }
    }

    func read(_ content: inout CodeReader, _ scratch: DecodingScratch) throws(RecordError) -> [Int64] {
        try scratch.column(count: count) { (times) throws(RecordError) in
            var (base, index, previous) = (first, 0, first)
            times[0] = first
            for i in 1..<max(1, times.count) {
                index += 1
                var time = grid.time(index, after: base)
                let deviation = try content.nextSigned()
                if deviation != 0 {
                    time &+= deviation
                    (base, index) = (time, 0)
                }
                guard time > previous, time <= PointColumns.timeRange.upperBound else {
                    throw RecordError(.badValue, at: i)
                }
                times[i] = time
                previous = time
            }
        }
    }
}

/// What the values of a block do from one to the next.
private struct ValueChanges {
    let divisor: UInt64
    let isZero: Bool
    let prefersSecondDifferences: Bool

    init(_ values: [Int64], divisor floor: UInt64) {
        var common = CommonDivisor(floor: floor)
        var (firsts, seconds): (UInt64, UInt64) = (0, 0)
        values.withUnsafeBufferPointer { values in
            var change: Int64 = 0
            for i in 1..<max(1, values.count) {
                let before = change
                change = values[i] &- values[i &- 1]
                common.add(change.magnitude)
                // Only the order of magnitude counts, so a few huge ones must not decide.
                firsts &+= min(change.magnitude, 1 << 32)
                seconds &+= min((change &- before).magnitude, 1 << 32)
            }
        }
        divisor = common.divisor
        isZero = common.value == 0
        prefersSecondDifferences = !isZero && seconds < firsts / 2
    }

    func write(_ values: [Int64], to codes: inout CodeWriter) {
        let division = ExactDivision(by: divisor)
        values.withUnsafeBufferPointer { values in
            guard prefersSecondDifferences else {
                for i in 1..<max(1, values.count) {
                    codes.append(signed: division.quotient(values[i] &- values[i &- 1]))
                }
                return
            }
            var before: Int64 = 0
            for i in 1..<max(1, values.count) {
                let change = division.quotient(values[i] &- values[i &- 1])
                codes.append(signed: change &- before)
                before = change
            }
        }
    }
}
