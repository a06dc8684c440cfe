import Metering
import Timekeeping

extension ByteReader {
    /// All readings of a body of kind 1.
    mutating func readings(wall: Timestamp) throws(RecordError) -> [Reading] {
        var readings: [Reading] = []
        // Most take from four bytes on; what is too little grows.
        readings.reserveCapacity(remaining / 4)
        try forEachReadings(wall: wall) { readings.append(contentsOf: $0) }
        return readings
    }

    /// The readings of a body of kind 1, some at a time: a call for each would cost more than to read it. An error
    /// comes after the calls for what lies before it.
    mutating func forEachReadings(
        wall: Timestamp, _ body: (UnsafeBufferPointer<Reading>) -> Void
    ) throws(RecordError) {
        // A reading takes two bytes at least.
        let count = min(ReadingRun.batch, remaining / 2)
        var run = ReadingRun()
        var failure: RecordError?
        withUnsafeTemporaryAllocation(of: Reading.self, capacity: max(1, count)) { room in
            room.initialize(repeating: ReadingRun.none)
            do throws(RecordError) {
                while !isAtEnd || run.left > 0 {
                    var filled = 0
                    defer { if filled > 0 { body(UnsafeBufferPointer(rebasing: room[..<filled])) } }
                    try read(wall, &run, into: room, &filled)
                }
            } catch {
                failure = error
            }
        }
        if let failure { throw failure }
    }

    /// Reads until `room` is full or nothing is left.
    @inline(__always)
    private mutating func read(
        _ wall: Timestamp, _ run: inout ReadingRun, into room: UnsafeMutableBufferPointer<Reading>, _ filled: inout Int
    ) throws(RecordError) {
        guard let base = room.baseAddress else { return }
        while filled < room.count {
            while run.left == 0 {
                if isAtEnd { return }
                run.received = try time(after: wall)
                let count = try varint()
                // A reading takes two bytes at least, so a count beyond that is a lie.
                guard count <= UInt64(remaining / 2 + 1) else { throw RecordError(.badValue, at: position) }
                run.left = Int(count)
            }
            let end = min(room.count, filled + run.left)
            run.left -= end - filled
            while filled < end {
                let head = try varint()
                guard let series = UInt32(exactly: head >> 2) else { throw RecordError(.badValue, at: position) }
                let time = head & 1 != 0 ? try time(after: run.received) : run.received
                let value = try signed()
                let rawFlags = head & 2 != 0 ? try varint() : 0
                guard let flags = UInt16(exactly: rawFlags) else { throw RecordError(.badValue, at: position) }
                // Part by part: a whole one is made elsewhere first, and copying it waits for its parts.
                base[filled].series.value = series
                base[filled].time = time
                base[filled].received = run.received
                base[filled].value = value
                base[filled].flags.rawValue = flags
                filled += 1
            }
        }
    }
}

/// Where reading stands in a run of one receive time.
private struct ReadingRun {
    /// Readings handed out together: some five kilobytes.
    static let batch = 128

    static let none = Reading(
        series: SeriesNumber(0), time: Timestamp(milliseconds: 0), received: Timestamp(milliseconds: 0), value: 0)

    var received = Timestamp(milliseconds: 0)
    var left = 0
}
