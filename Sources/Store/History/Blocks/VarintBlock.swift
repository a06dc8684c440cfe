import Records

/// Codec 1, read only: values of files of version 1. Layout: `BlockFormat.md`.
enum VarintBlock {
    static let code: UInt8 = 1
    /// Far more than version 1 put into a block, of which it held all in memory.
    static let maximumCount = 1 << 22

    static func decode(_ reader: inout ByteReader) throws(RecordError) -> PointColumns {
        let count = try reader.varint()
        // A point takes two bytes at least, the first one more: a larger count is damage, not a reason to allocate.
        guard count > 0, count <= UInt64(reader.remaining) / 2 + 1, count <= UInt64(maximumCount) else {
            throw RecordError(.badValue, at: reader.position)
        }
        guard let divisor = Int64(exactly: try reader.varint()), divisor > 0 else {
            throw RecordError(.badValue, at: reader.position)
        }
        var points = PointColumns()
        points.times.reserveCapacity(Int(count))
        points.values.reserveCapacity(Int(count))
        var time = try reader.signed()
        var value = try reader.signed()
        var step: Int64 = 0
        points.times.append(time)
        points.values.append(value)
        for _ in 1..<max(1, Int(count)) {
            step &+= try reader.signed()
            let (next, overflow) = time.addingReportingOverflow(step)
            guard step > 0, !overflow else { throw RecordError(.badValue, at: reader.position) }
            time = next
            value &+= try reader.signed() &* divisor
            points.times.append(time)
            points.values.append(value)
        }
        // They rise, so with both ends all of them are in range.
        guard reader.isAtEnd, PointColumns.timeRange.contains(points.times[0]), PointColumns.timeRange.contains(time)
        else { throw RecordError(.badValue, at: reader.position) }
        return points
    }
}
