import Devices
import Disk
import History
import Intake
import Metering
import ReadingLog
import Records
import Timekeeping
import Usage

/// Memory of the whole way of a reading, from a message's bytes to slots, over days of a house's time: plugs at 1 Hz
/// with ten series each. A leak of a byte a message would be 121 MB in a week of 200 plugs.
///
/// Reports the most private memory a series took beyond what the idle stages take: what was kept at any minute counts,
/// not what happened to be left at the end.
enum WeekBench {
    private static let seriesPerPlug = 10
    private static let checkpointSeconds = 900

    /// Intake's records go into the log, as in the gateway.
    private final class Sink: RecordSink {
        let log: ReadingLog

        init(_ log: ReadingLog) { self.log = log }

        func number(for key: SeriesKey) -> SeriesNumber? { try? log.number(for: key) }
        func append(_ records: [Record]) {
            do { try log.append(records) } catch { preconditionFailure("the log refused: \(error)") }
        }
        func watch(_ readings: [Reading]) {}
    }

    /// The most in `hours` of a full house.
    static func memory(hours: Int, in directory: String) throws {
        // Flushed as `flush_interval` is where nobody says otherwise.
        guard var run = try Run(plugs: 200, flush: 10, in: directory), let most = try run.peak(hours: hours) else {
            return
        }
        report("memory.private_bytes_per_series", most, "B")
    }

    /// Day by day. `growth` compares the least of the peaks of the last three days with that of the three before; on
    /// the first not everything has been there once. What grows without bound is in every peak, and so in the least.
    /// What a day has beyond that is how the heap happened to lie when the heads were fullest.
    static func week(plugs: Int, flush: Int, in directory: String) throws {
        guard var run = try Run(plugs: plugs, flush: flush, in: directory) else { return }
        var days: [Double] = []
        for day in 1...7 {
            guard let most = try run.peak(hours: 24) else { return }
            days.append(most)
            report("week.private_bytes_per_series.day\(day)", most, "B")
        }
        guard let before = days[1...3].min(), let after = days[4...6].min() else { return }
        report("week.growth", (after / before - 1) * 100, "%")
    }

    private struct Run {
        var world: World
        let plugs: Int
        /// Seconds between two flushes; divides a minute.
        let flush: Int
        let idle: Int64

        init?(plugs: Int, flush: Int, in directory: String) throws {
            self.plugs = plugs
            self.flush = flush
            world = try World(plugs: plugs, in: directory)
            guard let idle = ProcessFigures.privateBytes() else { return nil }
            self.idle = idle
        }

        /// The most at the end of any minute; nil where the kernel does not tell.
        mutating func peak(hours: Int) throws -> Double? {
            let before = world.slots
            var most: Int64 = 0
            for _ in 0..<hours * 60 {
                for _ in 0..<60 / flush { try world.run(seconds: flush) }
                guard let bytes = ProcessFigures.privateBytes() else { return nil }
                most = max(most, bytes - idle)
            }
            precondition(world.slots - before >= plugs * (4 * hours - 1), "fewer slots than quarters of an hour")
            return Double(most) / Double(plugs * seriesPerPlug)
        }
    }

    private struct World {
        let clock: StoppedClock
        let log: ReadingLog
        let history: History
        let intake: Intake
        let decoder: MessageDecoder
        let reader: any LogReader
        let topics: [[UInt8]]
        var usage = UsageState()
        var message = DecodedMessage()
        var devices: [DeviceID?]
        /// By plug, in thousandths of a kWh.
        var energy: [Int]
        var second = 0
        var slots = 0
        var snapshotBytes = 0
        var payload: [UInt8] = []

