/// Fifteen minutes of UTC: the smallest unit of usage and of price.
///
/// Hours, local days and months are sums of slots; every zone in use today has an offset that is a multiple of
/// 15 minutes, so a local hour never cuts a slot.
package struct Slot: Hashable, Comparable, Sendable {
    /// The one length of a slot, in milliseconds.
    package static let length: Int64 = 15 * Span.minute

    /// Number of slots since 1970-01-01T00:00:00Z.
    package var index: Int64

    package init(index: Int64) {
        self.index = index
    }

    /// The slot that holds `time`.
    package init(containing time: Timestamp) {
        let t = time.milliseconds
        self.index = t >= 0 ? t / Slot.length : (t + 1) / Slot.length - 1
    }

    package var start: Timestamp { Timestamp(milliseconds: index * Slot.length) }
    /// The first instant after the slot.
    package var end: Timestamp { Timestamp(milliseconds: (index + 1) * Slot.length) }
    package var next: Slot { Slot(index: index + 1) }

    package static func < (a: Slot, b: Slot) -> Bool {
        a.index < b.index
    }
}
