import Disk
import History
import Metering
import ReadingLog
import Records
import Timekeeping

/// The whole store on the data set that others are measured on: append, durable, followed, sealed, merged; then
/// queries.
enum StoreBench {
    /// Points made durable together, as the peers' batches of 5,000: five instants of 1,000 series.
    private static let stepsPerFlush = 5

    static func run(in directory: String) throws {
        let data = dataSet()
        // First: what earlier work has left free in the process would hide what this takes.
        try cadence(data, in: directory + "/cadence")
        try bulk(data, in: directory + "/grid", jitter: false)
        try bulk(data, in: directory + "/jitter", jitter: true)
        try StoreSteadyBench.run(data, in: directory)
        try StoreMeterBench.run(in: directory + "/sdm630")
    }

    /// Only what is appended, made durable and sealed in bulk, with the shares of the stages: to be profiled.
    static func runBulk(in directory: String) throws {
        let watch = Stopwatch()
        let data = dataSet()
        // Always the same work: how fast the machine is just now.
        report("store.data_set_cpu_s", watch.cpu, "s")
        try bulk(data, in: directory + "/grid", jitter: false)
    }

    private static func dataSet() -> PerfDataSet {
        let data = PerfDataSet()
        precondition(data.sum == PerfDataSet.checksum, "the data set is not the one that gen.c makes")
        return data
    }

    private static func bulk(_ data: PerfDataSet, in directory: String, jitter: Bool) throws {
        var random: UInt64 = 0x5EED
        func draw(_ series: Int) -> Int64 {
            random ^= random << 13
            random ^= random >> 7
            random ^= random << 17
            return Int64(random % 41) - 20
        }
        var world = try StoreWorld(directory, series: PerfDataSet.seriesCount)
        let written = ProcessFigures.io("write_bytes")
        for step in 0..<PerfDataSet.count {
            try world.append(step, { data.thousandths($0, step) }, jitter: jitter ? draw : { _ in 0 })
            if step % stepsPerFlush == stepsPerFlush - 1 { try world.flush() }
        }
        try world.flush()
        try world.seal()
        report("store.bytes_per_point.\(jitter ? "jitter" : "grid")", world.bytesPerPoint, "B")
        if jitter { return }
        report("store.cpu_s_per_million", world.cpu.total / Double(world.count) * 1e6, "s")
        for (stage, spent) in world.cpu.stages {
            report("store.cpu_s_per_million.\(stage)", spent / Double(world.count) * 1e6, "s")
        }
        if let written, let now = ProcessFigures.io("write_bytes") {
            report("store.written_bytes_per_point.bulk", Double(now - written) / Double(world.count), "B")
        }
        try StoreQueryBench.run(world, data)
    }

    /// The same work at the pace of real time: every 10 s of it is made durable by itself. Long enough for one merge.
    private static func cadence(_ data: PerfDataSet, in directory: String) throws {
        // A store of ten series first, so that what any store takes once is not counted as the thousand's. It has just
        // given back what sealing took, and it stays, so that nothing of it is used again.
        var small = try StoreWorld(directory + ".few", series: 10)
        for step in 0..<720 { try small.append(step) { data.thousandths($0, step) } }
        try small.flush()
        try small.seal()
        defer { withExtendedLifetime(small) {} }
        let before = ProcessFigures.privateBytes()
        var world = try StoreWorld(directory, series: PerfDataSet.seriesCount)
        for step in 0..<PerfDataSet.count {
            try world.append(step) { data.thousandths($0, step) }
            try world.flush()
        }
        if let before, let now = ProcessFigures.privateBytes() {
            // The heads are as full as they ever get: the next reading would seal them.
            report(
                "store.private_bytes_per_series", Double(now - before) / Double(PerfDataSet.seriesCount), "B")
        }
        try world.seal()
        report("store.cpu_s_per_million.flush_1000", world.cpu.total / Double(world.count) * 1e6, "s")
    }
}

extension PerfDataSet {
    /// Of the unit: W and Wh are both in tenths here.
    func thousandths(_ series: Int, _ step: Int) -> Int64 { Int64(values[series][step]) * 100 }
}
