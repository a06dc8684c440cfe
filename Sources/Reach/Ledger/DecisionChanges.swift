import Metering
import Timekeeping
import Usage

/// What was decided about counters since the last commit.
///
/// When a span is worked out again, for readings that came late or a correction, everything about it is decided again:
/// what was decided before no longer holds and goes, but for readings that came too late, which stay too late.
public struct DecisionChanges: Sendable {
    /// A channel's decisions with a time in `from ..< until`.
    public struct Span: Hashable, Sendable {
        public let device: DeviceID
        public let channel: Channel
        public let from: Timestamp
        public let until: Timestamp

        public init(device: DeviceID, channel: Channel, from: Timestamp, until: Timestamp) {
            (self.device, self.channel, self.from, self.until) = (device, channel, from, until)
        }

        public func contains(_ decision: Decision) -> Bool {
            decision.series.device == device && decision.series.channel == channel && decision.kind != .late
                && decision.time >= from && decision.time < until
        }
    }

    /// Spans that a ledger that cannot be written has to remember; the oldest are forgotten, their decisions stay.
    private static let maximumSpans = 4_096

    public private(set) var made: [Decision] = []
    /// What of the ledger goes before `made` is kept.
    public private(set) var withdrawn: [Span] = []

    public init() {}

    public var isEmpty: Bool { made.isEmpty && withdrawn.isEmpty }

    public mutating func add(_ decisions: [Decision]) {
        made.append(contentsOf: decisions)
    }

    /// All of `span` was decided again.
    public mutating func replace(_ span: Span, with decisions: [Decision]) {
        made.removeAll(where: span.contains)
        if withdrawn.count >= DecisionChanges.maximumSpans { withdrawn.removeFirst() }
        if withdrawn.last != span { withdrawn.append(span) }
        made.append(contentsOf: decisions)
    }

    /// Whether a decision of the ledger no longer holds.
    public func withdraws(_ decision: Decision) -> Bool { withdrawn.contains { $0.contains(decision) } }
}
