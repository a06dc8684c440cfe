import Metering
import Timekeeping

/// What other slots do to the bill of one period: the whole period is priced before and after, so that tiers and demand
/// charges, which look at all of it, are right.
public struct BillChange: Hashable, Sendable {
    /// One line whose amount is another, or that only one of the bills has.
    public struct Line: Hashable, Sendable {
        public var kind: Bill.Line.Kind
        public var label: String
        /// Nil: the bill has no such line.
        public var before: Decimal?
        public var after: Decimal?
    }

    public var from: Timestamp
    public var to: Timestamp
    /// Seconds east of UTC at `from` and at `to`, for printing.
    public var fromOffset: Int
    public var toOffset: Int
    public var tariff: String
    public var currency: Currency
    /// Totals; nil: there is no bill.
    public var before: Decimal?
    public var after: Decimal?
    /// Those that differ, in the order of the bill.
    public var lines: [Line] = []

    /// The bills of the same periods before and after, side by side in the order of time.
    public static func between(_ before: [Bill], _ after: [Bill]) -> [BillChange] {
        var changes: [BillChange] = []
        for bill in after {
            let old = before.first { $0.from == bill.from && $0.currency == bill.currency }
            changes.append(BillChange(bill, before: old, after: bill))
        }
        for bill in before where !after.contains(where: { $0.from == bill.from && $0.currency == bill.currency }) {
            changes.append(BillChange(bill, before: bill, after: nil))
        }
        return changes.sorted { ($0.from, $0.currency.code) < ($1.from, $1.currency.code) }
    }

    private init(_ bill: Bill, before: Bill?, after: Bill?) {
        (from, to, fromOffset, toOffset) = (bill.from, bill.to, bill.fromOffset, bill.toOffset)
        (tariff, currency) = (bill.tariff, bill.currency)
        (self.before, self.after) = (before?.total, after?.total)
        // Lines of one kind and label stand in the same order in both.
        var rest = before?.lines ?? []
        for line in after?.lines ?? [] {
            let same = rest.firstIndex { $0.kind == line.kind && $0.label == line.label }
            let old = same.map { rest.remove(at: $0).amount }
            if old == line.amount { continue }
            lines.append(Line(kind: line.kind, label: line.label, before: old, after: line.amount))
        }
        for line in rest { lines.append(Line(kind: line.kind, label: line.label, before: line.amount, after: nil)) }
    }
}
