import Devices

/// When which group of which device is read next. Pure.
struct PollSchedule {
    struct Due: Hashable {
        var target: Int
        var group: String
    }

    private struct Entry {
        var due: Due
        var period: Int64
        var next: Int64
    }

    private var entries: [Entry] = []
    /// Reads in a row that a target did not answer.
    private var silences: [Int: Int64] = [:]

    /// A silent device is asked at most this much later than its schedule says, in ms.
    static let maximumBackoff: Int64 = 60_000

    init(_ targets: [ModbusIntake.Target], start: Int64) {
        for (i, target) in targets.enumerated() {
            guard let groups = target.profile.registers?.groups, let fast = groups.first?.period else { continue }
            for group in groups {
                let period = max(100, target.interval * max(1, group.period) / max(1, fast))
                entries.append(Entry(due: Due(target: i, group: group.name), period: period, next: start))
            }
        }
    }

    /// The instant at which something is due; far away when there is nothing to read.
    var next: Int64 { entries.map(\.next).min() ?? .max / 2 }

    /// What is due, the longest overdue first. A period that was missed is left out, not made up for.
    mutating func takeDue(at now: Int64) -> [Due] {
        var due: [(since: Int64, due: Due)] = []
        for i in entries.indices where entries[i].next <= now {
            due.append((entries[i].next, entries[i].due))
            let missed = (now - entries[i].next) / entries[i].period
            entries[i].next += (missed + 1) * entries[i].period
        }
        return due.sorted { $0.since < $1.since }.map(\.due)
    }

    /// What came of a read. A device that answers again is read whole at once: its other groups may have failed too,
    /// and counters are in the slow ones.
    mutating func note(_ due: Due, answered: Bool, at now: Int64) {
        guard !answered else {
            guard silences.removeValue(forKey: due.target) != nil else { return }
            for i in entries.indices where entries[i].due.target == due.target && entries[i].due != due {
                entries[i].next = min(entries[i].next, now)
            }
            return
        }
        let silence = min((silences[due.target] ?? 0) + 1, 16)
        silences[due.target] = silence
        for i in entries.indices where entries[i].due.target == due.target {
            let backoff = min(
                entries[i].period << min(silence - 1, 6), max(entries[i].period, PollSchedule.maximumBackoff))
            entries[i].next = max(entries[i].next, now + backoff)
        }
    }
}
