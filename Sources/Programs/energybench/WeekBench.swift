import Devices
import Disk
import History
import Intake
import Metering
import ReadingLog
import Records
import Timekeeping
import Usage

/// Memory of the whole way of a reading, from a message's bytes to slots, over days of a house's time: 200 plugs at
/// 1 Hz, 2,000 series. A leak of a byte a message would be 121 MB in a week.
///
/// Prints the private memory a series takes beyond what the idle stages take, at the end of each day.
enum WeekBench {
    private static let plugs = 200
    private static let seriesPerPlug = 10
    private static let flushSeconds = 60

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

    static func run(days: Int, in directory: String) throws {
        let clock = StoppedClock()
        let log = try LogBench.open(directory + "/log", clock)
        let history = try History(directory: directory + "/history", fileSystem: LocalFileSystem(), log: log)
        let intake = Intake(
            registry: DeviceRegistry(), trust: ClockTrust(lastDurable: nil, start: clock.now()), clock: clock,
            sink: Sink(log))
        let decoder = MessageDecoder(profiles: ProfileCatalog.builtIn.profiles)
        var world = World(clock: clock, log: log, history: history, intake: intake, decoder: decoder)
        guard let idle = ProcessFigures.privateBytes() else { return }
        var after: [Double] = []
        for day in 1...days {
            for _ in 0..<24 * 3600 / flushSeconds { try world.run(seconds: flushSeconds) }
            guard let bytes = ProcessFigures.privateBytes() else { return }
            let perSeries = Double(bytes - idle) / Double(plugs * seriesPerPlug)
            after.append(perSeries)
            report("week.private_bytes_per_series.day\(day)", perSeries, "B")
        }
        precondition(world.slots > plugs * 90 * days, "fewer slots than quarters of an hour")
        if days == 1 { report("memory.private_bytes_per_series", after[0], "B") }
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
        var payload: [UInt8] = []

        init(clock: StoppedClock, log: ReadingLog, history: History, intake: Intake, decoder: MessageDecoder) {
            (self.clock, self.log, self.history, self.intake, self.decoder) = (clock, log, history, intake, decoder)
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
                for plug in 0..<plugs { try hear(plug) }
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
            intake.take(message.samples, of: device, at: heard)
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
