import Metering
import Timekeeping

/// What belongs together as one line of usage: all sources of one channel of one device.
struct ChannelUsage: Sendable {
    let device: DeviceID
    private var touchSource: UInt64 = 0
    /// The first of its sources, from which `FlowSource.next` leads on; −1 before there is one.
    var firstSource: Int32 = -1
    private var shortFloor: Int32 = 0
    private var touchFrom: Int32 = 0
    /// Slots of the touch; 0 without one.
    private var touchLength: UInt16 = 0
    /// Of the channel, in `ChannelTable.names` (15 bits), and whether there are more touches.
    private var shortName: UInt16

    init(device: DeviceID, name: UInt16) {
        self.device = device
        shortName = name
    }

    var name: UInt16 { shortName & 0x7FFF }

    /// The first slot that can still change; earlier ones are closed, their points forgotten. Far below 2³¹.
    var floor: Int64 {
        get { Int64(shortFloor) }
        set { shortFloor = Int32(clamping: newValue) }
    }

    /// The first of the changes that were not taken. None is longer than `UsageLimits.longestRun`.
    var touch: Touch? {
        get {
            guard touchLength > 0 else { return nil }
            let from = Int64(touchFrom)
            return Touch(from: from, to: from + Int64(touchLength) - 1, source: touchSource)
        }
        set {
            touchLength = UInt16(newValue.map { $0.to - $0.from + 1 } ?? 0)
            touchFrom = Int32(newValue?.from ?? 0)
            touchSource = newValue?.source ?? 0
        }
    }

    var hasMoreTouches: Bool {
        get { shortName >> 15 != 0 }
        set { shortName = shortName & 0x7FFF | (newValue ? 0x8000 : 0) }
    }
}

extension UsageState {
    /// The sources of a channel in the order in which they were first heard. For what happens seldom.
    func members(_ channel: Int) -> [Int] {
        var found: [Int] = []
        var next = table.channels[channel].firstSource
        while next >= 0 {
            found.append(Int(next))
            next = sources[Int(next)].next
        }
        return found
    }

    /// Marks slots as changed; closed ones cannot be. No true change is longer than the longest gap: a source whose
    /// clock is centuries ahead must not make others work through that time.
    @inline(__always)
    mutating func touch(_ channel: Int, _ first: Int64, _ to: Int64, _ offset: UInt64) {
        let from = max(first, table.channels[channel].floor, to - UsageLimits.longestRun)
        guard from <= to else { return }
        if table.channels[channel].touch == nil { touched.append(Int32(channel)) }
        add(Touch(from: from, to: to, source: offset), to: channel)
    }

    /// Where several sources share a channel, one that was away longer than the slots are kept open gets its energy
    /// into the open ones: the total is exact at once, and where it belongs when the span has been worked out again.
    mutating func bridge(_ index: Int, _ channel: Int, to time: Int64, _ offset: UInt64) {
        guard !keepsAll, let last = sources[index].track.last else { return }
        let start = table.channels[channel].floor * Slot.length
        guard last.time < start, time > start else { return }
        var point = TrackPoint(time: start, booked: last.booked, opens: true)
        if sources[index].role.method == .power {
            // No power holds for that long.
            point = TrackPoint(time: time - 1, booked: last.booked, opens: true)
            sources[index].mark = 0
        }
        // What was held back lies before it, and is decided about again.
        sources[index].clearHold()
        sources[index].track.append(point, &effects.bytes)
        askAgain(channel, from: last.time, to: time, offset)
    }

    /// Which source of a flow counts from which slot on; called when a source begins, or begins earlier than thought.
    mutating func updateShadows(of index: Int, _ offset: UInt64) {
        let channel = Int(sources[index].channel)
        let flow = sources[index].role.flow
        // From its first slot on the coverage of the others is no longer theirs alone.
        if let since = sources[index].since, let last = lastSlot(of: channel) { touch(channel, since, last, offset) }
        let rivals = members(channel).filter { sources[$0].role.flow == flow }
        for rival in rivals {
            var from = Int64.max
            for other in rivals where sources[other].role.rank < sources[rival].role.rank {
                if let since = sources[other].since { from = min(from, since) }
            }
            guard from < sources[rival].shadowedFrom else { continue }
            sources[rival].shadowedFrom = from
            // What it had booked there is void.
            if let last = sources[rival].track.last, last.slot >= from { touch(channel, from, last.slot, offset) }
        }
        if rivals.count > 1 { startCurve(of: channel, flow, at: sources[index].newest, offset) }
        if flow == .imported, sources[index].role.method != .power { voidIdleExport(of: channel, offset) }
    }