        init(plugs: Int, in directory: String) throws {
            clock = StoppedClock()
            log = try LogBench.open(directory + "/log", clock)
            history = try History(directory: directory + "/history", fileSystem: LocalFileSystem(), log: log)
            intake = Intake(
                registry: DeviceRegistry(), trust: ClockTrust(lastDurable: nil, start: clock.now()), clock: clock,
                sink: Sink(log))
            decoder = MessageDecoder(profiles: ProfileCatalog.builtIn.profiles)
            reader = log.reader(from: .oldest)
            topics = (0..<plugs).map { Array("tele/plug\(1000 + $0)/SENSOR".utf8) }
            devices = Array(repeating: nil, count: plugs)
            energy = (0..<plugs).map { 100_000 + 777 * $0 }
            log.hold("usage", at: .oldest)
        }

        mutating func run(seconds: Int) throws {
            for _ in 0..<seconds {
                second += 1
                clock.milliseconds = Household.start.milliseconds + Int64(second) * Span.second
                for plug in topics.indices { try hear(plug) }
                intake.endBatch()
            }
            try log.flush(heartbeat: true)
            try history.follow()
            try reader.readAll { item in
                guard case .frame(let frame) = item else { return }
                try frame.records { offset, record in usage.apply(record, offset: offset, key: log.key(for:)) }
            }
            slots += usage.takeChanges().count
            _ = usage.takeDecisions()
            _ = usage.takeRecomputes()
            // A checkpoint's snapshot, as the gateway takes it each quarter of an hour.
            if second % checkpointSeconds == 0 { snapshotBytes = usage.encoded().count }
            log.hold("usage", at: reader.cursor)
        }

        private mutating func hear(_ plug: Int) throws {
            write(plug)
            let heard = clock.now()
            topics[plug].withUnsafeBytes { topic in
                payload.withUnsafeBytes { payload in
                    decoder.decode(
                        topic: topic, payload: payload, retained: false, received: heard.wall, into: &message)
                }
            }
            precondition(message.samples.count == seriesPerPlug, "a message gave \(message.samples.count) samples")
            if devices[plug] == nil {
                let profile = decoder.profiles[message.profile]
                devices[plug] = intake.device(
                    at: decoder.address(of: message.device), as: .init(profile: profile, samples: message.samples))
            }
            guard let device = devices[plug] else { preconditionFailure("a plug was refused") }
            if intake.take(message.samples, of: device, at: heard) { intake.endBatch() }
        }

        /// A plug's SENSOR message, as its firmware writes it.
        private mutating func write(_ plug: Int) {
            // On for an hour, off for an hour, each plug at its own time; a watt of noise.
            let isOn = (second / 3600 + plug) % 2 == 0
            let watts = isOn ? 400 + plug + (second * 7 + plug * 13) % 3 : 0
            if second % 9 == plug % 9, isOn { energy[plug] += 1 }
            payload.removeAll(keepingCapacity: true)
            // Another time in each message: the same amount of a period at the same time would be a repetition.
            append("{\"Time\":\"2026-05-17T")
            for (i, part) in [second / 3600 % 24, second / 60 % 60, second % 60].enumerated() {
                append(i > 0 ? ":" : "")
                append(String(String(part + 100).dropFirst()))
            }
            append("\",\"ENERGY\":{\"Total\":")
            append(thousandths: energy[plug])
            append(",\"Yesterday\":1.234,\"Today\":0.567,\"Period\":1,\"Power\":")
            append("\(watts)")
            append(",\"ApparentPower\":")
            append("\(watts + watts / 50)")
            append(",\"ReactivePower\":")
            append("\(watts / 5)")
            append(",\"Factor\":0.98,\"Voltage\":")
            append("\(229 + (second / 60 + plug) % 4)")
            append(",\"Current\":")
            append(thousandths: watts * 1000 / 230)
            append("}}")
        }

        private mutating func append(_ text: String) { payload.append(contentsOf: text.utf8) }

        private mutating func append(thousandths value: Int) {
            append("\(value / 1000).")
            append(String(String(value % 1000 + 1000).dropFirst()))
        }
    }
}
