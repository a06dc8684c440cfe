import Timekeeping

/// How the energy between two readings of a counter falls on the slots, as the power of that time tells it.
struct PowerShares: Equatable {
    /// Where it begins.
    var from: Int64
    /// mW·ms up to each border between slots, and up to the end; beside a register that runs both ways negative where
    /// more flowed back.
    var works: [Int64]

    /// A made-up state's works could overflow.
    static let maximumWork: Int64 = 1 << 58
    private static let workOfEnergy: Int128 = 3_600_000

    /// What of `energy`, not negative, has flowed at each border: in proportion to the work, which is positive.
    func levels(of energy: Int64) -> [Int64] {
        guard let total = works.last else { return [] }
        return works.dropLast().map { work in
            let product = UInt64(energy).multipliedFullWidth(by: UInt64(work))
            return Int64(UInt64(total).dividingFullWidth(product).quotient)
        }
    }

    /// What a register that runs both ways would have shown at each border, above what it showed before; nil where the
    /// power says nothing that fits. `rise` is what it shows at the end.
    ///
    /// What it rose or fell more than the power tells falls on the parts in proportion to what flowed in them, either
    /// way. Where that would turn the direction of a part, the whole is split among the parts of its own direction.
    /// The negative of all gives the negative of what comes out.
    func netLevels(of rise: Int64) -> [Int64]? {
        var (before, flowed, along): (Int64, Int128, Int128) = (0, 0, 0)
        var parts: [(work: Int128, flowed: Int128, along: Int128)] = []
        for work in works {
            let part = Int128(work) - Int128(before)
            before = work
            flowed += Int128(part.magnitude)
            if part.signum() == rise.signum() { along += Int128(part.magnitude) }
            parts.append((Int128(work), flowed, along))
        }
        guard flowed > 0, flowed <= Int128(PowerShares.maximumWork) else { return nil }
        let surplus = Int128(rise) * PowerShares.workOfEnergy - Int128(before)
        if surplus.magnitude <= flowed.magnitude {
            return parts.dropLast().map { part in
                Int64((flowed * part.work + surplus * part.flowed) / (flowed * PowerShares.workOfEnergy))
            }
        }
        guard along > 0 else { return nil }
        return parts.dropLast().map { Int64(Int128(rise) * $0.along / along) }
    }
}

extension FlowSource {
    /// Books at the borders what flowed up to them.
    mutating func split(_ energy: Int64, _ shares: PowerShares, _ last: TrackPoint, _ effects: inout Effects) {
        var border = last.slot * Slot.length
        for level in shares.levels(of: energy) {
            border += Slot.length
            track.append(TrackPoint(time: border, booked: last.booked + level), &effects.bytes)
        }
    }

    /// The same of a register that runs both ways, as if it had been read at the borders: what of it was import and
    /// what export. Returns what is booked at its end.
    mutating func split(
        rise: Int64, _ shares: PowerShares, _ last: TrackPoint, _ effects: inout Effects
    ) -> Int64 {
        var (booked, before, border) = (last.booked, Int64(0), last.slot * Slot.length)
        for level in shares.netLevels(of: rise) ?? [] {
            border += Slot.length
            booked = saturatingSum(booked, max(0, level - before))
            before = level
            track.append(TrackPoint(time: border, booked: booked), &effects.bytes)
        }
        return saturatingSum(booked, max(0, rise - before))
    }
}
