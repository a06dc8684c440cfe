import Metering
import Timekeeping

/// Slots of a channel that the state cannot work out by itself any more: readings came too late for it, or a person
/// corrected what they say. Whoever has the readings answers with `UsageState.recomputation`.
public struct Recompute: Hashable, Sendable {
    public var device: DeviceID
    public var channel: Channel
    /// What changed lies in this span; the slots that change with it may reach beyond.
    public var from: Timestamp
    public var to: Timestamp
    /// Offset of the newest record that asked for it: the `source` of what comes out.
    public var source: UInt64

    public init(device: DeviceID, channel: Channel, from: Timestamp, to: Timestamp, source: UInt64) {
        self.device = device
        self.channel = channel
        self.from = from
        self.to = to
        self.source = source
    }
}

/// Where readings of the past are found: History, or the lines of a replay.
public protocol ReadingArchive {
    /// From here on every reading that came is still there; of the time before, only what came after it was given up.
    var begin: Timestamp { get }
    /// Calls `body` with the readings of a series in `from ..< until`, in the order of time, retained ones left out.
    func readings(
        of series: SeriesKey, from: Timestamp, until: Timestamp, _ body: (Timestamp, Int64) -> Void
    ) throws
}

/// A span of one channel, worked out again from its readings in the order of time and with every correction: what the
/// slots should have been from the start.
public struct Recomputation: Sendable {
    /// The slots in the order of time; of a slot of `complete` that is not among them nothing is known.
    public let slots: [SlotUsage]
    /// Slots that may change.
    public let range: ClosedRange<Slot>
    /// Those of them of which the archive has every reading; nil: none.
    let complete: ClosedRange<Slot>?
    /// What was decided in the span.
    public let decisions: [Decision]
    /// How the counters stand after it; nil when the span ended before what still is open.
    let outcome: Outcome?
    let source: UInt64
    /// The first reading that the archive still had; nil when it had none.
    public let firstReading: Timestamp?
    /// The first slot that its readings tell about.
    let firstKnown: Slot?

    struct Outcome: Sendable {
        var key: UsageState.ChannelKey
        /// Each with its track, whose bytes are elsewhere.
        var sources: [(source: FlowSource, line: TrackLine)]
    }

    /// When decisions were made again, so that earlier ones no longer hold; nil: never.
    public var decided: Range<Timestamp>? {
        guard let complete else { return nil }
        // Of what the archive has given up nothing was decided again.
        let from = max(complete.lowerBound.start, firstReading ?? complete.upperBound.end)
        return from < complete.upperBound.end ? from..<complete.upperBound.end : nil
    }

    /// What must replace `stored`, the slots of `range` as they were kept (in the order of time; those of a day before
    /// as well): those that differ, and an empty one for each about which nothing is known any more. Slots whose
    /// readings the archive has given up stay as they were; where there were none, late ones make some.
    public func changes(against stored: [SlotUsage]) -> [SlotUsage] {
        let first = complete?.lowerBound ?? range.upperBound.next
        let known = Set(stored.filter { $0.slot < first && $0.isKnown }.map(\.slot))
        let past = slots.filter { $0.slot < first && !known.contains($0.slot) }
        guard let complete else { return past }
        return past + changes(of: complete, against: stored)
    }

    private func changes(of range: ClosedRange<Slot>, against stored: [SlotUsage]) -> [SlotUsage] {
        var changes: [SlotUsage] = []
        var kept = range.lowerBound
        if let first = stored.first(where: \.isKnown)?.slot {
            let oldest = firstReading.map { Slot(containing: $0) } ?? range.upperBound.next
            // An amount reaches back to before the slot of its message.
            if first < min(oldest, firstKnown ?? oldest) { kept = max(kept, oldest.next) }
        }
        let stored = stored.filter { $0.slot >= kept }
        let slots = slots.filter { $0.slot >= kept }
        var old = stored[...]
        func void(_ usage: SlotUsage) {
            guard usage.isKnown || usage.measuredTime > 0 || usage.filledTime > 0 else { return }
            changes.append(
                SlotUsage(
                    device: usage.device, channel: usage.channel, slot: usage.slot, source: max(source, usage.source)))
        }
        for var slot in slots {
            while let first = old.first, first.slot < slot.slot {
                void(first)
                old.removeFirst()
            }
            if let first = old.first, first.slot == slot.slot {
                old.removeFirst()
                var same = slot
                same.source = first.source
                if same == first { continue }
                slot.source = max(slot.source, first.source)
            }
            changes.append(slot)
        }
        for rest in old { void(rest) }
        return changes
    }
}

extension Recomputation {
    /// Of a time of which the archive has given up the readings.
    fileprivate init(past slots: [SlotUsage], range: ClosedRange<Slot>, _ wanted: Recompute) {
        self.init(
            slots: slots, range: range, complete: nil, decisions: [], outcome: nil, source: wanted.source,
            firstReading: nil, firstKnown: nil)
    }

    /// The same after such a time.
    fileprivate func following(_ past: [SlotUsage], from: Slot) -> Recomputation {
        let first = range.lowerBound
        return Recomputation(
            slots: past.filter { $0.slot < first } + slots, range: min(from, first)...range.upperBound,
            complete: complete, decisions: decisions, outcome: outcome, source: source, firstReading: firstReading,
            firstKnown: firstKnown)
    }
}

/// The part of an archive's readings in `from ..< until`.
private struct ArchiveSpan<Base: ReadingArchive>: ReadingArchive {
    let base: Base
    let from: Timestamp
    /// Nil: no end.
    let until: Timestamp?

