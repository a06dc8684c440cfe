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
    /// Fills `page`, which is empty, with the first rows of `from ..< to`, `limit` of them at the most: values, or with
    /// `step` (ms) one row for each step that has values. There may be fewer than there are. Returns where the next
    /// page begins, which may turn out to be empty if this one has fewer than `limit`; nil after the last.
    func rows(
        _ series: HistorySeries, from: Timestamp, to: Timestamp, step: Int64?, limit: Int, into page: inout HistoryRows
    ) async throws -> Timestamp?
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

extension HomeView {
    /// Nil for a home that keeps no history.
    public var past: (any HistoryView)? { nil }
}
