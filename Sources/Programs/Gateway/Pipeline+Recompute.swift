import Billing
import History
import Ledger
import Metering
import ReadingLog
import Records
import Timekeeping
import Usage

/// History as Usage reads it. Reads files: only on the pipeline's thread.
struct HistoryArchive: ReadingArchive {
    let history: History

    var begin: Timestamp {
        let begin = history.rawBegin
        // Where nothing but roll-ups is left in files, what is in memory has to do.
        return begin == Timestamp(milliseconds: .max) ? Timestamp(milliseconds: .min) : begin
    }

    func readings(
        of series: SeriesKey, from: Timestamp, until: Timestamp, _ body: (Timestamp, Int64) -> Void
    ) throws {
        try history.range(series, from: from, to: until) { body($0.time, $0.value) }
    }
}

// What Usage cannot work out any more by itself is answered from History.
extension Pipeline {
    /// Slots of this long before a span tell whether History still reaches as far as they do.
    private static let day: Int64 = 96

    /// Works out again what was asked for. Call it when the log has been read up to its durable end, so that History
    /// and Usage know the same readings.
    func recompute() throws {
        guard usage.wantsRecompute else { return }
        try history.follow()
        var wanted = usage.takeRecomputes()[...]
        while let next = wanted.first {
            do {
                let result = try usage.recomputation(of: next, from: HistoryArchive(history: history))
                for slot in try changes(by: result, to: next) {
                    try addToTotals(slot)
                    pending[SlotKey(slot)] = slot
                }
                if let decided = result.decided {
                    newDecisions.replace(
                        .init(
                            device: next.device, channel: next.channel, from: decided.lowerBound,
                            until: decided.upperBound),
                        with: result.decisions)
                }
                usage.adopt(result)
                revisions += 1
            } catch {
                for rest in wanted { usage.ask(rest) }
                throw error
            }
            wanted.removeFirst()
            if pending.count >= Pipeline.maximumPending { checkpoint() }
        }
    }

    private func changes(by result: Recomputation, to wanted: Recompute) throws -> [SlotUsage] {
        result.changes(against: try slots(of: wanted.device, wanted.channel, result.range))
    }

    /// The slots of a channel as queries see them now, those of the day before as well.
    private func slots(
        of device: DeviceID, _ channel: Channel, _ range: ClosedRange<Slot>
    ) throws -> [SlotUsage] {
        let first = Slot(index: max(0, range.lowerBound.index - Pipeline.day))
        var found: [Slot: SlotUsage] = [:]
        try ledger.slots(from: first, until: range.upperBound.next, devices: [device]) { slot in
            if slot.channel == channel { found[slot.slot] = slot }
            return true
        }
        for (key, slot) in pending where key.device == device && key.channel == channel {
            if key.slot >= first, key.slot <= range.upperBound { found[key.slot] = slot }
        }
        return found.values.sorted { $0.slot < $1.slot }
    }

    /// To a state that must be made again from nothing: what was decided so far. The log may have overwritten it; what
    /// it changed is in the ledger's slots already.
    static func restoreCommands(_ usage: inout UsageState, from ledger: Ledger) throws {
        for known in try ledger.commands() { usage.apply(.command(known.command), offset: 0) { _ in nil } }
        _ = usage.takeRecomputes()
    }

    /// What a command would change, slot by slot and bill by bill, without giving it. Throws a `CorrectionError` when
    /// it cannot be meant so.
    func preview(_ command: Command, zone: Zone) throws -> CorrectionEffect {
        if command.verb != .undo { _ = try Correction(command) }
        try history.follow()
        var hypothetical = usage
        let refused = hypothetical.commandsRefused
        _ = hypothetical.takeRecomputes()
        hypothetical.apply(.command(command), offset: 0) { _ in nil }
        guard hypothetical.commandsRefused == refused else {
            throw CorrectionError(
                command.verb == .undo
                    ? "no correction in force has that id"
                    : "a home may have \(UsageLimits.maximumCorrections) corrections")
        }
        var effect = CorrectionEffect()
        for wanted in hypothetical.takeRecomputes() {
            let result = try hypothetical.recomputation(of: wanted, from: HistoryArchive(history: history))
            let stored = try slots(of: wanted.device, wanted.channel, result.range)
            let before = Dictionary(stored.map { ($0.slot, $0) }, uniquingKeysWith: { $1 })
            for after in result.changes(against: stored) {
                effect.slots.append(CorrectionEffect.Change(before: before[after.slot], after: after))
            }
        }
        effect.bills = try billChanges(effect.slots.map(\.after), zone)
        return effect
    }