    var begin: Timestamp { from }

    func readings(
        of series: SeriesKey, from: Timestamp, until: Timestamp, _ body: (Timestamp, Int64) -> Void
    ) throws {
        let (first, end) = (max(from, self.from), min(until, self.until ?? until))
        if first < end { try base.readings(of: series, from: first, until: end, body) }
    }
}

extension UsageState {
    /// Works a span out again. The state itself does not change: `adopt` makes it go on from the result.
    public func recomputation(of wanted: Recompute, from archive: some ReadingArchive) throws -> Recomputation {
        let begin = archive.begin
        guard wanted.from < begin else {
            return try fold(wanted, ArchiveSpan(base: archive, from: begin, until: nil))
        }
        // A reading that comes after those around it were given up must not be counted against them: with it alone the
        // time around it would look like one long gap.
        var earlier = wanted
        earlier.to = min(wanted.to, begin - 1)
        let past = try fold(earlier, ArchiveSpan(base: archive, from: Timestamp.validRange.lowerBound, until: begin))
        let last = Slot(containing: earlier.to)
        let slots = past.slots.filter { $0.slot <= last && $0.slot.end <= begin }
        guard wanted.to >= begin else {
            return Recomputation(past: slots, range: min(past.range.lowerBound, last)...last, wanted)
        }
        var later = wanted
        later.from = begin
        let result = try fold(later, ArchiveSpan(base: archive, from: begin, until: nil))
        return result.following(slots, from: past.range.lowerBound)
    }

    private func fold(_ wanted: Recompute, _ archive: ArchiveSpan<some ReadingArchive>) throws -> Recomputation {
        let key = ChannelKey(device: wanted.device, channel: wanted.channel)
        let from = max(wanted.from, Timestamp.validRange.lowerBound)
        let to = min(max(wanted.to, from), Timestamp.validRange.upperBound)
        guard let live = channelNumber(key) else {
            return Recomputation(past: [], range: Slot(containing: from)...Slot(containing: to), wanted)
        }
        var window = try window(of: live, key, from: from, to: to, archive)
        let newest = members(live).map { sources[$0].newest }.max() ?? -1
        let reachesPresent =
            window.end.milliseconds > newest || Slot(containing: window.end).index >= table.channels[live].floor
        if reachesPresent {
            window.end = max(to, Timestamp(milliseconds: newest + 1))
            window.isOpen = true
        }
        var fresh = blank(for: key)
        fresh.knownSigns = knownSigns(of: live, before: window)
        let (seen, firstReading) = try fresh.feed(window, of: key, archive, wanted.source)
        if reachesPresent {
            let last = max(fresh.channelNumber(key).flatMap { fresh.lastSlot(of: $0) } ?? 0, lastSlot(of: live) ?? 0)
            window.last = Slot(index: max(last, window.last.index))
        }
        let range = min(window.first, window.last)...window.last
        var slots: [SlotUsage] = []
        if let index = fresh.channelNumber(key) {
            let lines = fresh.sources.map { $0.track.line(fresh.effects.bytes) }
            for slot in range.lowerBound.index...range.upperBound.index {
                let usage = fresh.usage(index, slot, wanted.source, lines: lines)
                if let usage, usage.isKnown { slots.append(usage) }
            }
        }
        let decisions = fresh.takeDecisions().filter { range.contains(Slot(containing: $0.time)) }
        let outcome = reachesPresent ? fresh.outcome(key, seen) : nil
        return Recomputation(
            slots: slots, range: range, complete: range, decisions: decisions, outcome: outcome,
            source: wanted.source, firstReading: firstReading,
            firstKnown: fresh.sources.compactMap(\.since).min().map { Slot(index: $0) })
    }

    /// Goes on from where a recomputation that reaches the present left the counters. Call it when the state has taken
    /// in everything that the archive has, and its changes have been taken.
    public mutating func adopt(_ recomputation: Recomputation) {
        guard let outcome = recomputation.outcome, let channel = channelNumber(outcome.key) else { return }
        for (var source, line) in outcome.sources {
            let twin = members(channel).first {
                sources[$0].quantity == source.quantity && sources[$0].role.flow == source.role.flow
            }
            guard let twin else { continue }
            let known = sources[twin].track.line(effects.bytes)
            source.channel = Int32(channel)
            source.next = sources[twin].next
            source.shadowedFrom = min(source.shadowedFrom, sources[twin].shadowedFrom)
            if sources[twin].signSince < source.signSince {
                source.rest.signSince = sources[twin].signSince
            }
            source.kind = kind(source.quantity, source.role, source.traits)
            sources[twin].clear(&effects.bytes)
            source.track = Track()
            source.track.set(line.continuing(known), &effects.bytes)
            sources[twin] = source
        }
        close(channel)
    }

    /// A state that knows a channel's device and corrections, and no reading.
    func blank(for key: ChannelKey) -> UsageState {
        var state = UsageState()
        state.keepsAll = true
        state.devices[key.device] = devices[key.device]
        state.corrections = corrections.filter { $0.device == key.device }
        return state
    }

    private func outcome(_ key: ChannelKey, _ seen: Set<Quantity>) -> Recomputation.Outcome? {
        guard let index = channelNumber(key) else { return nil }
        let found = members(index).map { (source: sources[$0], line: sources[$0].track.line(effects.bytes)) }
        return Recomputation.Outcome(key: key, sources: found.filter { seen.contains($0.source.quantity) })
    }
}
