import Timekeeping

// Sources that are no registers: powers, and amounts per message.
extension FlowSource {
    /// No home draws more than a megawatt; mW.
    private static let maximumPower: Int64 = 1_000_000_000
    /// Energies are counted down when they reach this, before they could overflow; mW·ms, whole mWh.
    private static let highLevel: Int64 = 1 << 37 * 3_600_000

    /// A reading's power in the direction of this source, mW; nil where it is absurd.
    func power(_ value: Int64, accepts: Bool = false) -> Int64? {
        // Twice the rating: a heater at high voltage draws over its rating, a broken value is farther off.
        let rated = saturatingSum(traits.watts, traits.watts) * 1000
        let limit = accepts ? FlowSource.maximumPower : min(FlowSource.maximumPower, rated)
        guard value.magnitude <= limit.magnitude else { return nil }
        return max(0, role.sign < 0 ? -value : value)
    }

    /// Integrates a power: the value before holds until this one, at most `maximumHold`.
    mutating func takePower(_ time: Int64, _ value: Int64, accepts: Bool, _ effects: inout Effects) {
        guard let power = power(value, accepts: accepts) else {
            if role.sign > 0 {
                effects.decide(.quarantined, at: time, from: nil, to: value, "power above twice the rating")
            }
            return
        }
        if power > 0, role.sign < 0, time < signSince { rest.signSince = time }
        guard let last = track.last else {
            track.append(TrackPoint(time: time, booked: 0, opens: true), &effects.bytes)
            mark = power
            return effects.changed(from: time, to: time)
        }
        if time < last.time {
            if isLate(time) {
                effects.decide(.late, at: time, from: nil, to: value, "over 2 h older than the newest")
            } else {
                takeLatePower(time, power, &effects)
            }
            return
        }
        if time > last.time { hold(until: time, last, &effects) }
        // Of two values of one instant the one that came last holds.
        mark = power
        effects.changed(from: last.time, to: time)
    }

    /// Books what flowed since the reading before. At each full hour the energy is cut to whole mWh, so that the
    /// slots of an hour follow from the readings of that hour and the hold before it.
    private mutating func hold(until time: Int64, _ last: TrackPoint, _ effects: inout Effects) {
        let end = min(time, last.time + UsageLimits.maximumHold)
        var (from, booked) = (last.time, last.booked)
        let hour = last.time / Span.hour * Span.hour + Span.hour
        if hour <= end {
            booked = FlowSource.wholeEnergy(booked + mark * (hour - from))
            from = hour
            track.append(TrackPoint(time: hour, booked: booked), &effects.bytes)
        }
        booked += mark * (end - from)
        if end > from { track.append(TrackPoint(time: end, booked: booked), &effects.bytes) }
        if end < time {
            if hour > end, hour <= time { booked = FlowSource.wholeEnergy(booked) }
            track.append(TrackPoint(time: time, booked: booked, opens: true), &effects.bytes)
        }
        if booked >= FlowSource.highLevel { track.level = booked - FlowSource.highLevel }
    }

    /// Whole mWh that have flowed; what is left of one is less than a user can pay for in a year of hours.
    private static func wholeEnergy(_ booked: Int64) -> Int64 { booked / 3_600_000 * 3_600_000 }

    /// A late power fills a time that nothing was known about, and that is all that can be said without the readings.
    private mutating func takeLatePower(_ time: Int64, _ power: Int64, _ effects: inout Effects) {
        effects.ask(time)
        var line = track.line(effects.bytes)
        let next = line.index(after: time)
        guard next > 0, next < line.points.count else { return }
        let (before, after) = (line.points[next - 1], line.points[next])
        guard after.opens, before.time < time else { return }
        let end = min(after.time, time + UsageLimits.maximumHold)
        // Whole mWh: parts of one would move the rounding of every later slot.
        let energy = FlowSource.wholeEnergy(power * (end - time))
        line.shift(from: next, by: energy)
        line.insert(TrackPoint(time: time, booked: before.booked, opens: true), at: next)
        if end < after.time {
            line.insert(TrackPoint(time: end, booked: saturatingSum(before.booked, energy)), at: next + 1)
        } else {
            line.setOpens(false, at: next + 1)
        }
        line.tidy(around: next)
        track.set(line, &effects.bytes)
        effects.changed(from: time, to: end)
    }

    /// Adds an amount once: to the time since the message before, or, after a silence, to the time a value holds.
    mutating func takeAmount(_ time: Int64, _ value: Int64, accepts: Bool, _ effects: inout Effects) {
        let elapsed = track.isEmpty ? 0 : time - newest
        let plausible = traits.plausibleRise(in: max(elapsed, UsageLimits.deltaPeriod))
        guard value >= 0, value <= (accepts ? UsageLimits.maximumEnergy : plausible) else {
            // What would have been plausible then is known only with the messages around it.
            if value >= 0, !isLate(time), elapsed < 0 { effects.ask(time) }
            return effects.decide(
                .quarantined, at: time, from: nil, to: value, value < 0 ? "negative amount" : "amount above rating")
        }
        guard let last = track.last else {
            let start = max(0, time - UsageLimits.maximumHold)
            track.append(TrackPoint(time: start, booked: 0, opens: true), &effects.bytes)
            if start < time { track.append(TrackPoint(time: time, booked: value), &effects.bytes) }
            rest.messages = [time]
            return effects.changed(from: start, to: time)
        }
        if time <= newest { return takeLateAmount(time, value, &effects) }
        var from = last.time
        if time - last.time > UsageLimits.measuredInterval {
            from = time - UsageLimits.maximumHold
            track.append(TrackPoint(time: from, booked: last.booked, opens: true), &effects.bytes)
        } else if let shares = effects.shares, shares.from == last.time, value > 0 {
            split(value, shares, last, &effects)
        }
        track.append(TrackPoint(time: time, booked: saturatingSum(last.booked, value)), &effects.bytes)
        rest.messages.append(time)
        if rest.messages.count > UsageLimits.rememberedDeltas { rest.messages.removeFirst() }
        effects.changed(from: from, to: time)
    }

    private mutating func takeLateAmount(_ time: Int64, _ value: Int64, _ effects: inout Effects) {
        guard !rest.messages.contains(time) else { return }
        var line = track.line(effects.bytes)
        guard !isLate(time), let oldest = rest.messages.first, time > oldest, let first = line.first, time > first.time
        else {
            return effects.decide(.late, at: time, from: nil, to: value, "too old to tell from a duplicate")
        }
        rest.messages.insert(time, at: rest.messages.firstIndex { $0 > time } ?? rest.messages.count)
        if rest.messages.count > UsageLimits.rememberedDeltas { rest.messages.removeFirst() }
        effects.ask(time)
        let next = line.index(after: time)
        guard next > 0, next < line.points.count else { return }
        let (before, after) = (line.points[next - 1], line.points[next])
        line.shift(from: next, by: value)
        var at = next
        if after.opens {
            let start = max(before.time, time - UsageLimits.maximumHold)
            if start > before.time {
                line.insert(TrackPoint(time: start, booked: before.booked, opens: true), at: at)
                at += 1
            }
        }
        if before.time < time {
            line.insert(TrackPoint(time: time, booked: saturatingSum(before.booked, value)), at: at)
        }
        line.tidy(around: at)
        track.set(line, &effects.bytes)
        effects.changed(from: before.time, to: after.time)
    }
}
