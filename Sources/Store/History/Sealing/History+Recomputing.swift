import Disk
import Metering
import Timekeeping

// Roll-ups of late values, and of values whose roll-ups are missing.
extension History {
    /// Makes every quarter of an hour that the points touch from raw values, those of files included; where those
    /// have been given up already, what is new is added to what the roll-ups have. Also the buckets that are open
    /// after it, if they can be told. `isNewer`: files have nothing later than the points.
    func recompute(
        _ key: SeriesKey, _ points: PointColumns, isInFiles: Bool, isNewer: Bool = false, _ scratch: DecodingScratch
    ) throws(DiskError) -> (RollUp, OpenBuckets?) {
        var rollUp = RollUp()
        var after: OpenBuckets?
        for piece in RollUp.pieces(points, joinsNeighbours: true) {
            let known = isInFiles ? [:] : try givenUp(key, piece.start, piece.end, scratch)
            guard !known.isEmpty else {
                try remake(key, piece, isInFiles: isInFiles, &rollUp, scratch)
                after = rollUp.open
                rollUp.close()
                continue
            }
            after = nil
            for quarter in RollUp.pieces(piece.points, joinsNeighbours: false) {
                if let bucket = known[quarter.start] {
                    try extend(bucket, key, quarter, isNewer: isNewer, &rollUp, scratch)
                } else {
                    try remake(key, quarter, isInFiles: false, &rollUp, scratch)
                    rollUp.close()
                }
            }
        }
        return (rollUp, after)
    }

    private func remake(
        _ key: SeriesKey, _ piece: RollUp.Piece, isInFiles: Bool, _ rollUp: inout RollUp, _ scratch: DecodingScratch
    ) throws(DiskError) {
        try forEachPoint(key, piece.start, piece.end, newer: isInFiles ? nil : piece.points, scratch) {
            rollUp.add($0, $1)
        }
    }

    /// Adds what is new in a quarter of an hour to what the roll-ups know of it.
    private func extend(
        _ known: HistoryBucket, _ key: SeriesKey, _ quarter: RollUp.Piece, isNewer: Bool, _ rollUp: inout RollUp,
        _ scratch: DecodingScratch
    ) throws(DiskError) {
        var there: Set<Int64> = []
        try forEachPoint(key, quarter.start, quarter.end, newer: nil, scratch) { there.formUnion($0.times[$1]) }
        let fresh = quarter.points.without(there)
        guard fresh.count > 0 else { return }
        let (minute, begin) = (rollUp.minutes.count, rollUp.quarters.count)
        rollUp.add(fresh, 0..<fresh.count)
        rollUp.close()
        let minutes = try buckets(.minute, key, quarter.start, quarter.end, scratch)
        rollUp.add(minutes: minutes, from: minute, quarters: [known], from: begin, isNewer: isNewer)
    }

    /// Quarters of an hour, by their start, of which the roll-ups know more values than files have: raw values were
    /// given up, as those of the distant past are soon after they were imported, or are damaged.
    private func givenUp(
        _ key: SeriesKey, _ start: Timestamp, _ end: Timestamp, _ scratch: DecodingScratch
    ) throws(DiskError) -> [Timestamp: HistoryBucket] {
        let known = try buckets(.quarter, key, start, end, scratch)
        guard !known.isEmpty else { return [:] }
        var counts: [Timestamp: Int] = [:]
        try forEachPoint(key, start, end, newer: nil, scratch) { columns, range in
            for time in columns.times[range] { counts[RollUp.start(time), default: 0] += 1 }
        }
        // A merge may move a time a little, and so one value over each border of a quarter.
        let crossing = 2
        var found: [Timestamp: HistoryBucket] = [:]
        for bucket in known {
            let count = counts[bucket.start] ?? 0
            if count == 0 || bucket.count > count + crossing { found[bucket.start] = bucket }
        }
        return found
    }
}

extension RollUp {
    /// Points and the quarters of an hour that they lie in.
    struct Piece {
        var start: Timestamp
        var end: Timestamp
        var points: PointColumns
    }

    /// The points by the quarter of an hour, or by runs of neighbouring ones.
    static func pieces(_ points: PointColumns, joinsNeighbours: Bool) -> [Piece] {
        var pieces: [Piece] = []
        var i = 0
        while i < points.count {
            let start = RollUp.start(points.times[i])
            var end = start + RollUp.quarter
            var next = i + 1
            while next < points.count,
                points.times[next] < (joinsNeighbours ? end + RollUp.quarter : end).milliseconds
            {
                end = max(end, RollUp.start(points.times[next]) + RollUp.quarter)
                next += 1
            }
            let piece = PointColumns(
                times: Array(points.times[i..<next]), values: Array(points.values[i..<next]), moved: points.moved)
            pieces.append(Piece(start: start, end: end, points: piece))
            i = next
        }
        return pieces
    }
}

extension PointColumns {
    fileprivate func without(_ others: Set<Int64>) -> PointColumns {
        var rest = PointColumns(moved: moved)
        for i in times.indices where !others.contains(times[i]) {
            rest.times.append(times[i])
            rest.values.append(values[i])
        }
        return rest
    }
}