    /// Once a counter tells what is imported, a power that was never negative says nothing about export any more (see
    /// `waitsForSign`): what it said before is void, so that it does not matter which of the two a message names first.
    private mutating func voidIdleExport(of channel: Int, _ offset: UInt64) {
        for i in members(channel) {
            guard sources[i].role.method == .power, sources[i].role.sign < 0, sources[i].signSince == .max,
                !knownSigns.contains(sources[i].quantity), let first = sources[i].since,
                let last = sources[i].track.last
            else { continue }
            touch(channel, first, last.slot, offset)
            sources[i].clear(&effects.bytes)
        }
    }

    /// The last slot about which a channel knows something.
    func lastSlot(of channel: Int) -> Int64? {
        members(channel).compactMap { sources[$0].track.last?.slot }.max()
    }

    /// Moves the floor of a channel up as far as its readings allow, hands out what closes, and forgets its points.
    mutating func close(_ channel: Int) {
        if keepsAll { return }
        var floor = Int64.max
        var newest: Int64 = 0
        var active = 0
        var i = Int(table.channels[channel].firstSource)
        while i >= 0 {
            if sources[i].shadowedFrom == .max, let slot = sources[i].earliestChangeable(effects.bytes) {
                active += 1
                floor = min(floor, slot)
                newest = max(newest, slotIndex(sources[i].newest))
            }
            i = Int(sources[i].next)
        }
        guard active > 0 else { return }
        if active > 1 { floor = max(floor, newest - UsageLimits.maximumLagSlots) }
        guard floor > table.channels[channel].floor else { return }
        if table.channels[channel].touch != nil { handOut(channel, before: floor) }
        table.channels[channel].floor = floor
        i = Int(table.channels[channel].firstSource)
        while i >= 0 {
            sources[i].track.forget(before: floor, &effects.bytes)
            i = Int(sources[i].next)
        }
    }

    /// Works out the touched slots before `floor`, which change no more.
    private mutating func handOut(_ channel: Int, before floor: Int64) {
        let all = touches(of: channel)
        guard all.contains(where: { $0.from < floor }) else { return }
        var kept: [Touch] = []
        for touch in Touch.merged(all) {
            if touch.from < floor {
                compose(channel, touch.from...min(touch.to, floor - 1), touch.source, into: &ready)
            }
            if touch.to >= floor {
                kept.append(Touch(from: max(touch.from, floor), to: touch.to, source: touch.source))
            }
        }
        replaceTouches(of: channel, with: kept)
        if kept.isEmpty { touched.removeAll { $0 == channel } }
    }

    func compose(_ channel: Int, _ slots: ClosedRange<Int64>, _ offset: UInt64, into result: inout [SlotUsage]) {
        for slot in slots {
            if let usage = usage(channel, slot, offset) { result.append(usage) }
        }
    }

    /// A slot of a channel from all sources that count in it. Its coverage is the least of its flows'. Nil when
    /// nothing is known, unless a source that had counted there was set aside. `lines`: the tracks of all sources, for
    /// who asks for many slots.
    func usage(_ channel: Int, _ slot: Int64, _ offset: UInt64, lines: [TrackLine] = []) -> SlotUsage? {
        let key = table.key(channel)
        var usage = SlotUsage(device: key.device, channel: key.channel, slot: Slot(index: slot), source: offset)
        var known = false
        var void = false
        var measured = Slot.length
        var covered = Slot.length
        var estimates: [Flow: Int64] = [:]
        var next = Int(table.channels[channel].firstSource)
        while next >= 0 {
            let i = next
            next = Int(sources[i].next)
            guard slot < sources[i].shadowedFrom else {
                if !sources[i].track.isEmpty { void = true }
                continue
            }
            guard let since = sources[i].since, slot >= since else { continue }
            let unit = sources[i].kind.unit
            let part =
                lines.isEmpty
                ? sources[i].track.part(of: slot, unit: unit, effects.bytes) : lines[i].part(of: slot, unit: unit)
            measured = min(measured, part?.measured ?? 0)
            covered = min(covered, (part?.measured ?? 0) + (part?.filled ?? 0))
            guard let part else { continue }
            known = true
            let flow = sources[i].role.flow
            if part.estimated > 0 { estimates[flow] = part.estimated }
            usage[flow] = part.energy
        }
        if !corrections.isEmpty, applyAmounts(channel, slot, to: &usage, &estimates) {
            (known, measured, covered) = (true, 0, Slot.length)
        }
        guard known || void else { return nil }
        guard known else { return usage }
        usage.estimated = estimates.values.reduce(0) { saturatingSum($0, $1) }
        usage.measuredTime = measured
        usage.filledTime = covered - measured
        return usage
    }
}
