import Metering
import Records

/// Records that wait for a disk, apart from the log that holds them.
public struct WaitingRecords: Sendable {
    /// In the order in which they were appended.
    public var records: [Record] = []
    /// Readings that were given up for want of memory.
    public var dropped = 0
    /// What the readings' series are.
    private let dictionary: SeriesDictionary

    fileprivate init(dictionary: SeriesDictionary) {
        self.dictionary = dictionary
    }

    /// Readings that are held.
    public var readings: Int {
        records.reduce(0) { sum, record in
            if case .readings(let readings) = record { sum + readings.count } else { sum }
        }
    }

    public func key(for number: SeriesNumber) -> SeriesKey? { dictionary[number] }
}

extension ReadingLog {
    /// What was appended and is not durable. For a log that never had a disk, when another log takes its place: gaps
    /// are left out, since they are of this log's offsets.
    public func waiting() -> WaitingRecords {
        var waiting = WaitingRecords(dictionary: dictionary)
        waiting.dropped = statistics.droppedReadings
        for frame in waitingFrames {
            frame.records.withUnsafeBytes { buffer in
                var reader = ByteReader(buffer)
                // What this log encoded it can decode.
                while !reader.isAtEnd, let record = try? reader.record(wall: frame.header.wall) {
                    if case .gap = record { continue }
                    waiting.records.append(record)
                }
            }
        }
        return waiting
    }
}
