import Timekeeping

// Sources that are no registers: powers, and amounts per message.
extension FlowSource {
    /// mW·ms in one mWh.
    private static let unitsPerMilliwattHour: Int64 = 3_600_000
    /// No home draws more than a megawatt; mW.
    private static let maximumPower: Int64 = 1_000_000_000

    /// Integrates a power: the value before holds until this one, at most `maximumHold`.
    mutating func takePower(_ time: Int64, _ value: Int64, accepts: Bool, _ effects: inout Effects) {
        // Twice the rating: a heater at high voltage draws over its rating, a broken value is farther off.
        let rated = saturatingSum(traits.watts, traits.watts) * 1000
        let limit = accepts ? FlowSource.maximumPower : min(FlowSource.maximumPower, rated)
        guard value.magnitude <= limit.magnitude else {
            if role.sign > 0 {
                effects.decide(.quarantined, at: time, from: nil, to: value, "power above twice the rating")
            }
            return
        }
        let power = max(0, role.sign < 0 ? -value : value)
        guard let last = track.last else {
            track.append(TrackPoint(time: time, booked: 0, opens: true))
            mark = power
            newest = time
            segmentStart = time
            return effects.changed(from: time, to: time)
        }
        if time <= newest {
            if isLate(time) {
                effects.decide(.late, at: time, from: nil, to: value, "over 2 h older than the newest")
            } else {
                takeLatePower(time, power, &effects)
            }
            return
        }
        let held = min(time - last.time, UsageLimits.maximumHold)
        let work = mark * held + rest.remainder
        rest.remainder = work % FlowSource.unitsPerMilliwattHour
        let booked = saturatingSum(last.booked, work / FlowSource.unitsPerMilliwattHour)
        track.append(TrackPoint(time: last.time + held, booked: booked))
        if last.time + held < time { track.append(TrackPoint(time: time, booked: booked, opens: true)) }
        mark = power
        newest = time
        effects.changed(from: last.time, to: time)
    }

    /// A late power fills a time that nothing was known about; where a value held already, it comes too late.
    private mutating func takeLatePower(_ time: Int64, _ power: Int64, _ effects: inout Effects) {
        var line = track.line
        let next = line.index(after: time)
        guard next > 0, next < line.points.count else { return }
        let (before, after) = (line.points[next - 1], line.points[next])
        guard after.opens, before.time < time else { return }
        let end = min(after.time, time + UsageLimits.maximumHold)
        let energy = power * (end - time) / FlowSource.unitsPerMilliwattHour
        line.shift(from: next, by: energy)
        line.insert(TrackPoint(time: time, booked: before.booked, opens: true), at: next)
        if end < after.time {
            line.insert(TrackPoint(time: end, booked: saturatingSum(before.booked, energy)), at: next + 1)
        } else {
            line.setOpens(false, at: next + 1)
        }
        line.tidy(around: next)
        track = Track(line)
        effects.changed(from: time, to: end)
    }

    /// Adds an amount once: to the time since the message before, or, after a silence, to the time a value holds.
    mutating func takeAmount(_ time: Int64, _ value: Int64, accepts: Bool, _ effects: inout Effects) {
        let elapsed = track.isEmpty ? 0 : time - newest
        let plausible = traits.plausibleRise(in: max(elapsed, UsageLimits.deltaPeriod))
        guard value >= 0, value <= (accepts ? UsageLimits.maximumEnergy : plausible) else {
            return effects.decide(
                .quarantined, at: time, from: nil, to: value, value < 0 ? "negative amount" : "amount above rating")
        }
        guard let last = track.last else {
            let start = max(0, time - UsageLimits.maximumHold)
            track.append(TrackPoint(time: start, booked: 0, opens: true))
            if start < time { track.append(TrackPoint(time: time, booked: value)) }
            newest = time
            rest.messages = [time]
            return effects.changed(from: start, to: time)
        }
        if time <= newest { return takeLateAmount(time, value, &effects) }
        var from = last.time
        if time - last.time > UsageLimits.measuredInterval {
            from = time - UsageLimits.maximumHold
            track.append(TrackPoint(time: from, booked: last.booked, opens: true))
        }
        track.append(TrackPoint(time: time, booked: saturatingSum(last.booked, value)))
        newest = time
        rest.messages.append(time)
        if rest.messages.count > UsageLimits.rememberedDeltas { rest.messages.removeFirst() }
        effects.changed(from: from, to: time)
    }

    private mutating func takeLateAmount(_ time: Int64, _ value: Int64, _ effects: inout Effects) {
        guard !rest.messages.contains(time) else { return }
        guard !isLate(time), let oldest = rest.messages.first, time > oldest, let first = track.line.first,
            time > first.time
        else {
            return effects.decide(.late, at: time, from: nil, to: value, "too old to tell from a duplicate")
        }
        rest.messages.insert(time, at: rest.messages.firstIndex { $0 > time } ?? rest.messages.count)
        if rest.messages.count > UsageLimits.rememberedDeltas { rest.messages.removeFirst() }
        var line = track.line
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
        track = Track(line)
        effects.changed(from: before.time, to: after.time)
    }
}
