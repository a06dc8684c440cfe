import Timekeeping

/// A total as others see it: it never falls, whatever happens to what it is made of.
///
/// Who counts with differences (Home Assistant's `total_increasing`) books a fall as a new start and the whole value
/// again. So a fall of the source, by a correction, a lost ledger or an exchanged meter, is left out: the total stays
/// and goes on with the next rise.
public struct RisingTotal: Hashable, Sendable {
    /// In thousandths.
    public private(set) var value: Int64
    /// What `value` was made of last.
    private(set) var source: Int64
    /// Readings below `source` since `since`, of a source that nobody has judged yet.
    private var suspects = 0
    private var since = Timestamp(milliseconds: 0)

    /// So many readings, and so long, make a fall of a raw register a new start (`quantities.md` §5).
    private static let confirmingReadings = 3
    private static let confirmingTime: Int64 = 10 * Span.minute

    init(value: Int64, source: Int64) {
        self.value = value
        self.source = source
    }

    /// Begins at the source's own value.
    init(_ source: Int64) {
        self.init(value: source, source: source)
    }

    /// The source was judged before, as energy by Usage. Returns whether it fell.
    mutating func advance(to source: Int64) -> Bool {
        defer { self.source = source }
        guard source >= self.source else { return true }
        value = RisingTotal.sum(value, source - self.source)
        return false
    }

    /// A register's own value at `time`: a fall is believed when it has held. Returns whether it was believed now.
    mutating func take(_ source: Int64, at time: Timestamp) -> Bool {
        if source >= self.source {
            suspects = 0
            return advance(to: source)
        }
        if suspects == 0 { since = time }
        suspects += 1
        guard suspects >= RisingTotal.confirmingReadings, time - since >= RisingTotal.confirmingTime else {
            return false
        }
        suspects = 0
        return advance(to: source)
    }

    private static func sum(_ a: Int64, _ b: Int64) -> Int64 {
        let (sum, overflow) = a.addingReportingOverflow(b)
        return overflow ? .max : sum
    }
}