    /// The whole billing periods that slots lie in, priced as they are and with `changed` in their place.
    private func billChanges(_ changed: [SlotUsage], _ zone: Zone) throws -> [BillChange] {
        let pricing = Pricing(settings: settings, zone: zone)
        func period(_ slot: Slot) -> Period { pricing.billingPeriod(containing: slot.start) }
        let touched = Set(changed.map { period($0.slot).from })
        guard let first = changed.map(\.slot).min(), let last = changed.map(\.slot).max() else { return [] }
        // No farther than now, as bills are made.
        let end = max(last.end, min(period(last).to, clock.now().wall + Slot.length))
        let before = try bills(from: period(first).from, to: end, zone: zone)
        let after = try bills(from: period(first).from, to: end, zone: zone, replacing: changed)
        return BillChange.between(before, after).filter { touched.contains($0.from) }
    }

    /// Puts a command into the log and takes it in; what it changed is in queries' answers when this returns.
    func give(_ command: Command, zone: Zone) throws -> CorrectionEffect {
        // What is durable first, so that the effect is told against what the command will meet.
        tick()
        let effect = try preview(command, zone: zone)
        try facts.append([.command(command)])
        tick()
        checkpoint()
        if let trouble = troubles["log"] ?? troubles["usage"] ?? troubles["ledger"] {
            throw CorrectionError("the command is in the log, and takes effect once this works again: \(trouble)")
        }
        return effect
    }

    /// Decisions about counters in `from ..< until`, newest first.
    func decisions(from: Timestamp, until: Timestamp, device: DeviceID?, limit: Int) throws -> [Decision] {
        struct Key: Hashable {
            let series: SeriesKey
            let time: Timestamp
            let kind: Decision.Kind
        }
        var found: [Key: Decision] = [:]
        let kept = try ledger.decisions(from: from, until: until, device: device, limit: limit)
        for decision in kept.filter({ !newDecisions.withdraws($0) }) + newDecisions.made {
            guard decision.time >= from, decision.time < until, device == nil || decision.series.device == device else {
                continue
            }
            found[Key(series: decision.series, time: decision.time, kind: decision.kind)] = decision
        }
        let sorted = found.values.sorted {
            ($1.time, $0.series, $0.kind.rawValue) < ($0.time, $1.series, $1.kind.rawValue)
        }
        return Array(sorted.prefix(limit))
    }

    /// The newest commands, in the order of time.
    func commands(limit: Int) throws -> [DatedCommand] {
        let known = try ledger.commands(limit: limit)
        let ids = Set(known.map(\.command.id))
        return Array((known + newCommands.filter { !ids.contains($0.command.id) }).suffix(limit))
    }

    var corrections: [Correction] { usage.knownCorrections }

    func slots(of device: DeviceID, _ channel: Channel, around time: Timestamp) throws -> [SlotUsage] {
        let slot = Slot(containing: time)
        let near = Slot(index: max(0, slot.index - 1))
        return try slots(of: device, channel, near...slot.next).filter { $0.slot >= near }
    }
}

/// What a command changes.
struct CorrectionEffect: Sendable {
    struct Change: Sendable {
        /// Nil: nothing was known.
        var before: SlotUsage?
        var after: SlotUsage
    }

    var slots: [Change] = []
    /// Of every period with a slot that changes, also where the bill stays as it is.
    var bills: [BillChange] = []
}
