import Timekeeping

/// How slots are grouped: local hours, days and months of a zone, or not at all.
package enum Grouping: String, Hashable, Sendable, CaseIterable {
    case slot, hour, day, month

    /// The period that holds `time`.
    package func period(containing time: Timestamp, zone: Zone) -> Period {
        switch self {
        case .slot:
            let slot = Slot(containing: time)
            return Period(from: slot.start, to: slot.end)
        case .hour:
            return Period(from: zone.hourStart(containing: time), to: zone.nextHourStart(after: time))
        case .day:
            let day = zone.day(containing: time)
            return Period(from: zone.start(of: day), to: zone.end(of: day))
        case .month:
            let month = zone.month(containing: time)
            return Period(from: zone.start(of: month), to: zone.end(of: month))
        }
    }
}

/// A span of time with its first instant and the first one after it.
package struct Period: Hashable, Sendable {
    package var from: Timestamp
    package var to: Timestamp

    package init(from: Timestamp, to: Timestamp) {
        self.from = from
        self.to = to
    }

    package func contains(_ time: Timestamp) -> Bool { from <= time && time < to }
    /// ms.
    package var length: Int64 { to - from }
}
