import Timekeeping

/// A `TrackLine` in little memory: the newest point as it is, the first of the same slot as differences in one word,
/// the older ones as differences in bytes (`TrackBytes`).
///
/// An in-order reading touches only the struct; at a slot's border the two points go into the bytes. There a point is
/// two numbers, each a varint whose bytes lie in reverse, so that a line is read from its end and grows at its end:
/// first the difference of energy to the next point (zigzag), then that of time × 16 + 8 if the older point opens + 4
/// if the time is in seconds + n if the energy is in 1000ⁿ, n ≤ 3. At a reading a minute the two hours of lateness take
/// about 60 bytes.
struct Track {
    private var newest = TrackPoint(time: 0, booked: 0)
    /// The first point of the newest one's slot: ms before it (20 bits), whether it opens, energy before it (43 bits).
    /// Only while `note` is 2.
    private var first: UInt64 = 0
    /// Slot of the first point.
    private var start: Int32 = 0
    /// Its `note` is the number of points that are kept in the struct.
    private(set) var block = TrackBytes.Block()

    init() {}

    var isEmpty: Bool { block.note == 0 }
    var last: TrackPoint? { block.note == 0 ? nil : newest }
    /// The slot of the first point.
    var firstSlot: Int64? { block.note == 0 ? nil : Int64(start) }

    /// The booked energy at the newest point; all others move with it. Only differences mean anything.
    var level: Int64 {
        get { newest.booked }
        set { newest.booked = newValue }
    }

    private var firstOfSlot: TrackPoint {
        TrackPoint(
            time: newest.time - Int64(first >> 44), booked: newest.booked &- Int64(first & (1 << 43 - 1)),
            opens: first >> 43 & 1 != 0)
    }

    /// Puts a point of `later`'s slot into `first`; false when the difference is too large.
    private mutating func keep(_ point: TrackPoint, before later: TrackPoint) -> Bool {
        let time = UInt64(later.time - point.time)
        let energy = later.booked &- point.booked
        guard time < 1 << 20, energy >= 0, energy < 1 << 43 else { return false }
        first = time << 44 | (point.opens ? 1 << 43 : 0) | UInt64(energy)
        return true
    }

    /// Adds a point later than all others; one that no slot needs gives way to it.
    mutating func append(_ point: TrackPoint, _ bytes: inout TrackBytes) {
        if block.note != 0, !point.opens, !newest.opens, point.slot == newest.slot {
            if block.note == 2 {
                let before = firstOfSlot
                if keep(before, before: point) {
                    newest = point
                    return
                }
                encode(before, before: point, &bytes)
                newest = point
                block.note = 1
                return
            }
            // Energy so large that it did not fit: the point before lies in the bytes.
            if let before = previous(bytes), before.point.slot == point.slot {
                bytes.removeLast(before.size, of: &block)
                encode(before.point, before: point, &bytes)
                newest = point
                return
            }
        }
        push(point, &bytes)
    }

    private mutating func push(_ point: TrackPoint, _ bytes: inout TrackBytes) {
        if block.note == 0 {
            start = Int32(truncatingIfNeeded: point.slot)
            newest = point
            block.note = 1
            return
        }
        if block.note == 2 {
            encode(firstOfSlot, before: newest, &bytes)
            block.note = 1
        }
        if newest.slot == point.slot, keep(newest, before: point) {
            block.note = 2
        } else {
            encode(newest, before: point, &bytes)
        }
        newest = point
    }

    /// The point before the newest one, where it lies in the bytes, and how many it takes.
    private func previous(_ bytes: TrackBytes) -> (point: TrackPoint, size: Int)? {
        if block.isEmpty { return nil }
        return bytes.read(block) { bytes in
            if bytes.isEmpty { return nil }
            var cursor = Cursor(at: bytes.count, point: newest)
            cursor.step(bytes)
            return (cursor.point, bytes.count - cursor.end)
        }
    }

    /// All points, for what happens seldom.
    func line(_ bytes: TrackBytes) -> TrackLine {
        var points: [TrackPoint] = []
        walk(bytes) { point in
            points.append(point)
            return true
        }
        points.reverse()
        return TrackLine(known: points)
    }

    /// Replaces all points.
    mutating func set(_ line: TrackLine, _ bytes: inout TrackBytes) {
        bytes.release(&block)
        block.note = 0
        for point in line.points { push(point, &bytes) }
    }

    /// The block was moved.
    mutating func move(to moved: TrackBytes.Block) { block = moved }

