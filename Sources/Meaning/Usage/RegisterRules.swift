import Metering
import Timekeeping

// Registers: what a new value means against the values before.
extension FlowSource {
    private var isNet: Bool { role.method == .net }
    /// Whether a restart begins at zero, so that the first value after it is energy.
    private var restartsAtZero: Bool { traits.counterClass == .volatile || traits.counterClass == .period }
    /// Noise of the display: falls up to this are no falls.
    private var noise: Int64 { 2 * traits.step }

    mutating func takeRegister(_ time: Int64, _ value: Int64, accepts: Bool, _ effects: inout Effects) {
        let range = isNet ? -UsageLimits.maximumEnergy...UsageLimits.maximumEnergy : 0...UsageLimits.maximumEnergy
        guard range.contains(value) else {
            return effects.decide(
                .quarantined, at: time, from: track.isEmpty ? nil : mark, to: value,
                value < 0 && !isNet ? "negative register" : "over 10^12 Wh")
        }
        let register = role.sign < 0 ? -value : value
        guard let last = track.last else {
            track.append(TrackPoint(time: time, booked: 0, opens: true), &effects.bytes)
            mark = register
            return effects.changed(from: time, to: time)
        }
        if time <= newest { return takeLateRegister(time, register, &effects) }
        if accepts, register - mark > traits.plausibleRise(in: time - last.time) {
            effects.decide(.corrected, at: time, from: mark, to: register, "step accepted by a person")
            clearHold()
            return accept(time, register, last, booking: register - mark, &effects)
        }
        judge(time, register, last, &effects)
    }

    /// Decides about a value newer than all others against the last accepted one.
    private mutating func judge(_ time: Int64, _ value: Int64, _ last: TrackPoint, _ effects: inout Effects) {
        let elapsed = time - last.time
        if elapsed > UsageLimits.maximumGap {
            effects.decide(.newSegment, at: time, from: mark, to: value, "silent for over 400 days")
            clearHold()
            return open(time, value, last, &effects)
        }
        let rise = value - mark
        let limit = traits.plausibleRise(in: elapsed)
        if isNet {
            guard rise.magnitude <= limit.magnitude else { return holdBack(.high, time, value, last, &effects) }
            return accept(time, value, last, booking: max(0, rise), &effects)
        }
        if rise >= 0 {
            guard rise <= limit else { return holdBack(.high, time, value, last, &effects) }
            return accept(time, value, last, booking: rise, &effects)
        }
        if let rolled = rollover(to: value), rolled <= limit {
            effects.decide(.rollover, at: time, from: mark, to: value, "passed the modulus")
            accept(time, value, last, booking: rolled, &effects)
            return unsettle(time)
        }
        if -rise <= noise {
            if !jittering { effects.decide(.jitter, at: time, from: mark, to: value, "fall within two display steps") }
            accept(time, mark, last, booking: 0, &effects)
            jittering = true
            return unsettle(time)
        }
        holdBack(.drop, time, value, last, &effects)
    }

    /// Notes that something happened at `time`: what lies before it is not as simple as the track looks.
    private mutating func unsettle(_ time: Int64) {
        if role.method == .register { settledFrom = slotIndex(time) + 1 }
    }

    /// The energy if the register passed its modulus: from the last 2 % below it to the first 2 % above zero.
    private func rollover(to value: Int64) -> Int64? {
        let modulus = traits.modulus
        guard modulus > 0, mark < modulus, mark >= modulus - modulus / 50, value <= modulus / 50 else { return nil }
        return value + modulus - mark
    }

    /// The rule's name if the register looks as if its unit had changed: within 10 % of its mark × 10ⁿ, n ≠ 0. Such a
    /// step is held and counted like any other; only the name tells what most likely happened.
    private func unitJump(to value: Int64, after elapsed: Int64) -> String? {
        // A register of few steps is near a power of ten of many things.
        guard !isNet, value > 0, mark >= 1000 * traits.step, traits.plausibleRise(in: elapsed) <= mark / 10 else {
            return nil
        }
        let (small, large) = (min(mark, value), max(mark, value))
        var power: Int64 = 1
        for exponent in 1...6 {
            power *= 10
            let (scaled, overflow) = small.multipliedReportingOverflow(by: power)
            guard !overflow, scaled - scaled / 10 <= large else { return nil }
            // A display that shows fewer digits of the small value may be off by one step of it.
            if (large - scaled).magnitude <= (scaled / 10).magnitude + UInt64(power) {
                return FlowSource.unitJumpRules[value > mark ? exponent - 1 : exponent + 5]
            }
        }
        return nil
    }

