import Metering
import Records

/// Where Intake puts what it understood: the gateway's log. Any thread.
public protocol RecordSink: Sendable {
    /// The number of a series, given now if it has none; nil when there is no room for more.
    func number(for key: SeriesKey) -> SeriesNumber?
    /// Takes records over, in order. What cannot be taken is the sink's to count and to tell.
    func append(_ records: [Record])
    /// Readings that were just appended, for those who watch; called outside of Intake's locks.
    func watch(_ readings: [Reading])
}
