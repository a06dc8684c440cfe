import Metering
import Records
import Timekeeping

// Commands that correct counters. What is already booked is worked out anew from the readings (`Recomputation`).
extension UsageState {
    /// Every correction, also those undone, in the order in which they were decided.
    public var knownCorrections: [Correction] { corrections }

    /// Takes a command in; others than those about counters are skipped. A command that cannot be used is counted.
    mutating func apply(_ command: Command, offset: UInt64) {
        switch command.verb {
        case .correct, .replace:
            guard !corrections.contains(where: { $0.id == command.id }) else { return }
            guard let correction = try? Correction(command), makeRoom() else {
                commandsRefused += 1
                return
            }
            corrections.append(correction)
            askAgain(correction, offset)
        case .undo:
            let id = command.arguments.first { $0.name == "command" }.flatMap { CommandID($0.value) }
            guard let i = corrections.firstIndex(where: { $0.id == id && $0.isActive }) else {
                commandsRefused += 1
                return
            }
            corrections[i].isActive = false
            askAgain(corrections[i], offset)
        case .rename, .acknowledge, .silence: break
        }
    }

    /// What was undone is forgotten first; a correction in force never is.
    private mutating func makeRoom() -> Bool {
        guard corrections.count >= UsageLimits.maximumCorrections else { return true }
        guard let undone = corrections.firstIndex(where: { !$0.isActive }) else { return false }
        corrections.remove(at: undone)
        return true
    }

    /// Those in force for a channel.
    func corrections(for key: ChannelKey) -> [Correction] {
        corrections.filter { $0.isActive && $0.device == key.device && ($0.channel ?? key.channel) == key.channel }
    }

    private mutating func askAgain(_ correction: Correction, _ offset: UInt64) {
        for i in table.channels.indices where table.channels[i].device == correction.device {
            let key = table.key(i)
            guard (correction.channel ?? key.channel) == key.channel else { continue }
            // What lies ahead of all readings is honoured when they come.
            let newest = members(i).map { sources[$0].newest }.max() ?? -1
            guard newest >= correction.from.milliseconds || correction.isAmount else { continue }
            ask(
                Recompute(
                    device: key.device, channel: key.channel, from: correction.from, to: correction.to, source: offset))
            if correction.isAmount {
                touch(i, Slot(containing: correction.from).index, Slot(containing: correction.to).index - 1, offset)
            }
        }
    }

    /// Remembers a span that must be worked out again; one a channel. Also for what was taken and could not be done.
    public mutating func ask(_ wanted: Recompute) {
        let key = ChannelKey(device: wanted.device, channel: wanted.channel)
        var span = wanted
        if let known = recomputes[key] {
            span.from = min(known.from, span.from)
            span.to = max(known.to, span.to)
            span.source = max(known.source, span.source)
        }
        recomputes[key] = span
    }

    /// Takes a reading to which corrections may say something; false when they leave it out.
    mutating func takeCorrected(_ index: Int, _ channel: Int, _ time: Int64, _ value: Int64) -> Bool {
        let quantity = sources[index].quantity
        let name = table.key(channel).channel
        let corrections = corrections(for: table.key(channel))
        let at = Timestamp(milliseconds: time)
        var accepts = false
        var taken = false
        for correction in corrections where correction.concerns(name, quantity) {
            switch correction.action {
            case .drop: if at >= correction.from, at < correction.to { return false }
            case .accept: if at >= correction.from, at <= correction.to { accepts = true }
            case .amount, .segment: break
            }
        }
        for correction in corrections where correction.concerns(name, quantity) {
            guard case .segment(let end, let first) = correction.action,
                sources[index].begins(at: correction.from.milliseconds, with: time)
            else { continue }
            taken = sources[index].startSegment(
                at: correction.from.milliseconds, end: end, first: first, time: time, value: value, &effects)
        }
        if !taken { sources[index].take(time, value, accepts: accepts, &effects) }
        return true
    }

    /// Puts corrected amounts in the place of what was counted.
    func applyAmounts(
        _ channel: Int, _ slot: Int64, to usage: inout SlotUsage, _ estimates: inout [Flow: Int64]
    ) -> Bool {
        var found = false
        for correction in corrections(for: table.key(channel)) {
            guard let quantity = correction.quantity, let share = correction.share(of: slot),
                let flow = FlowRole.roles(of: quantity, .lifetime).first?.flow
            else { continue }
            usage[flow] = share
            estimates[flow] = share
            found = true
        }
        return found
    }
}

extension Correction {
    var isAmount: Bool { if case .amount = action { true } else { false } }
}

extension SlotUsage {
    /// The energy of one flow.
    subscript(flow: Flow) -> Int64? {
        get {
            switch flow {
            case .imported: imported
            case .exported: exported
            case .produced: produced
            case .charged: charged
            case .discharged: discharged
            }
        }
        set {
            switch flow {
            case .imported: imported = newValue
            case .exported: exported = newValue
            case .produced: produced = newValue
            case .charged: charged = newValue
            case .discharged: discharged = newValue
            }
        }
    }
}
