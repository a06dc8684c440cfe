import Timekeeping

// A new segment that a person set: a meter was exchanged, or a register set back.
extension FlowSource {
    /// Whether a segment set at `start` begins with a reading at `time`, the first one after it.
    func begins(at start: Int64, with time: Int64) -> Bool {
        guard role.method == .register || role.method == .net, let last = track.last else { return false }
        return last.time < start && rest.setSegment < start && start <= time && newest < time
    }

    /// Ends the segment at `start`, where the old register stood at `end`, and begins one for the reading `value` at
    /// `time`. Returns true when that reading is taken with it; false when the register's `first` value is known, so
    /// that the reading is judged against it.
    mutating func startSegment(
        at start: Int64, end: Int64?, first: Int64?, time: Int64, value: Int64, _ effects: inout Effects
    ) -> Bool {
        guard let last = track.last else { return false }
        let register = role.sign < 0 ? -value : value
        effects.decide(
            .corrected, at: time, from: mark, to: register, first == nil && end == nil ? "reset" : "meter replaced")
        clearHold()
        jittering = false
        var booked = last.booked
        // One millisecond is left for the reading itself.
        let border = start == time && start - 1 > last.time ? start - 1 : start
        if let end, border < time {
            booked = saturatingSum(booked, max(0, end - mark))
            track.append(TrackPoint(time: border, booked: booked), &effects.bytes)
        }
        settledFrom = slotIndex(time) + 1
        effects.changed(from: last.time, to: time)
        guard let first, border < time else {
            track.append(TrackPoint(time: time, booked: booked, opens: true), &effects.bytes)
            mark = register
            return true
        }
        if end == nil { track.append(TrackPoint(time: border, booked: booked, opens: true), &effects.bytes) }
        mark = first
        // The reading may be held back: the segment must not be set anew for the next one.
        rest.setSegment = start
        return false
    }
}