    private static let unitJumpRules = [
        "unit jump ×10", "unit jump ×100", "unit jump ×1000", "unit jump ×10⁴", "unit jump ×10⁵", "unit jump ×10⁶",
        "unit jump ÷10", "unit jump ÷100", "unit jump ÷1000", "unit jump ÷10⁴", "unit jump ÷10⁵", "unit jump ÷10⁶",
    ]

    private mutating func accept(
        _ time: Int64, _ value: Int64, _ last: TrackPoint, booking energy: Int64, _ effects: inout Effects
    ) {
        jittering = false
        if isHolding {
            effects.decide(
                .cancelled, at: time, from: rest.held.first?.booked, to: value,
                rest.hold == .drop ? "returned to its level" : "became plausible")
            clearHold()
            unsettle(time)
        }
        var booked = saturatingSum(last.booked, energy)
        if let shares = effects.shares, shares.from == last.time {
            if isNet {
                booked = split(rise: value - mark, shares, last, &effects)
            } else if energy > 0 {
                split(energy, shares, last, &effects)
            }
        }
        track.append(TrackPoint(time: time, booked: booked), &effects.bytes)
        mark = value
        effects.changed(from: last.time, to: time)
    }

    mutating func clearHold() {
        guard isHolding else { return }
        rest.hold = .none
        rest.held = TrackLine()
        rest.heldCount = 0
        rest.heldSince = 0
        tidy()
    }

    /// Starts a segment: nothing is booked for the step to `value`.
    private mutating func open(_ time: Int64, _ value: Int64, _ last: TrackPoint, _ effects: inout Effects) {
        track.append(TrackPoint(time: time, booked: last.booked, opens: true), &effects.bytes)
        mark = value
        unsettle(time)
        effects.changed(from: last.time, to: time)
    }

    /// Keeps a value that is not believed, until enough of its kind say the same.
    private mutating func holdBack(
        _ kind: Hold, _ time: Int64, _ value: Int64, _ last: TrackPoint, _ effects: inout Effects
    ) {
        if rest.hold != kind {
            // The daily fall of a period counter is no event.
            let jump = unitJump(to: value, after: time - last.time)
            if kind == .high {
                effects.decide(.quarantined, at: time, from: mark, to: value, jump ?? "rise above rating")
            } else if traits.counterClass != .period {
                effects.decide(.suspect, at: time, from: mark, to: value, jump ?? "fall")
            }
            clearHold()
            rest.hold = kind
        }
        unsettle(time)
        var level = value
        if let before = rest.held.last {
            let rise = value - before.booked
            let limit = traits.plausibleRise(in: time - before.time)
            if rise <= limit, isNet ? rise >= -limit : rise >= -noise {
                if !isNet { level = max(value, before.booked) }
            } else {
                rest.held = TrackLine()
                rest.heldCount = 0
            }
        }
        rest.held.append(TrackPoint(time: time, booked: level))
        rest.held.thin(to: UsageLimits.rememberedDeltas)
        // Zeros say that the device has not measured yet, however long they last.
        if kind == .drop, value == 0 { return }
        if rest.heldCount == 0 { rest.heldSince = time }
        rest.heldCount = min(rest.heldCount + 1, UInt8(UsageLimits.confirmingReadings))
        let wait = kind == .drop ? UsageLimits.resetConfirmation : UsageLimits.levelConfirmation
        if rest.heldCount >= UsageLimits.confirmingReadings, time - rest.heldSince >= wait { confirm(last, &effects) }
    }

