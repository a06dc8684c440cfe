import Compression
import Records
import Timekeeping

/// Codec 3: buckets of one series. Layout: `BlockFormat.md`.
enum BucketBlock {
    static let code: UInt8 = 3
    /// Buckets of one block: a query for a few of them decodes one block.
    static let maximumCount = 1024
    /// Values that one bucket may count: a thousand times as many as a quarter of an hour has milliseconds, since late
    /// values may count again, and few enough that the counts of all buckets there can be fit into 62 bits.
    static let maximumValues: Int64 = 1 << 30

    struct Flags: OptionSet {
        let rawValue: UInt8
        /// Each bucket begins where the one before ends: there is no column of starts.
        static let evenTimes = Flags(rawValue: 1 << 0)
        /// Every bucket has as many values as the first.
        static let sameCounts = Flags(rawValue: 1 << 1)
        /// Sums are 16 bytes each, outside of the columns.
        static let wideSums = Flags(rawValue: 1 << 2)
        static let known: Flags = [.evenTimes, .sameCounts, .wideSums]
    }

    /// `step` is the tier's; starts rise and are multiples of it.
    static func encode(_ buckets: BucketColumns, step: Int64, _ compressor: ZstdCompressor) -> [UInt8] {
        precondition((1...maximumCount).contains(buckets.count))
        var common = CommonDivisor()
        var flags: Flags = [.evenTimes, .sameCounts]
        let excesses = buckets.excesses()
        if excesses == nil { flags.insert(.wideSums) }
        for i in 0..<buckets.count {
            if i > 0 {
                common.add((buckets.minima[i] &- buckets.minima[i - 1]).magnitude)
                if buckets.starts[i] - buckets.starts[i - 1] != step { flags.remove(.evenTimes) }
                if buckets.counts[i] != buckets.counts[0] { flags.remove(.sameCounts) }
            }
            common.add(UInt64(bitPattern: buckets.maxima[i] &- buckets.minima[i]))
            common.add(UInt64(bitPattern: buckets.maxima[i] &- buckets.lasts[i]))
            if let excesses { common.add(excesses[i]) }
        }
        var writer = ByteWriter(capacity: 64)
        writer.fixed(code)
        writer.varint(UInt64(buckets.count))
        writer.varint(UInt64(step))
        writer.signed(buckets.starts[0] / step)
        writer.signed(buckets.counts[0])
        writer.signed(buckets.minima[0])
        writer.varint(common.divisor)
        writer.fixed(flags.rawValue)
        if flags.contains(.wideSums) {
            for sum in buckets.sums { writer.fixed(sum) }
        }
        CodeWriter.write(count: codeCount(buckets.count, flags)) { codes in
            write(buckets, excesses, step, flags, ExactDivision(by: common.divisor), &codes)
        } _: {
            writer.payload($0, compressor)
        }
        return writer.bytes
    }

    /// Integers in all columns.
    fileprivate static func codeCount(_ count: Int, _ flags: Flags) -> Int {
        let shared = (flags.contains(.evenTimes) ? 0 : count - 1) + (flags.contains(.sameCounts) ? 0 : count - 1)
        return shared + (count - 1) + 2 * count + (flags.contains(.wideSums) ? 0 : count)
    }

    private static func write(
        _ buckets: BucketColumns, _ excesses: [UInt64]?, _ step: Int64, _ flags: Flags, _ division: ExactDivision,
        _ codes: inout CodeWriter
    ) {
        let count = buckets.count
        if !flags.contains(.evenTimes) {
            for i in 1..<count { codes.append(UInt64((buckets.starts[i] - buckets.starts[i - 1]) / step - 1)) }
        }
        if !flags.contains(.sameCounts) {
            for i in 1..<count { codes.append(signed: buckets.counts[i] &- buckets.counts[i - 1]) }
        }
        for i in 1..<max(1, count) {
            codes.append(signed: division.quotient(buckets.minima[i] &- buckets.minima[i - 1]))
        }
        for i in 0..<count {
            codes.append(division.quotient(UInt64(bitPattern: buckets.maxima[i] &- buckets.minima[i])))
        }
        for i in 0..<count {
            codes.append(division.quotient(UInt64(bitPattern: buckets.maxima[i] &- buckets.lasts[i])))
        }
        if let excesses {
            for i in 0..<count { codes.append(division.quotient(excesses[i])) }
        }
    }

