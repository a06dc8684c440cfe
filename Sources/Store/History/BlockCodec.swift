import Records

/// One series' points of one file as bytes. Layout: `BlockFormat.md`.
enum BlockCodec {
    /// Integers as varints: the change of the time step, and the change of the value over a common divisor.
    static let deltaVarint: UInt8 = 1

    /// `times` rise; both are of the same length and not empty.
    static func encode(times: [Int64], values: [Int64]) -> [UInt8] {
        precondition(times.count == values.count && !times.isEmpty)
        let divisor = commonDivisor(values)
        var writer = ByteWriter(capacity: 24 + times.count * 3)
        writer.fixed(deltaVarint)
        writer.varint(UInt64(times.count))
        writer.varint(UInt64(divisor))
        writer.signed(times[0])
        writer.signed(values[0])
        var step: Int64 = 0
        for i in 1..<max(1, times.count) {
            let next = times[i] &- times[i - 1]
            writer.signed(next &- step)
            step = next
            writer.signed((values[i] &- values[i - 1]) / divisor)
        }
        return writer.bytes
    }

    /// The greatest number that divides every change of the value.
    private static func commonDivisor(_ values: [Int64]) -> Int64 {
        var divisor: UInt64 = 0
        for i in 1..<max(1, values.count) where divisor != 1 {
            var rest = (values[i] &- values[i - 1]).magnitude
            while rest != 0 { (divisor, rest) = (rest, divisor % rest) }
        }
        return divisor == 0 ? 1 : Int64(exactly: divisor) ?? 1
    }

    static func decode(_ bytes: UnsafeRawBufferPointer) throws(RecordError) -> (times: [Int64], values: [Int64]) {
        var reader = ByteReader(bytes)
        guard try reader.fixed(UInt8.self) == deltaVarint else { throw RecordError(.newerFormat, at: 0) }
        let count = try reader.varint()
        // A point takes two bytes at least, the first one more: a larger count is damage, not a reason to allocate.
        guard count > 0, count <= UInt64(reader.remaining) / 2 + 1 else {
            throw RecordError(.badValue, at: reader.position)
        }
        guard let divisor = Int64(exactly: try reader.varint()), divisor > 0 else {
            throw RecordError(.badValue, at: reader.position)
        }
        var times: [Int64] = []
        var values: [Int64] = []
        times.reserveCapacity(Int(count))
        values.reserveCapacity(Int(count))
        var time = try reader.signed()
        var value = try reader.signed()
        var step: Int64 = 0
        times.append(time)
        values.append(value)
        for _ in 1..<max(1, Int(count)) {
            step &+= try reader.signed()
            let (next, overflow) = time.addingReportingOverflow(step)
            guard step > 0, !overflow else { throw RecordError(.badValue, at: reader.position) }
            time = next
            value &+= try reader.signed() &* divisor
            times.append(time)
            values.append(value)
        }
        guard reader.isAtEnd else { throw RecordError(.badValue, at: reader.position) }
        return (times, values)
    }
}
