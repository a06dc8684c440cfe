import Disk
import Foundation
import History
import Metering
import ReadingLog
import Records
import Simulation
import Timekeeping
import Upkeep

/// A state directory on the real disk with a log, a history and what else a home has, filled by a seeded house.
final class StoredWorld {
    static let gateway = GatewayID(high: 0x6A7E, low: 0x3A1)
    static let start = Timestamp(milliseconds: 1_790_000_000_000)
    /// Of readings that `settle` gives.
    static let minutes = 60

    let directory: StateDirectory
    let clock = ManualClock(wall: start)
    let disk = LocalFileSystem()
    var generator = SplitMix64(seed: 7)
    private let root: String

    init() throws {
        var template = Array("/tmp/energyd-upkeep.XXXXXX".utf8CString)
        guard mkdtemp(&template) != nil else { throw BackupError.failed("no temporary directory") }
        root = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
        directory = StateDirectory(root + "/home")
        try disk.createDirectory(directory.path)
        try AtomicFile.write(Array("\(StoredWorld.gateway)\n".utf8), to: directory.identity, in: disk)
    }

    deinit { try? FileManager.default.removeItem(atPath: root) }

    /// Another directory beside this home's.
    func place(_ name: String) -> StateDirectory { StateDirectory("\(root)/\(name)") }

    func options(_ topic: Topic = .facts) -> LogOptions {
        LogOptions(
            gateway: StoredWorld.gateway, boot: BootID(bytes: (0..<16).map { UInt8($0) }), topic: topic,
            segmentSize: 64 << 10, budget: 64 << 20)
    }

    func openLog(_ directory: StateDirectory? = nil, _ topic: Topic = .facts) throws -> ReadingLog {
        try ReadingLog(
            directory: (directory ?? self.directory).log, fileSystem: disk, clock: clock, options: options(topic),
            using: &generator)
    }

    func openHistory(_ log: ReadingLog, _ directory: StateDirectory? = nil) throws -> History {
        try History(
            directory: (directory ?? self.directory).history, fileSystem: disk, log: log,
            options: HistoryOptions(retention: 36_500 * Span.day))
    }

    static let keys = [
        SeriesKey(device: DeviceID(high: 1, low: 1), channel: .total, quantity: .power),
        SeriesKey(device: DeviceID(high: 1, low: 1), channel: .total, quantity: .energyImport),
        SeriesKey(device: DeviceID(high: 1, low: 2), channel: .total, quantity: .power),
    ]

    /// Appends `minutes` of readings every ten seconds, flushed each minute; `first` counts minutes since the start.
    func fill(_ log: ReadingLog, minutes: Int, from first: Int = 0) throws {
        for minute in first..<first + minutes {
            for second in stride(from: 0, to: 60, by: 10) {
                let time = StoredWorld.start + Int64(minute) * Span.minute + Int64(second) * Span.second
                clock.advance(by: time - clock.now().wall)
                var readings: [Reading] = []
                for (i, key) in StoredWorld.keys.enumerated() {
                    let value = Int64(minute * 60 + second) * 1000 + Int64(i)
                    readings.append(
                        Reading(series: try log.number(for: key), time: time, received: time, value: value))
                }
                try log.append([.readings(readings)])
            }
            try log.flush()
        }
    }

    /// A home with an hour of readings, two sealed files of history and a snapshot.
    func settle() throws {
        let log = try openLog()
        let history = try openHistory(log)
        try fill(log, minutes: 40)
        try history.follow()
        try history.seal()
        try fill(log, minutes: StoredWorld.minutes - 40, from: 40)
        try history.follow()
        try history.seal()
        let snapshots = try SnapshotStore(directory: directory.snapshots, fileSystem: disk)
        try snapshots.write(Snapshot(version: 1, cursor: log.durable, payload: [1, 2, 3]), as: "test")
    }

    /// Every value of every series, as History gives it.
    func values(_ directory: StateDirectory) throws -> [String] {
        let log = try openLog(directory)
        let history = try openHistory(log, directory)
        try history.follow()
        var found: [String] = []
        for key in StoredWorld.keys {
            try history.range(
                key, from: Timestamp(milliseconds: 0), to: Timestamp.validRange.upperBound
            ) { found.append("\(key) \($0.time.milliseconds) \($0.value)") }
        }
        return found
    }

    func findings(_ directory: StateDirectory, isLive: Bool = false) throws -> [FileFinding] {
        var check = StoreCheck(directory, fileSystem: disk, isLive: isLive)
        var found: [FileFinding] = []
        try check.run { found.append($0) }
        return found
    }

    func backup(durableBytes: @escaping BackupStream.DurableBytes = { _ in nil }) throws -> [UInt8] {
        let stream = BackupStream(
            directory, fileSystem: disk, gateway: StoredWorld.gateway, created: StoredWorld.start, version: "test",
            durableBytes: durableBytes)
        var bytes: [UInt8] = []
        while let piece = try stream.next() { bytes += piece }
        return bytes
    }

    func restore(_ bytes: [UInt8], to place: StateDirectory) throws -> Restore.Outcome {
        try disk.createDirectory(place.path)
        return try Restore(place, fileSystem: disk).run(
            clock: clock, boot: BootID(bytes: [UInt8](repeating: 9, count: 16)), using: &generator,
            source(bytes))
    }

    func flip(_ path: String, at position: Int) throws {
        let file = try disk.open(path, .update)
        defer { file.close() }
        var bytes = try file.read(at: Int64(position), count: 1)
        bytes[0] ^= 0x10
        try file.write(bytes, at: Int64(position))
    }

    func files(_ place: String) throws -> [String] { try StateDirectory.walk(place, disk) }
}

/// Bytes as a file that is read piece by piece.
func source(_ bytes: [UInt8]) -> (Int) throws -> [UInt8] {
    var rest = bytes[...]
    return { count in
        defer { rest = rest.dropFirst(count) }
        return Array(rest.prefix(count))
    }
}
