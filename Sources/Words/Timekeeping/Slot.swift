/// Fifteen minutes of UTC: the smallest unit of usage and of price.
///
/// Hours, local days and months are sums of slots; every zone in use today has an offset that is a multiple of
/// 15 minutes, so a local hour never cuts a slot.
public struct Slot: Hashable, Comparable, Sendable {
    /// The one length of a slot, in milliseconds.
    public static let length: Int64 = 15 * Span.minute

    /// Number of slots since 1970-01-01T00:00:00Z.
    public var index: Int64

    public init(index: Int64) {
        self.index = index
    }

    /// The slot that holds `time`.
    public init(containing time: Timestamp) {
        let t = time.milliseconds
        self.index = t >= 0 ? t / Slot.length : (t + 1) / Slot.length - 1
    }

    public var start: Timestamp { Timestamp(milliseconds: index * Slot.length) }
    /// The first instant after the slot.
    public var end: Timestamp { Timestamp(milliseconds: (index + 1) * Slot.length) }
    public var next: Slot { Slot(index: index + 1) }

    public static func < (a: Slot, b: Slot) -> Bool {
        a.index < b.index
    }
}