    /// What is known about a slot; nil when nothing is. `unit`: as for `SlotPart`.
    func part(of slot: Int64, unit: Int64, _ bytes: TrackBytes) -> SlotPart? {
        let start = slot * Slot.length
        let end = start + Slot.length
        var part = SlotPart()
        var known = false
        var later: TrackPoint?
        walk(bytes) { point in
            if let later, point.time < end, part.add(from: point, to: later, start, end, unit) { known = true }
            later = point
            return point.time > start
        }
        return known ? part : nil
    }

    /// The earliest slot that a reading not older than `limit` can still change.
    func earliestChangeable(limit: Int64, _ bytes: TrackBytes) -> Int64? {
        if block.note == 0 { return nil }
        let border = slotIndex(max(0, limit)) * Slot.length
        var found = Int64(start)
        walk(bytes) { point in
            if point.time > border { return true }
            found = point.slot
            return false
        }
        return found
    }

    /// Drops the points that no slot from `slot` on needs.
    mutating func forget(before slot: Int64, _ bytes: inout TrackBytes) {
        guard block.note != 0, Int64(start) < slot else { return }
        let border = slot * Slot.length
        if newest.time <= border {
            bytes.release(&block)
            block.note = 1
            start = Int32(truncatingIfNeeded: newest.slot)
            return
        }
        if block.note == 2, firstOfSlot.time <= border {
            bytes.release(&block)
            start = Int32(truncatingIfNeeded: firstOfSlot.slot)
            return
        }
        if block.isEmpty { return }
        let oldest = block.note == 2 ? firstOfSlot : newest
        let (point, surplus) = bytes.read(block) { bytes in
            var cursor = Cursor(at: bytes.count, point: oldest)
            while cursor.end > 0 {
                cursor.step(bytes)
                if cursor.point.time <= border { break }
            }
            return (cursor.point, cursor.end)
        }
        start = Int32(truncatingIfNeeded: point.slot)
        if surplus > 0 { bytes.removeFirst(surplus, of: &block) }
    }

    // MARK: Bytes

    /// Calls `body` with the points from the last to the first, until it returns false.
    @inline(__always)
    private func walk(_ bytes: TrackBytes, _ body: (TrackPoint) -> Bool) {
        if block.note == 0 || !body(newest) { return }
        var oldest = newest
        if block.note == 2 {
            oldest = firstOfSlot
            if !body(oldest) { return }
        }
        if block.isEmpty { return }
        bytes.read(block) { bytes in
            var cursor = Cursor(at: bytes.count, point: oldest)
            while cursor.end > 0 {
                cursor.step(bytes)
                if !body(cursor.point) { return }
            }
        }
    }

    private static let scales: [Int64] = [1, 1000, 1_000_000, 1_000_000_000]

    private struct Cursor {
        /// Bytes before this one are older than `point`.
        var end: Int
        var point: TrackPoint

        init(at end: Int, point: TrackPoint) {
            self.end = end
            self.point = point
        }

        mutating func step(_ bytes: UnsafeBufferPointer<UInt8>) {
            let head = number(bytes)
            let zigzag = number(bytes)
            var energy = Int64(bitPattern: zigzag >> 1) ^ -Int64(bitPattern: zigzag & 1)
            if head & 3 != 0 { energy *= Track.scales[Int(head & 3)] }
            let time = Int64(head >> 4) * (head & 4 != 0 ? 1000 : 1)
            point = TrackPoint(time: point.time - time, booked: point.booked &- energy, opens: head & 8 != 0)
        }

        private mutating func number(_ bytes: UnsafeBufferPointer<UInt8>) -> UInt64 {
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

    private mutating func encode(_ point: TrackPoint, before later: TrackPoint, _ bytes: inout TrackBytes) {
        var time = UInt64(later.time - point.time)
        var energy = later.booked &- point.booked
        var flags: UInt64 = point.opens ? 8 : 0
        if time % 1000 == 0 {
            time /= 1000
            flags |= 4
        }
        if energy != 0 {
            while flags & 3 < 3, energy % 1000 == 0 {
                energy /= 1000
                flags += 1
            }
        }
        put(UInt64(bitPattern: energy << 1 ^ energy >> 63), &bytes)
        put(time << 4 | flags, &bytes)
    }

    /// A varint with its first byte last.
    private mutating func put(_ value: UInt64, _ bytes: inout TrackBytes) {
        let groups = value == 0 ? 1 : (70 - value.leadingZeroBitCount) / 7
        var word: UInt128 = 0
        for group in stride(from: groups - 1, through: 0, by: -1) {
            let bits = UInt128(value >> UInt64(7 * group) & 0x7F)
            word = word << 8 | (group == groups - 1 ? bits : bits | 0x80)
        }
        bytes.append(word, groups, to: &block)
    }
}
