import Timekeeping

/// A `TrackLine` in little memory: the last two points as they are, the older ones as differences in bytes.
///
/// An in-order reading touches only the last two. From one point to the one before it there are two numbers, each a
/// varint whose bytes lie in reverse, so that a line is read from its end and grows at its end: first the difference of
/// energy (zigzag), then that of time × 8 + 4 if the older point opens + 2 if the time is in seconds + 1 if the energy
/// is in Wh. At a reading a minute the two hours of lateness take about 60 bytes.
struct Track: Equatable {
    private var older: [UInt8] = []
    private var beforeLast = TrackPoint(time: 0, booked: 0)
    private var newest = TrackPoint(time: 0, booked: 0)
    /// Slot of the first point.
    private var start: Int32 = 0
    /// Points that are kept as they are: 0, 1 or 2.
    private var plain: UInt8 = 0

    init() {}

    init(_ line: TrackLine) {
        for point in line.points { push(point) }
    }

    var isEmpty: Bool { plain == 0 }
    var last: TrackPoint? { plain == 0 ? nil : newest }
    /// The slot of the first point.
    var firstSlot: Int64? { plain == 0 ? nil : Int64(start) }

    /// Adds a point later than all others; one that no slot needs gives way to it.
    mutating func append(_ point: TrackPoint) {
        if plain == 2, !point.opens, !newest.opens {
            let slot = point.slot
            if newest.slot == slot, beforeLast.slot == slot {
                newest = point
                return
            }
        }
        push(point)
    }

    private mutating func push(_ point: TrackPoint) {
        switch plain {
        case 0:
            start = Int32(truncatingIfNeeded: point.slot)
            plain = 1
        case 1:
            beforeLast = newest
            plain = 2
        default:
            encode(beforeLast, before: newest)
            beforeLast = newest
        }
        newest = point
    }

    /// All points, for what happens seldom.
    var line: TrackLine {
        var points: [TrackPoint] = []
        walk { point in
            points.append(point)
            return true
        }
        points.reverse()
        return TrackLine(known: points)
    }

    /// What is known about a slot; nil when nothing is.
    func part(of slot: Int64) -> SlotPart? {
        let start = slot * Slot.length
        let end = start + Slot.length
        var part = SlotPart()
        var known = false
        var later: TrackPoint?
        walk { point in
            if let later, point.time < end, part.add(from: point, to: later, start, end) { known = true }
            later = point
            return point.time > start
        }
        return known ? part : nil
    }

    /// The earliest slot that a reading not older than `limit` can still change.
    func earliestChangeable(limit: Int64) -> Int64? {
        if plain == 0 { return nil }
        let border = slotIndex(max(0, limit)) * Slot.length
        var found = Int64(start)
        walk { point in
            if point.time > border { return true }
            found = point.slot
            return false
        }
        return found
    }

    /// Drops the points that no slot from `slot` on needs.
    mutating func forget(before slot: Int64) {
        guard plain == 2, Int64(start) < slot else { return }
        let border = slot * Slot.length
        if beforeLast.time <= border {
            older = []
            if newest.time <= border {
                plain = 1
                beforeLast = TrackPoint(time: 0, booked: 0)
            }
            start = Int32(truncatingIfNeeded: plain == 1 ? newest.slot : beforeLast.slot)
            return
        }
        var cursor = Cursor(at: older.count, point: beforeLast)
        while cursor.end > 0 {
            cursor.step(older)
            if cursor.point.time <= border { break }
        }
        start = Int32(truncatingIfNeeded: cursor.point.slot)
        if cursor.end > 0 { older.removeFirst(cursor.end) }
    }

    // MARK: Bytes

    /// Calls `body` with the points from the last to the first, until it returns false.
    @inline(__always)
    private func walk(_ body: (TrackPoint) -> Bool) {
        if plain == 0 || !body(newest) || plain == 1 || !body(beforeLast) { return }
        var cursor = Cursor(at: older.count, point: beforeLast)
        while cursor.end > 0 {
            cursor.step(older)
            if !body(cursor.point) { return }
        }
    }

    private struct Cursor {
        /// Bytes before this one are older than `point`.
        var end: Int
        var point: TrackPoint

        init(at end: Int, point: TrackPoint) {
            self.end = end
            self.point = point
        }

        mutating func step(_ bytes: [UInt8]) {
            let head = number(bytes)
            let zigzag = number(bytes)
            var energy = Int64(bitPattern: zigzag >> 1) ^ -Int64(bitPattern: zigzag & 1)
            if head & 1 != 0 { energy *= 1000 }
            let time = Int64(head >> 3) * (head & 2 != 0 ? 1000 : 1)
            point = TrackPoint(time: point.time - time, booked: point.booked &- energy, opens: head & 4 != 0)
        }

        private mutating func number(_ bytes: [UInt8]) -> UInt64 {
            var value: UInt64 = 0
            var shift: UInt64 = 0
            while true {
                end -= 1
                let byte = bytes[end]
                value |= UInt64(byte & 0x7F) << shift
                if byte < 0x80 { return value }
                shift += 7
            }
        }
    }

    private mutating func encode(_ point: TrackPoint, before later: TrackPoint) {
        var time = UInt64(later.time - point.time)
        var energy = later.booked &- point.booked
        var flags: UInt64 = point.opens ? 4 : 0
        if time % 1000 == 0 {
            time /= 1000
            flags |= 2
        }
        if energy % 1000 == 0 {
            energy /= 1000
            flags |= 1
        }
        let zigzag = UInt64(bitPattern: energy << 1 ^ energy >> 63)
        let head = time << 3 | flags
        let size = older.count + Track.length(zigzag) + Track.length(head)
        // Room for two hours of readings at once, and no doubling: what is not used is not used a million times.
        if older.capacity < size { older.reserveCapacity(older.isEmpty ? 72 : size + max(16, size / 4)) }
        put(zigzag)
        put(head)
    }

    private static func length(_ value: UInt64) -> Int { value == 0 ? 1 : (70 - value.leadingZeroBitCount) / 7 }

    /// A varint with its first byte last.
    private mutating func put(_ value: UInt64) {
        let groups = Track.length(value)
        for group in stride(from: groups - 1, through: 0, by: -1) {
            let bits = UInt8(truncatingIfNeeded: value >> UInt64(7 * group)) & 0x7F
            older.append(group == groups - 1 ? bits : bits | 0x80)
        }
    }
}
