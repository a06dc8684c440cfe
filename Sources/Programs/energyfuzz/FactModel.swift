import Metering
import Records
import Timekeeping

/// What the log may hold, by offset, and what must follow from it: told of each append, never of the disk.
struct FactModel {
    struct Entry {
        let offset: UInt64
        let record: Record
    }

    /// What a deterministic consumer makes of the records before an offset.
    struct Fold: Equatable {
        var count: UInt64 = 0
        var hash: UInt64 = 0

        mutating func take(_ offset: UInt64, _ record: Record) {
            count += 1
            hash = (hash ^ offset) &* 0x9E37_79B9_7F4A_7C15
            guard case .readings(let readings) = record else { return }
            for reading in readings {
                hash = (hash ^ UInt64(bitPattern: reading.value)) &* 0xD1B5_4A32_D192_ED03
                hash ^= hash >> 29
            }
        }
    }

    /// In the order of their offsets; the front goes when the ring has taken it and all has followed from it.
    private(set) var entries: [Entry] = []
    /// Everything before it was reported durable.
    var promised: UInt64 = 0
    /// Up to here the log was compared with the model.
    private(set) var verified: UInt64 = 0
    /// What follows from everything up to `foldedTo`.
    private(set) var fold = Fold()
    private(set) var foldedTo: UInt64 = 0
    /// Value by time, of each series by number: what came last in the log is right.
    private(set) var points: [[Int64: Int64]] = []

    mutating func append(_ first: UInt64, _ records: [Record]) {
        for (i, record) in records.enumerated() { entries.append(Entry(offset: first + UInt64(i), record: record)) }
    }

    /// The first entry at or beyond `offset`.
    func index(of offset: UInt64) -> Int {
        var low = 0
        var high = entries.count
        while low < high {
            let middle = (low + high) / 2
            if entries[middle].offset < offset { low = middle + 1 } else { high = middle }
        }
        return low
    }

    /// A consumer met a gap of reason `dropped`. False where it covers what the log was seen to have.
    mutating func drop(_ range: Range<UInt64>) -> Bool {
        let lost = index(of: range.lowerBound)..<index(of: range.upperBound)
        if let first = lost.first, entries[first].offset < verified { return false }
        entries.removeSubrange(lost)
        return true
    }

    /// Replaces what lies at or beyond `oldest` by what was found there; the log ends at `end`.
    mutating func settle(_ found: [Entry], from oldest: UInt64, end: UInt64) {
        entries.removeSubrange(index(of: oldest)...)
        entries.append(contentsOf: found)
        promised = end
        verified = end
    }

    /// Takes in what has become sure, and forgets what the ring has taken.
    mutating func advance(oldest: UInt64) {
        for entry in entries[index(of: foldedTo)...] {
            fold.take(entry.offset, entry.record)
            guard case .readings(let readings) = entry.record else { continue }
            for reading in readings {
                let series = Int(reading.series.value)
                while points.count <= series { points.append([:]) }
                points[series][reading.time.milliseconds] = reading.value
            }
        }
        foldedTo = max(foldedTo, verified)
        entries.removeSubrange(..<index(of: min(oldest, foldedTo)))
    }
}
