import Disk
import History
import Metering
import ReadingLog
import Records
import Simulation
import Testing
import Timekeeping

/// History beside a naive model of it: a dictionary per series.
struct HistoryWorld {
    var world = LogWorld()
    var log: ReadingLog
    var history: History
    var options: HistoryOptions
    var model: [SeriesKey: [Int64: Int64]] = [:]

    init(_ options: HistoryOptions = HistoryOptions()) throws {
        world.options.budget = 64 * 64 << 10
        self.options = options
        log = try world.open()
        history = try History(directory: "/data/history", fileSystem: world.disk, log: log, options: options)
    }

    mutating func reopen() throws {
        log = try world.open()
        history = try History(directory: "/data/history", fileSystem: world.disk, log: log, options: options)
        try history.follow()
    }

    mutating func put(_ series: Int, _ time: Timestamp, _ value: Int64) throws {
        let key = LogWorld.key(series)
        let number = try log.number(for: key)
        let reading = Reading(series: number, time: time, received: world.clock.now().wall, value: value)
        try log.append([.readings([reading])])
        model[key, default: [:]][time.milliseconds] = value
    }

    mutating func flush() throws {
        try log.flush(heartbeat: true)
        try history.follow()
    }

    /// After a crash: opens again and takes what was never durable out of the model.
    mutating func recover() throws {
        try reopen()
        model = [:]
        for item in try Received(log).records {
            guard case .readings(let readings) = item.record else { continue }
            for reading in readings {
                guard let key = log.key(for: reading.series) else { continue }
                model[key, default: [:]][reading.time.milliseconds] = reading.value
            }
        }
    }

    func points(_ series: Int, _ from: Timestamp, _ to: Timestamp) throws -> [HistoryPoint] {
        var points: [HistoryPoint] = []
        try history.range(LogWorld.key(series), from: from, to: to) { points.append($0) }
        return points
    }

    func expected(_ series: Int, _ from: Timestamp, _ to: Timestamp) -> [HistoryPoint] {
        (model[LogWorld.key(series)] ?? [:])
            .filter { $0.key >= from.milliseconds && $0.key < to.milliseconds }
            .sorted { $0.key < $1.key }
            .map { HistoryPoint(time: Timestamp(milliseconds: $0.key), value: $0.value) }
    }

    /// Compares steps of a series with what the model says of them.
    func checkBuckets(_ series: Int, _ from: Timestamp, _ to: Timestamp, step: Int64, _ seed: UInt64) throws {
        var got: [HistoryBucket] = []
        try history.downsample(LogWorld.key(series), from: from, to: to, step: step) { got.append($0) }
        let groups = Dictionary(grouping: expected(series, from, to)) { ($0.time - from) / step }
        #expect(got.map(\.start) == groups.keys.sorted().map { from + $0 * step }, "seed \(seed)")
        for (bucket, index) in zip(got, groups.keys.sorted()) {
            let values = groups[index, default: []].map(\.value)
            #expect(bucket.count == values.count && bucket.last == values.last, "seed \(seed)")
            #expect(bucket.min == values.min() && bucket.max == values.max(), "seed \(seed)")
            #expect(bucket.sum == values.reduce(Int128(0)) { $0 + Int128($1) }, "seed \(seed)")
            #expect(bucket.average >= bucket.min && bucket.average <= bucket.max, "seed \(seed)")
        }
    }
}