    static func decode(_ reader: inout ByteReader, _ scratch: DecodingScratch) throws(RecordError) -> BucketColumns {
        let start = reader.position
        let count = Int(clamping: try reader.varint())
        let step = Int64(clamping: try reader.varint())
        let index = try reader.signed()
        let firstCount = try reader.signed()
        let minimum = try reader.signed()
        let divisor = try reader.varint()
        let times = PointColumns.timeRange
        guard (1...maximumCount).contains(count), HistoryTier.rollUps.contains(where: { $0.step == step }),
            (times.lowerBound / step...times.upperBound / step).contains(index)
        else { throw RecordError(.badValue, at: start) }
        let flags = Flags(rawValue: try reader.fixed())
        guard Flags.known.isSuperset(of: flags) else { throw RecordError(.badValue, at: start) }
        var buckets = BucketColumns()
        if flags.contains(.wideSums) {
            for _ in 0..<count { buckets.sums.append(try reader.fixed()) }
        }
        buckets.step = step
        let codes = codeCount(count, flags)
        let decoded = BucketReader(
            count: count, step: step, index: index, firstCount: firstCount, minimum: minimum, divisor: divisor,
            flags: flags)
        return try reader.payload(codes: codes, scratch) {
            (content) throws(RecordError) in
            try decoded.read(&content, into: buckets)
        }
    }
}

private struct BucketReader {
    let count: Int
    let step: Int64
    let index: Int64
    let firstCount: Int64
    let minimum: Int64
    let divisor: UInt64
    let flags: BucketBlock.Flags

    func read(_ content: inout CodeReader, into given: BucketColumns) throws(RecordError) -> BucketColumns {
        var buckets = given
        let signedDivisor = Int64(bitPattern: divisor)
        let (step, isEven, isSame) = (step, flags.contains(.evenTimes), flags.contains(.sameCounts))
        buckets.starts = try [Int64](count: count) { (starts) throws(RecordError) in
            var next = index
            starts[0] = next * step
            for i in 1..<max(1, starts.count) {
                let skipped = isEven ? 0 : try content.next()
                guard skipped < 1 << 40, next < 1 << 41 else { throw RecordError(.badValue, at: i) }
                next += 1 + Int64(skipped)
                starts[i] = next * step
            }
            guard next * step <= PointColumns.timeRange.upperBound else { throw RecordError(.badValue, at: 0) }
        }
        buckets.counts = try [Int64](count: count) { (counts) throws(RecordError) in
            var value = firstCount
            for i in 0..<counts.count {
                if i > 0, !isSame { value &+= try content.nextSigned() }
                guard value > 0, value <= BucketBlock.maximumValues else { throw RecordError(.badValue, at: i) }
                counts[i] = value
            }
        }
        buckets.minima = try [Int64](count: count) { (minima) throws(RecordError) in
            var value = minimum
            minima[0] = value
            for i in 1..<max(1, minima.count) {
                value &+= try content.nextSigned() &* signedDivisor
                minima[i] = value
            }
        }
        try readRest(&content, into: &buckets)
        return buckets
    }

    /// Maxima, lasts and sums; a bucket that contradicts itself is damage.
    private func readRest(_ content: inout CodeReader, into buckets: inout BucketColumns) throws(RecordError) {
        var isSound = true
        let minima = buckets.minima
        let maxima = try [Int64](count: count) { (maxima) throws(RecordError) in
            for i in 0..<maxima.count {
                maxima[i] = minima[i] &+ Int64(bitPattern: try content.next() &* divisor)
                if maxima[i] < minima[i] { isSound = false }
            }
        }
        buckets.lasts = try [Int64](count: count) { (lasts) throws(RecordError) in
            for i in 0..<lasts.count {
                lasts[i] = maxima[i] &- Int64(bitPattern: try content.next() &* divisor)
                if lasts[i] < minima[i] || lasts[i] > maxima[i] { isSound = false }
            }
        }
        buckets.maxima = maxima
        if !flags.contains(.wideSums) {
            buckets.sums.reserveCapacity(count)
            for i in 0..<count {
                let excess = Int128(try content.next() &* divisor)
                buckets.sums.append(Int128(minima[i]) * Int128(buckets.counts[i]) + excess)
            }
        }
        for i in 0..<count {
            let (sum, values) = (buckets.sums[i], Int128(buckets.counts[i]))
            if sum < Int128(minima[i]) * values || sum > Int128(maxima[i]) * values { isSound = false }
        }
        guard isSound else { throw RecordError(.badValue, at: 0) }
    }
}

extension BucketColumns {
    /// What each sum is above as many minima; nil where one does not fit in 64 bits.
    fileprivate func excesses() -> [UInt64]? {
        var excesses: [UInt64] = []
        excesses.reserveCapacity(count)
        for i in 0..<count {
            guard let excess = UInt64(exactly: sums[i] - Int128(minima[i]) * Int128(counts[i])) else { return nil }
            excesses.append(excess)
        }
        return excesses
    }
}
