import Disk
import Glibc
import History
import Metering
import ReadingLog
import Records
import Simulation
import Synchronization
import Timekeeping

/// One home's store on one disk through a number of crashes. All of it follows from the seed.
final class FuzzRun {
    /// The store between two crashes.
    struct Session {
        let log: ReadingLog
        let history: History
        let snapshots: SnapshotStore
        let consumer: LocalConsumer
    }

    let seed: UInt64
    let mood: Mood
    let canary: Canary?
    let disk = SimulatedDisk()
    let clock = ManualClock(wall: Timestamp(milliseconds: 1_790_000_000_000), monotonic: 5_000)
    var random: SplitMix64
    var generator: SplitMix64
    var options: LogOptions
    var historyOptions: HistoryOptions
    var model = FactModel()
    var remote = RemoteConsumer()
    /// Until the disk has lied or rotted: then what consumers know is no longer what the model does.
    var isExact = true
    /// The next check must bear losses, because the disk lied since the last one.
    var isLenient = false
    var nextValue: Int64 = 0
    var points = 0
    /// What happened, for a person; kept only when a failing run is run again.
    var journal: [String]?
    /// Where a rotten disk has each flush's records.
    let writes = WriteLog()
    var flushes: [WriteLog.Flush] = []
    var survivors = Survivors(series: FuzzRun.seriesCount)

    static let seriesCount = 12
    static let segmentSize = 64 << 10

    init(seed: UInt64, canary: Canary? = nil, journals: Bool = false) {
        self.seed = seed
        self.canary = canary
        random = SplitMix64(seed: seed)
        generator = SplitMix64(seed: seed, stream: 1)
        let draw = random.between(0, 99)
        mood =
            canary == .silent
            ? .lying : canary != nil || draw < 45 ? .honest : draw < 75 ? .flaky : draw < 88 ? .rotten : .lying
        options = LogOptions(
            gateway: GatewayID(high: 0x1111_2222_3333_4444, low: seed), boot: BootID(bytes: Array(0..<16)),
            segmentSize: FuzzRun.segmentSize, budget: Int64(FuzzRun.segmentSize) * random.between(3, 6),
            memoryCeiling: 64 << 10)
        historyOptions = HistoryOptions(
            retention: 3650 * Span.day, budget: 1 << 40, sealAfter: Span.second * random.between(20, 600),
            headCeiling: Int(random.between(4, 64)) << 10)
        if journals { journal = [] }
        if mood == .rotten { disk.observe(writes.note) }
        if canary == .unsynced { disk.setLies(true) }
        note("disk \(mood.rawValue), ring of \(options.maximumSegmentCount) segments")
    }

    func note(_ text: @autoclosure () -> String) {
        if journal != nil { journal?.append("\(points) · call \(disk.calls) · \(text())") }
    }

    /// Runs through `count` crash points or to the first finding.
    func run(_ count: Int) throws {
        while points < count {
            let session = try open()
            try live(session)
            noteSurvivors(session)
            end()
            points += 1
        }
        try checkAll(try open())
    }

    /// Opens the store and checks all that must be true of it; sometimes power fails meanwhile.
    private func open() throws -> Session {
        disk.fail(nil)
        disk.setCapacity(nil)
        disk.misbehave(nil)
        if canary != .unsynced { disk.setLies(false) }
        while random.chance(120) {
            let die = disk.calls + Int(random.between(1, 40))
            disk.fail { _, _, call in call >= die ? EIO : nil }
            _ = try? openStore()
            disk.fail(nil)
            disk.crash(using: &random)
            points += 1
            note("power failed while opening")
        }
        let session: Session
        do {
            session = try openStore()
        } catch {
            throw Finding("it does not open: \(error)")
        }
        note("opened: \(session.log.report)")
        try check(session)
        return session
    }

    private func openStore() throws -> Session {
        let log = try ReadingLog(
            directory: "/data/log", fileSystem: disk, clock: clock, options: options, using: &generator)
        let snapshots = try SnapshotStore(directory: "/data/snapshots", fileSystem: disk)
        let consumer = LocalConsumer(log, snapshots)
        let history = try History(
            directory: "/data/history", fileSystem: disk, log: log, options: historyOptions)
        // The uplink asks its server where it is, before anything is appended; it holds nothing.
        log.hold("uplink", at: remote.highest)
        log.release("uplink")
        return Session(log: log, history: history, snapshots: snapshots, consumer: consumer)
    }

    /// Work until power fails at some call.
    private func live(_ session: Session) throws {
        let die = disk.calls + Int(random.between(1, 90))
        setFaults(die)
        for _ in 0..<48 where disk.calls < die {
            clock.advance(by: random.between(0, 5) * 1000)
            if try work(session) == .cut { break }
            model.promised = max(model.promised, session.log.durable.offset)
            try require(
                session.log.statistics.waitingBytes <= options.memoryCeiling + 4096,
                "\(session.log.statistics.waitingBytes) bytes wait in memory")
            for gap in session.consumer.takeGaps() where gap.reason == .dropped {
                try require(model.drop(gap.first..<gap.end), "dropped what was durable: \(gap)")
            }
        }
        model.promised = max(model.promised, session.log.durable.offset)
    }

    private func setFaults(_ die: Int) {
        let flakySeed = random.next()
        let start = disk.calls + Int(random.between(0, 30))
        let end = start + Int(random.between(0, 30))
        let spell: CInt = random.chance(500) ? EROFS : ENOSPC
        let isFlaky = mood == .flaky
        disk.fail { operation, _, call in
            if call >= die { return EIO }
            guard isFlaky else { return nil }
            let writes = [.write, .create, .preallocate, .rename, .remove].contains(operation)
            if writes, call >= start, call < end, spell != ENOSPC || ![.rename, .remove].contains(operation) {
                return spell
            }
            guard operation == .write || operation == .sync || operation == .read else { return nil }
            var draw = SplitMix64(seed: flakySeed, stream: UInt64(call))
            return draw.chance(operation == .read ? 10 : 40) ? EIO : nil
        }
        if mood == .rotten, random.chance(700) {
            disk.misbehave(DiskMisconduct(seed: random.next(), lostPermille: 30, misdirectedPermille: 30))
        }
        if mood == .lying, random.chance(300) {
            disk.setLies(true)
            isLenient = true
            isExact = false
        }
        if mood == .rotten { isExact = false }
    }

    private func end() {
        disk.fail(nil)
        // What a disk lied about is lost by the next power failure and by nothing before.
        switch isLenient ? 9 : random.between(0, 9) {
        case 0:
            disk.kill()
            note("killed")
        case 1: note("ended")
        default:
            disk.crash(using: &random)
            note("power failed")
        }
        if mood == .rotten, random.chance(200) { rot() }
        if canary == .rot { rot() }
    }

    /// A bit turns in some file.
    private func rot() {
        let places = ["/data/log/facts/0", "/data/history/raw", "/data/snapshots"]
        let place = canary == .rot ? places[0] : places[Int(random.between(0, 2))]
        guard let names = try? disk.list(place), !names.isEmpty else { return }
        let path = place + "/" + names[Int(random.between(0, Int64(names.count) - 1))]
        guard let size = disk.contents(path)?.count, size > 0 else { return }
        let position = Int(random.between(0, Int64(min(size, 16 << 10)) - 1))
        disk.flipBit(path, at: position, bit: Int(random.between(0, 7)))
        note("a bit turned in \(path) at \(position)")
    }
}

extension LogOptions {
    var maximumSegmentCount: Int64 { budget / Int64(segmentSize) }
}
