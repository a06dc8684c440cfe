/// An instant, in milliseconds of UTC since 1970-01-01T00:00:00Z (leap seconds not counted, as in POSIX).
///
/// The only type for a point in time: readings, slots, frames and settings all use it.
public struct Timestamp: Hashable, Comparable, Sendable {
    /// Milliseconds since the epoch; negative before 1970.
    public var milliseconds: Int64

    public init(milliseconds: Int64) {
        self.milliseconds = milliseconds
    }

    public init(seconds: Int64) {
        self.milliseconds = seconds * 1000
    }

    public static func < (a: Timestamp, b: Timestamp) -> Bool {
        a.milliseconds < b.milliseconds
    }

    /// As `init(seconds:)`, but saturates: for seconds that come from outside.
    public init(clampingSeconds seconds: Int64) {
        let (product, overflow) = seconds.multipliedReportingOverflow(by: 1000)
        self.milliseconds = overflow ? (seconds < 0 ? .min : .max) : product
    }

    /// Later by `milliseconds`; saturates at the ends of the range, so that no input can overflow.
    public static func + (a: Timestamp, milliseconds: Int64) -> Timestamp {
        let (sum, overflow) = a.milliseconds.addingReportingOverflow(milliseconds)
        return Timestamp(milliseconds: overflow ? (milliseconds < 0 ? .min : .max) : sum)
    }

    public static func - (a: Timestamp, milliseconds: Int64) -> Timestamp {
        let (sum, overflow) = a.milliseconds.subtractingReportingOverflow(milliseconds)
        return Timestamp(milliseconds: overflow ? (milliseconds < 0 ? .max : .min) : sum)
    }

    /// Milliseconds from `b` to `a`; saturates.
    public static func - (a: Timestamp, b: Timestamp) -> Int64 {
        let (difference, overflow) = a.milliseconds.subtractingReportingOverflow(b.milliseconds)
        return overflow ? (a.milliseconds < 0 ? .min : .max) : difference
    }

    /// Whole seconds, rounded toward the past.
    public var secondsFloor: Int64 {
        floorDivide(milliseconds, 1000)
    }

    /// No instant outside these bounds is accepted from a device, a file or a socket: 1970 up to the year 9999.
    public static let validRange = Timestamp(milliseconds: 0)...Timestamp(milliseconds: 253_402_300_799_999)
}

/// Spans in milliseconds, so that no bare number stands in the code.
public enum Span {
    public static let second: Int64 = 1000
    public static let minute: Int64 = 60_000
    public static let hour: Int64 = 3_600_000
    public static let day: Int64 = 86_400_000
}
