import Timekeeping

/// An instant at which the energy booked so far is known.
struct TrackPoint: Equatable {
    private var packed: Int64
    /// Energy booked up to `time`, from wherever the source counts, in its unit: mWh, of a power mW·ms.
    var booked: Int64

    init(time: Int64, booked: Int64, opens: Bool = false) {
        packed = time << 1 | (opens ? 1 : 0)
        self.booked = booked
    }

    /// ms of UTC; within `Timestamp.validRange`, so that one bit is left for `opens`.
    var time: Int64 { packed >> 1 }

    /// Nothing is known about the time from the point before to this one: a segment starts here.
    var opens: Bool {
        get { packed & 1 != 0 }
        set { packed = packed & ~1 | (newValue ? 1 : 0) }
    }

    var slot: Int64 { slotIndex(time) }
}

/// Index of the slot that holds `time`; `time` is not negative.
@inline(__always)
func slotIndex(_ time: Int64) -> Int64 { time / Slot.length }

/// What one source knows about one slot.
struct SlotPart: Equatable {
    var energy: Int64 = 0
    var estimated: Int64 = 0
    var measured: Int64 = 0
    var filled: Int64 = 0

    /// Adds what the line from `a` to `b` says about the slot `start ..< end`; false when it says nothing. Of `unit`
    /// parts of booked energy one mWh is made, each border being cut to whole ones, so that the slots sum to the
    /// whole.
    mutating func add(from a: TrackPoint, to b: TrackPoint, _ start: Int64, _ end: Int64, _ unit: Int64) -> Bool {
        if b.opens { return false }
        let from = max(a.time, start)
        let to = min(b.time, end)
        if from >= to { return false }
        let energy =
            SlotPart.booked(between: a, b, at: to) / unit - SlotPart.booked(between: a, b, at: from) / unit
        self.energy += energy
        if b.time - a.time <= UsageLimits.measuredInterval {
            measured += to - from
        } else {
            filled += to - from
            estimated += energy
        }
        return true
    }

    /// Energy booked at `time` on the line from `a` to `b`, rounded down.
    private static func booked(between a: TrackPoint, _ b: TrackPoint, at time: Int64) -> Int64 {
        if time == a.time { return a.booked }
        if time == b.time { return b.booked }
        // The line never falls, but at a full hour, where that of a power is rounded; 2⁶³ mWh and 2⁴⁸ ms need the
        // double width.
        let rise = UInt64(clamping: b.booked &- a.booked).multipliedFullWidth(by: UInt64(time - a.time))
        return a.booked + Int64(UInt64(b.time - a.time).dividingFullWidth(rise).quotient)
    }
}

/// The booked energy of one source as a line through points in the order of time, of which only those are kept that
/// a slot can be worked out from: the first and the last of each slot, and both ends of what is unknown.
///
/// Everything a slot shows follows from these points, so a late point changes the split and nothing else: energy at
/// a border is interpolated between its neighbours and rounded down, and the parts of a line sum to the whole
/// because each border is computed once and subtracted from the next. Two points over 15 minutes apart enclose a
/// border, so every gap is still there to be seen.
struct TrackLine: Equatable {
    private(set) var points: [TrackPoint] = []

    init() {}

    init(known points: [TrackPoint]) {
        self.points = points
    }

    /// Takes over points that were stored; nil when no track can have them: times must rise, and booked energy,
    /// unlike a register that is held back or a power at a full hour, never falls.
    init?(stored points: [TrackPoint], mayFall: Bool) {
        for i in points.indices {
            guard points[i].time >= 0, points[i].booked.magnitude <= 1 << 60 else { return nil }
            if i == 0 { continue }
            guard points[i - 1].time < points[i].time, mayFall || points[i - 1].booked <= points[i].booked else {
                return nil
            }
        }
        self.points = points
    }

    var isEmpty: Bool { points.isEmpty }
    var first: TrackPoint? { points.first }
    var last: TrackPoint? { points.last }

    /// Adds a point later than all others.
    mutating func append(_ point: TrackPoint) {
        let count = points.count
        if count >= 2, !point.opens {
            let last = points[count - 1]
            if !last.opens {
                let slot = point.slot
                if last.slot == slot, points[count - 2].slot == slot {
                    points[count - 1] = point
                    return
                }
            }
        }
        points.append(point)
    }

    /// Index of the first point after `time`.
    func index(after time: Int64) -> Int {
        var low = 0
        var high = points.count
        while low < high {
            let middle = (low + high) / 2
            if points[middle].time > time { high = middle } else { low = middle + 1 }
        }
        return low
    }

    mutating func insert(_ point: TrackPoint, at index: Int) {
        points.insert(point, at: index)
    }

    /// Adds `energy` to every point from `index` on: an amount that belongs before them became known.
    mutating func shift(from index: Int, by energy: Int64) {
        for i in index..<points.count { points[i].booked = saturatingSum(points[i].booked, energy) }
    }

    mutating func setOpens(_ opens: Bool, at index: Int) {
        points[index].opens = opens
    }

    /// Drops what `append` would not have kept, around `index`.
    mutating func tidy(around index: Int) {
        for i in stride(from: min(index + 2, points.count - 2), through: max(index - 2, 1), by: -1) {
            let (a, b, c) = (points[i - 1], points[i], points[i + 1])
            if !b.opens, !c.opens, a.slot == b.slot, b.slot == c.slot { points.remove(at: i) }
        }
    }

    /// The same with what another line knows up to the first point, if that is one of its points as well.
    func continuing(_ other: TrackLine) -> TrackLine {
        guard let first, let shared = other.points.firstIndex(where: { $0.time == first.time }) else { return self }
        let rise = saturatingDifference(first.booked, other.points[shared].booked)
        var joined = Array(other.points[...shared])
        for i in joined.indices { joined[i].booked = saturatingSum(joined[i].booked, rise) }
        return TrackLine(known: joined + points.dropFirst())
    }

    /// Keeps at most `count` points: takes out those after the first, so that a gap stands in their place.
    mutating func thin(to count: Int) {
        if points.count > count { points.removeSubrange(1..<(1 + points.count - count)) }
    }

    /// What is known about a slot; nil when nothing is. `unit`: as for `SlotPart`.
    func part(of slot: Int64, unit: Int64) -> SlotPart? {
        let start = slot * Slot.length
        let end = start + Slot.length
        var i = max(1, index(after: start))
        var part = SlotPart()
        var known = false
        while i < points.count, points[i - 1].time < end {
            let (a, b) = (points[i - 1], points[i])
            i += 1
            if part.add(from: a, to: b, start, end, unit) { known = true }
        }
        return known ? part : nil
    }
}

/// The sum, held at the ends of the range: no input can make it overflow.
@inline(__always)
func saturatingSum(_ a: Int64, _ b: Int64) -> Int64 {
    let (sum, overflow) = a.addingReportingOverflow(b)
    return overflow ? (b < 0 ? .min : .max) : sum
}

/// The difference, held at the ends of the range.
@inline(__always)
func saturatingDifference(_ a: Int64, _ b: Int64) -> Int64 {
    let (difference, overflow) = a.subtractingReportingOverflow(b)
    return overflow ? (b < 0 ? .max : .min) : difference
}
