extension Zone {
    /// The zone of a home that moves: `first`, and from each change on another one.
    ///
    /// A change takes effect at the border of a slot, the first one that is not before it, so that each slot belongs to
    /// one zone. To all who ask it is a change of the clocks like any other: hours are cut where the offset changes,
    /// days follow each other without gap or overlap, and a date that the new clocks show once more stays with the day
    /// that has begun. It is called what the last one is called.
    public static func joined(_ first: Zone, changes: [(at: Timestamp, to: Zone)]) -> Zone {
        var zone = first
        var kept: [(at: Int64, to: ZonePeriods)] = []
        var name = first.name
        for change in changes.enumerated().sorted(by: { ($0.element.at, $0.offset) < ($1.element.at, $1.offset) })
            .map(\.element)
        {
            guard change.to.name != name else { continue }
            name = change.to.name
            kept.append((Slot(containing: change.at + (Slot.length - 1)).start.secondsFloor, change.to.periods))
        }
        if !kept.isEmpty { zone = Zone(name: name, periods: ZonePeriods(first.periods, changes: kept)) }
        return zone
    }
}
