import APITypes
import Metering
import Timekeeping

/// What the API reads of a home's past. Methods do their reading on a thread of their own.
public protocol HistoryView: Sendable {
    /// The series that a filter means, in the order of device, channel and quantity. A device that is not known is
    /// `Problem.notFound`.
    func series(_ filter: SeriesFilter) async throws -> [HistorySeries]
    /// The shortest usual step with which a span has at most `points` rows.
    func step(points: Int, from: Timestamp, to: Timestamp) -> Int64
    /// The first `limit` rows of `from ..< to`: values, or with `step` (ms) one row for each step that has values.
    func rows(
        _ series: HistorySeries, from: Timestamp, to: Timestamp, step: Int64?, limit: Int
    ) async throws -> HistoryPage
}

/// A series and its device's name.
public struct HistorySeries: Sendable {
    public var key: SeriesKey
    public var device: String

    public init(key: SeriesKey, device: String) {
        self.key = key
        self.device = device
    }
}

/// Some rows of a series.
public struct HistoryPage: Sendable {
    public var rows: HistoryRows
    /// Where the next page begins; nil after the last.
    public var next: Timestamp?

    public init(rows: HistoryRows, next: Timestamp?) {
        self.rows = rows
        self.next = next
    }
}

extension HomeView {
    /// Nil for a home that keeps no history.
    public var past: (any HistoryView)? { nil }
}
