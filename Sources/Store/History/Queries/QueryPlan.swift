import Timekeeping

/// From which tier each part of a span is answered.
struct QueryPlan: Hashable {
    struct Part: Hashable {
        var tier: HistoryTier
        var from: Timestamp
        var to: Timestamp
    }

    private(set) var parts: [Part] = []

    /// What the plan depends on.
    struct Holdings {
        /// From here on a tier has everything, by tier.
        var begins: [Timestamp]
        /// The earliest value that is in no file.
        var headFirst: Timestamp?
        /// Tiers that lack files' values in the span.
        var lacking: Set<HistoryTier>

        func begin(_ tier: HistoryTier) -> Timestamp { begins[tier.rawValue] }
    }

    /// The coarsest tier whose buckets fit into steps of `step` from `from` on answers as far as it has all values;
    /// what is newer, or lies in a bucket that `to` cuts, comes from raw values. Where a tier has been given up, a
    /// coarser one stands in for it: its buckets then count for the step that they begin in.
    init(from: Timestamp, to: Timestamp, step: Int64, _ holdings: Holdings) {
        guard from < to else { return }
        let fitting = HistoryTier.rollUps.last { tier in
            guard let length = tier.step, !holdings.lacking.contains(tier) else { return false }
            return step % length == 0 && from.floored(to: length) == from
        }
        guard let tier = fitting, let length = tier.step else {
            add(.raw, from, to, holdings)
            return
        }
        // Buckets that the head adds to are not whole in files.
        let whole = min(to, holdings.headFirst ?? to).floored(to: length)
        if from < whole { add(tier, from, whole, holdings) }
        add(.raw, max(from, whole), to, holdings)
    }

    private mutating func add(_ tier: HistoryTier, _ from: Timestamp, _ to: Timestamp, _ holdings: Holdings) {
        guard from < to else { return }
        let begin = holdings.begin(tier)
        let coarser = HistoryTier.rollUps.first { $0.rawValue > tier.rawValue && holdings.begin($0) < begin }
        guard from < begin, let coarser, let length = coarser.step else {
            parts.append(Part(tier: tier, from: from, to: to))
            return
        }
        let border = min(begin.ceiled(to: length), to)
        add(coarser, from, border, holdings)
        add(tier, max(from, border), to, holdings)
    }
}
