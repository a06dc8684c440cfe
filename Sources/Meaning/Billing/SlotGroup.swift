import Metering
import Timekeeping

/// The usages of one slot at a time, out of a stream in the order of slots.
struct SlotGroup {
    private var usages: [SlotUsage] = []
    private let span: Period

    /// Slots that start outside `span` are left out.
    init(span: Period) {
        self.span = span
    }

    /// Takes the next usage in. When it begins a later slot, the usages of the slot before it are handed out. One of an
    /// earlier slot is left out: its period may be written.
    mutating func add(_ usage: SlotUsage) -> [SlotUsage]? {
        guard span.contains(usage.slot.start) else { return nil }
        guard let slot = usages.first?.slot, slot != usage.slot else {
            usages.append(usage)
            return nil
        }
        guard usage.slot > slot else { return nil }
        defer { usages = [usage] }
        return usages
    }

    /// The usages of the last slot; nil when there was none.
    mutating func finish() -> [SlotUsage]? {
        defer { usages = [] }
        return usages.isEmpty ? nil : usages
    }
}
