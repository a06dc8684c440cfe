import APITypes
import Metering
import Timekeeping

/// Which readings a request is about; nil matches all.
public struct SeriesFilter: Sendable {
    public var device: String?
    public var channel: Channel?
    public var quantity: Quantity?

    public init(device: String? = nil, channel: Channel? = nil, quantity: Quantity? = nil) {
        self.device = device
        self.channel = channel
        self.quantity = quantity
    }

    /// Whether a series of that name is meant.
    public func matches(device: String, channel: Channel, quantity: Quantity) -> Bool {
        (self.device == nil || self.device == device) && (self.channel == nil || self.channel == channel)
            && (self.quantity == nil || self.quantity == quantity)
    }
}

/// How usage is summed.
public enum UsagePeriod: String, Sendable, CaseIterable {
    case slot, hour, day, week, month, bill, year
}

/// All the API knows of the home behind it. Implementations answer from any task and never block the caller's thread
/// on the disk: whatever reads files runs on a thread of its own. A device that is not known is `Problem.notFound`.
public protocol HomeView: BillingView {
    /// What can be done about counters that went wrong.
    var data: (any DataView)? { get }
    /// What looks after what is at rest.
    var store: (any StoreView)? { get }
    /// Values of series over time.
    var past: (any HistoryView)? { get }
    func status() async -> StatusAnswer
    func devices() async throws -> [DeviceAnswer]
    /// The newest reading of each series, in the order of device, channel and quantity.
    func latest(_ filter: SeriesFilter) async throws -> [ReadingAnswer]
    /// Readings of `since ..< until` in the order of time, in pages: the answer gives page 0, 1, … and nil after the
    /// last. At most `limit` readings: the newest of them.
    func readings(
        _ filter: SeriesFilter, since: Timestamp, until: Timestamp, limit: Int
    ) async throws -> @Sendable (Int) -> [ReadingAnswer]?
    /// Readings as they come in, from now on; a slow reader loses batches, which `follow` counts.
    func follow(_ filter: SeriesFilter) async throws -> AsyncStream<[ReadingAnswer]>
    /// Usage rows as JSON objects are made of. Nil bounds mean what suits the period.
    func usage(
        by period: UsagePeriod, since: Timestamp?, until: Timestamp?, device: String?
    ) async throws -> [UsageAnswer]
}