    /// The held readings become a segment of their own.
    private mutating func confirm(_ last: TrackPoint, _ effects: inout Effects) {
        let held = rest.held
        let hold = rest.hold
        guard let first = held.first, let newestHeld = held.last else { return }
        let elapsed = first.time - last.time
        var start = last.booked
        var opens = true
        if hold == .drop, restartsAtZero, elapsed <= UsageLimits.maximumGap,
            first.booked <= traits.plausibleRise(in: elapsed)
        {
            start = saturatingSum(start, first.booked)
            opens = false
        }
        let jump = unitJump(to: first.booked, after: elapsed)
        if hold == .high {
            effects.decide(
                .newSegment, at: first.time, from: mark, to: first.booked,
                jump ?? "level held for 3 readings and 10 minutes")
        } else if opens {
            effects.decide(
                .reset, at: first.time, from: mark, to: first.booked,
                jump
                    ?? (restartsAtZero
                        ? "fell, but not to zero: step not booked" : "fall held for 3 readings and 60 s"))
        } else if traits.counterClass != .period {
            effects.decide(.reset, at: first.time, from: mark, to: first.booked, "restarted from zero")
        }
        for (i, point) in held.points.enumerated() {
            // A net register may fall while it is held; only its rises are booked.
            let before = i == 0 ? point.booked : held.points[i - 1].booked
            start = saturatingSum(start, max(0, point.booked - before))
            track.append(TrackPoint(time: point.time, booked: start, opens: i == 0 && opens), &effects.bytes)
        }
        jittering = false
        clearHold()
        mark = newestHeld.booked
        effects.changed(from: last.time, to: newestHeld.time)
    }

    /// A value older than the newest: it may tell where between two others the energy went, never how much it was.
    /// Where it is not certain that the line is now as if the value had come in time, that is worked out from the
    /// readings.
    private mutating func takeLateRegister(_ time: Int64, _ value: Int64, _ effects: inout Effects) {
        guard let last = track.last else { return }
        if time == last.time, value <= mark, !isHolding { return }
        if isLate(time) {
            return effects.decide(.late, at: time, from: nil, to: value, "over 2 h older than the newest")
        }
        guard !isNet, time < newest, time != last.time else { return effects.ask(time) }
        if time > last.time {
            effects.ask(time)
            // Before the held readings began: as if it had come in time, unless it would have been held itself.
            guard let first = rest.held.first, time < first.time, value >= mark,
                value - mark <= traits.plausibleRise(in: time - last.time)
            else { return }
            track.append(TrackPoint(time: time, booked: value), &effects.bytes)
            return effects.changed(from: last.time, to: time)
        }
        insert(TrackPoint(time: time, booked: value), &effects)
    }

    /// Puts a late point between those around it, if it contradicts neither.
    private mutating func insert(_ late: TrackPoint, _ effects: inout Effects) {
        var line = track.line(effects.bytes)
        let next = line.index(after: late.time)
        let (points, after) = (line.points, line.points[next])
        // Of an earlier segment a register's value says nothing here; the first one is an exception.
        guard !points[max(1, next)...].contains(where: \.opens), late.booked <= after.booked,
            after.booked - late.booked <= traits.plausibleRise(in: after.time - late.time)
        else { return effects.ask(late.time) }
        guard next > 0 else {
            guard after.opens else { return effects.ask(late.time) }
            line.setOpens(false, at: 0)
            var first = late
            first.opens = true
            line.insert(first, at: 0)
            line.tidy(around: 0)
            track.set(line, &effects.bytes)
            effects.ask(late.time)
            return effects.changed(from: late.time, to: after.time)
        }
        let before = points[next - 1]
        // Delivered twice.
        if before.time == late.time, before.booked == late.booked, before.slot >= settledFrom { return }
        guard before.time < late.time, late.booked >= before.booked,
            late.booked - before.booked <= traits.plausibleRise(in: late.time - before.time)
        else { return effects.ask(late.time) }
        // Between the first and the last point of a slot lay others, which it may contradict.
        if before.slot == after.slot || before.slot < settledFrom || hasCurve { effects.ask(late.time) }
        line.insert(late, at: next)
        line.tidy(around: next)
        track.set(line, &effects.bytes)
        effects.changed(from: before.time, to: after.time)
    }
}
