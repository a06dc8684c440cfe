import Metering
import Timekeeping

/// A span whose prices differ between two settings: what a changed configuration does to the past and to what comes.
public struct TariffChange: Hashable, Sendable {
    public var from: Timestamp
    /// Nil: from then on.
    public var to: Timestamp?
    /// What was in force; nil: nothing.
    public var before: Tariff?
    public var after: Tariff?

    /// The spans in the order of time; empty when every instant has the same prices.
    public static func between(_ old: HomeSettings, _ new: HomeSettings) -> [TariffChange] {
        let borders = Set((old.tariffs + new.tariffs).map(\.validFrom)).sorted()
        var changes: [TariffChange] = []
        for (i, border) in borders.enumerated() {
            let (before, after) = (old.tariff(at: border), new.tariff(at: border))
            if isSame(before, after) { continue }
            let end = i + 1 < borders.count ? borders[i + 1] : nil
            if let last = changes.last, last.to == border, TariffChange.isSame(last.before, before),
                TariffChange.isSame(last.after, after)
            {
                changes[changes.count - 1].to = end
            } else {
                changes.append(TariffChange(from: border, to: end, before: before, after: after))
            }
        }
        return changes
    }

    private static func isSame(_ a: Tariff?, _ b: Tariff?) -> Bool {
        switch (a, b) {
        case (nil, nil): true
        case (let a?, let b?): a.hasSamePrices(as: b)
        default: false
        }
    }
}
