import Disk
import Metering
import ReadingLog
import Records
import Simulation
import Timekeeping

/// A log on a simulated disk, with the same gateway, boot and clock each time.
struct LogWorld {
    static let gateway = GatewayID(high: 0x1111_2222_3333_4444, low: 0x5555_6666_7777_8888)
    static let boot = BootID(bytes: Array(0..<16))
    static let start = Timestamp(milliseconds: 1_790_000_000_000)

    let disk = SimulatedDisk()
    let clock = ManualClock(wall: LogWorld.start, monotonic: 5_000)
    var options = LogOptions(
        gateway: LogWorld.gateway, boot: LogWorld.boot, segmentSize: 64 << 10, budget: 8 * 64 << 10,
        memoryCeiling: 256 << 10)
    var generator = SplitMix64(seed: 7)
    static let directory = "/data/log"

    var directoryPath: String { "/data/log/facts/0" }
    func path(_ name: String) -> String { "/data/log/facts/0/\(name)" }
    func segment(_ number: Int) -> String {
        let digits = String(number)
        return path("segment-\(String(repeating: "0", count: 16 - digits.count))\(digits).log")
    }

    mutating func open() throws -> ReadingLog {
        try ReadingLog(
            directory: LogWorld.directory, fileSystem: disk, clock: clock, options: options, using: &generator)
    }

    static func key(_ i: Int) -> SeriesKey {
        SeriesKey(device: DeviceID(high: 9, low: UInt64(i)), channel: .total, quantity: .power)
    }

    /// A record of its own for each `i`.
    func record(_ i: Int, _ number: SeriesNumber, count: Int = 1) -> Record {
        .readings(
            (0..<count).map {
                Reading(
                    series: number, time: LogWorld.start + Int64(i * 1000 + $0), received: clock.now().wall,
                    value: Int64(i * 1000 + $0))
            })
    }
}

/// What a consumer got from a log, in order.
struct Received {
    var records: [(offset: UInt64, record: Record)] = []
    var gaps: [Gap] = []
    var rewinds: [(from: Cursor, to: Cursor)] = []
    var walls: [Timestamp] = []
    var cursor: Cursor

    init(_ log: ReadingLog, from cursor: Cursor? = nil, limitBytes: Int = 1 << 20) throws {
        let reader = log.reader(from: cursor ?? Cursor(epoch: log.oldest.epoch, offset: log.oldest.offset))
        self.cursor = reader.cursor
        try read(reader, limitBytes: limitBytes)
    }

    /// Nothing yet; what `reader` gives comes by `read` or `take`.
    init(_ reader: any LogReader) { cursor = reader.cursor }

    mutating func take(_ item: LogItem) {
        switch item {
        case .frame(let frame):
            walls.append(frame.wall)
            try? frame.records { records.append(($0, $1)) }
        case .gap(let gap): gaps.append(gap)
        case .rewound(let from, let to): rewinds.append((from, to))
        }
    }

    mutating func read(_ reader: any LogReader, limitBytes: Int = 1 << 20) throws {
        var done = false
        while !done {
            done = try reader.read(limitBytes: limitBytes) { take($0) }
        }
        cursor = reader.cursor
    }

    var offsets: [UInt64] { records.map(\.offset) }
}
