import Billing
import Disk
import History
import Intake
import Ledger
import Logging
import Metering
import Modbus
import ReadingLog
import Records
import Threads
import Timekeeping
import Usage

/// The consumers of the log, in one place and on one thread: facts become durable, then History and Usage take them in,
/// and now and then what Usage knows is put to rest.
///
/// Two cursors, one rule: a snapshot contains the cursor up to which it holds. Usage's snapshot holds a cursor of
/// `facts`, the ledger one of `slots`. A checkpoint writes in the order slots, ledger, snapshot; a crash between any
/// two of them replays facts and writes the same slots again.
actor Pipeline {
    /// A checkpoint is made at least this often, in ms: the unit in which SQLite's pages are written again.
    static let checkpointInterval: Int64 = 15 * Span.minute
    /// … and as soon as so many slots wait for it, as when a month of history comes in.
    static let maximumPending = 8192
    static let snapshotName = "usage"
    static let snapshotVersion: UInt32 = 1

    struct SlotKey: Hashable, Comparable {
        let slot: Slot
        let device: DeviceID
        let channel: Channel

        init(_ usage: SlotUsage) {
            slot = usage.slot
            device = usage.device
            channel = usage.channel
        }

        static func < (a: SlotKey, b: SlotKey) -> Bool {
            if a.slot != b.slot { return a.slot < b.slot }
            return a.device != b.device ? a.device < b.device : a.channel < b.channel
        }
    }

    private nonisolated let executor = ThreadExecutor()
    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }

    let facts: ReadingLog
    let slots: ReadingLog
    let history: History
    /// Opened anew when its disk was away.
    var ledger: Ledger
    let snapshots: SnapshotStore
    let clock: any Clock
    let logger: Logger

    var usage: UsageState
    var reader: any LogReader
    var slotReader: any LogReader
    /// Changed since the last checkpoint; what queries see in place of the ledger's rows.
    var pending: [SlotKey: SlotUsage] = [:]
    var devices: [DeviceID: Device] = [:]
    var settings: [HomeSettings] = []
    var newDevices: [Device] = []
    var newSettings: [HomeSettings] = []
    var newDecisions = DecisionChanges()
    var newCommands: [DatedCommand] = []
    /// Spans that were worked out again since the start.
    var revisions: UInt64 = 0
    /// Every price that is durable.
    var prices = PriceBook()
    var newPrices: [PriceRun] = []
    var lastCheckpoint: Int64
    /// All energy of each channel; nil until somebody asks.
    var totals: [ChannelKey: ChannelTotal]?
    let parts: PipelineParts
    /// The state directory was not there, and the consumers have not begun anew since.
    var wasAway = false
    /// What SQLite has found wrong in the ledger's file.
    var ledgerDamage: String?
    var lastReplacement = Int64.min / 2
    private let complaints = ComplaintLimiter()
    private var droppedTold = 0
    /// What the last flush, read or checkpoint ran into; nil when all went well.
    private(set) var troubles: [String: String] = [:]
    private(set) var skippedFrames: UInt64 = 0

    /// Something that is to be kept is not, as the last attempts ended.
    var isFailing: Bool { facts.trouble != nil || !troubles.isEmpty }

    /// Opens everything and replays what came after the last snapshot. Blocks: call it before anything else runs.
    init(opening parts: PipelineParts) throws {
        self.parts = parts
        facts = parts.facts
        slots = parts.slots
        history = parts.history
        let ledger = try parts.openLedger()
        self.ledger = ledger
        snapshots = parts.snapshots
        clock = parts.clock
        logger = parts.logger
        lastCheckpoint = parts.clock.now().monotonic
        let restored = try parts.restoreUsage(ledger)
        usage = restored.usage
        reader = parts.facts.reader(from: restored.cursor)
        let kept = try ledger.cursor() ?? .oldest
        slotReader = parts.slots.reader(from: kept)
        parts.slots.hold("ledger", at: kept)
        for device in try ledger.devices() {
            devices[device.id] = device
            usage.apply(.device(device), offset: 0) { _ in nil }
        }
        if restored.cursor == .oldest { try Pipeline.restoreCommands(&usage, from: ledger) }
        settings = try ledger.settings()
        var book = PriceBook()
        try ledger.prices { book.take($0) }
        prices = book
        parts.facts.hold(Pipeline.snapshotName, at: restored.cursor)
    }

    deinit {
        executor.stop()
    }

    /// Flushes the log and lets the consumers take in what became durable. Called each `flush_interval`.
    func tick() {
        guard attempt("store", { try bringBack() }) else {
            // An open segment may still be written; where not, this says so.
            attempt("log") { try facts.flush(heartbeat: true) }
            return tellDropped()
        }
        let wasFailing = troubles["log"] != nil
        let works = attempt("log") { try flushFacts() }
        // The disk is back: what could not be put to rest meanwhile need not wait any longer.
        if works, wasFailing, troubles["ledger"] != nil { lastCheckpoint -= Pipeline.checkpointInterval }
        tellDropped()
        if let ledgerDamage, !ledger.isWaiting { attempt("ledger") { try replaceLedger(because: ledgerDamage) } }
        if ledger.isWaiting { attempt("ledger") { try reopenLedger() } }
        attempt("history") { try history.follow() }
        attempt("usage") {
            try follow()
            try recompute()
        }
        let now = clock.now().monotonic
        if pending.count >= Pipeline.maximumPending || now - lastCheckpoint >= Pipeline.checkpointInterval {
            checkpoint()
        }
    }

    /// A ring that is full because we have not put to rest what lies in its oldest segment is ours to free.
    private func flushFacts() throws {
        do throws(LogError) {
            try facts.flush(heartbeat: true)
        } catch {
            guard case .ringHeld = error.reason else { throw error }
            try history.follow()
            try history.seal()
            try follow()
            checkpoint()
            try facts.flush(heartbeat: true)
        }
    }

    /// The first tick: what came after the snapshot is taken in, and slots that the ledger does not have are put there.
    func start() {
        tick()
        if !ledger.isWaiting { attempt("ledger") { try fillLedger() } }
    }

    /// The last tick and checkpoint of a daemon that stops.
    func close() {
        tick()
        if wasAway { return }
        checkpoint()
        if !ledger.isWaiting { attempt("ledger") { try ledger.settle() } }
        attempt("history") { try history.seal() }
    }

    /// Reads facts up to the durable end, in steps, so that a long replay does not grow `pending` without bound.
    private func follow() throws {
        var isDone = false
        while !isDone {
            isDone = try reader.read(limitBytes: 256 << 10) { item in
                guard case .frame(let frame) = item else { return }
                do {
                    let wall = frame.wall
                    try frame.records { offset, record in take(record, offset, wall) }
                } catch is RecordError {
                    // Its checksum is right, so reading it again gives the same: it is left out and counted.
                    skippedFrames += 1
                }
            }
            for slot in usage.takeChanges() {
                try addToTotals(slot)
                pending[SlotKey(slot)] = slot
            }
            newDecisions.add(usage.takeDecisions())
            if !isDone, pending.count >= Pipeline.maximumPending { checkpoint() }
        }
    }

    private func take(_ record: Record, _ offset: UInt64, _ wall: Timestamp) {
        usage.apply(record, offset: offset, key: facts.key(for:))
        switch record {
        case .device(let device):
            devices[device.id] = device
            newDevices.append(device)
        case .settings(let version):
            settings.append(version)
            newSettings.append(version)
        case .command(let command): newCommands.append(DatedCommand(time: wall, command: command))
        case .prices(let run):
            prices.take(run)
            newPrices.append(run)
        default: break
        }
    }

    /// Slots to their topic, the topic to the ledger, then the snapshot that says all this is done.
    func checkpoint() {
        lastCheckpoint = clock.now().monotonic
        // Without a ledger to take them slots would only fill the log: they wait, and so does the cursor.
        if ledger.isWaiting { return }
        attempt("ledger") {
            let changed = pending.sorted { $0.key < $1.key }.map(\.value)
            if !changed.isEmpty {
                try slots.append(changed.map(Record.slot))
                try slots.flush(heartbeat: false)
            }
            try fillLedger()
            slots.hold("ledger", at: slotReader.cursor)
            try snapshots.write(
                Snapshot(version: Pipeline.snapshotVersion, cursor: reader.cursor, payload: usage.encoded()),
                as: Pipeline.snapshotName)
            facts.hold(Pipeline.snapshotName, at: reader.cursor)
            pending.removeAll(keepingCapacity: pending.count < Pipeline.maximumPending)
        }
    }

    private func fillLedger() throws {
        var isDone = false
        while !isDone {
            var changes: [SlotUsage] = []
            isDone = try slotReader.read(limitBytes: 1 << 20) { item in
                guard case .frame(let frame) = item else { return }
                try frame.records { _, record in
                    if case .slot(let slot) = record { changes.append(slot) }
                }
            }
            let last = isDone
            if changes.isEmpty, !last { continue }
            let isNothingNew =
                newDevices.isEmpty && newSettings.isEmpty && newDecisions.isEmpty && newCommands.isEmpty
                && newPrices.isEmpty
            if changes.isEmpty, isNothingNew { continue }
            try ledger.commit(
                changes: changes, devices: last ? newDevices : [], settings: last ? newSettings : [],
                decisions: last ? newDecisions.made : [], withdrawn: last ? newDecisions.withdrawn : [],
                commands: last ? newCommands : [], prices: last ? newPrices : [], cursor: slotReader.cursor)
            if last {
                newDevices = []
                newSettings = []
                newDecisions = DecisionChanges()
                newCommands = []
                newPrices = []
            }
        }
    }

    /// Runs a step; what it throws is remembered, told when it is new, and tried again next time.
    @discardableResult
    private func attempt(_ what: String, _ body: () throws -> Void) -> Bool {
        do {
            try body()
            if troubles.removeValue(forKey: what) != nil {
                logger.notice("works again", metadata: ["stage": "\(what)"])
            }
            return true
        } catch {
            note(error)
            let text = "\(error)"
            let isNews = troubles.updateValue(text, forKey: what) != text
            // A disk that fails now so, now so, is told once a minute for each.
            if isNews, complaints.admits(what + text, at: clock.now().monotonic) {
                logger.error("does not work", metadata: ["stage": "\(what)", "reason": "\(text)"])
            }
            return false
        }
    }

    private func tellDropped() {
        let dropped = facts.statistics.droppedReadings
        guard dropped > droppedTold, complaints.admits("dropped", at: clock.now().monotonic) else { return }
        droppedTold = dropped
        logger.error(
            "memory is full and the disk takes nothing: the oldest readings that wait are dropped",
            metadata: ["readings": "\(dropped)"])
    }
}
