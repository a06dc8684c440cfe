import History
import Metering
import Timekeeping

/// Queries in process with warm files: medians over different series.
enum StoreQueryBench {
    private static let series = [3, 77, 150, 210, 288, 391, 405, 499, 620, 777, 901]

    static func run(_ world: StoreWorld, _ data: PerfDataSet) throws {
        let history = world.history
        let end = StoreWorld.start + Int64(PerfDataSet.count) * StoreWorld.step
        let day = try median { key in
            var (count, sum) = (0, Int64(0))
            try history.range(key, from: end - Span.day, to: end) {
                count += 1
                sum &+= $0.value
            }
            precondition(count == 8640, "24 h gave \(count) values")
            return sum
        } keys: {
            world.keys[$0]
        }
        report("store.query_24h_raw_ms", day, "ms")
        let hourly = try median { key in
            var (count, sum) = (0, Int64(0))
            try history.downsample(key, from: StoreWorld.start, to: end, step: Span.hour) {
                count += $0.count
                sum &+= $0.average &+ $0.min &+ $0.max
            }
            precondition(count == PerfDataSet.count, "28 h gave \(count) values")
            return sum
        } keys: {
            world.keys[$0]
        }
        report("store.query_28h_hourly_ms", hourly, "ms")
    }

    /// Milliseconds on the wall: a query is nothing but processor time once the pages are there.
    private static func median(_ query: (SeriesKey) throws -> Int64, keys: (Int) -> SeriesKey) throws -> Double {
        var times: [Double] = []
        for round in 0..<12 {
            for i in series {
                let watch = Stopwatch()
                let sum = try query(keys(i))
                let time = watch.wall
                precondition(sum != 1, "never: keeps the sum from being left out")
                if round > 1 { times.append(time) }
            }
        }
        times.sort()
        return times[times.count / 2] * 1000
    }
}
