import History
import Ledger
import Logging
import ReadingLog
import Records
import Timekeeping
import Usage

/// What a pipeline is made of, opened.
struct PipelineParts: Sendable {
    let facts: ReadingLog
    let slots: ReadingLog
    let history: History
    /// Opened by the pipeline, on whose thread it stays.
    let ledgerPath: String
    let snapshots: SnapshotStore
    let place: StorePlace
    let clock: any Clock
    let logger: Logger

    init(_ store: HomeStore, _ clock: any Clock, _ logger: Logger) {
        facts = store.facts
        slots = store.slots
        history = store.history
        ledgerPath = store.ledgerPath
        snapshots = store.snapshots
        place = store.place
        self.clock = clock
        self.logger = logger
    }

    /// The ledger, or where its disk takes no writes what can be read of it.
    func openLedger() throws(LedgerError) -> Ledger {
        do throws(LedgerError) {
            if place.absence == nil { return try Ledger(path: ledgerPath) }
        } catch {
            logger.error(
                "the ledger cannot be opened for writing; what changes waits in memory until it can",
                metadata: ["reason": "\(error)"])
            return try Ledger(waiting: ledgerPath, because: error)
        }
        return try Ledger(waiting: ":memory:", because: .waiting(path: ledgerPath, reason: "its disk is away"))
    }

    /// Usage as its last snapshot has it, and the cursor from which it goes on.
    ///
    /// No snapshot, or a ledger that had to be made again: from the oldest record of the log.
    func restoreUsage(_ ledger: Ledger) throws -> (usage: UsageState, cursor: Cursor) {
        if case .replaced(let setAside, let reason) = ledger.opening {
            logger.error(
                "the ledger was damaged and is made again from the log",
                metadata: ["set_aside": "\(setAside)", "reason": "\(reason)"])
            return (UsageState(), .oldest)
        }
        let found = snapshots.read(Pipeline.snapshotName)
        for problem in found.problems { logger.error("a snapshot cannot be used", metadata: ["reason": "\(problem)"]) }
        if found.snapshot != nil, try ledger.cursor() == nil {
            // A snapshot is written after its slots, so a ledger that never got any has been lost.
            if !ledger.isWaiting {
                logger.error("the ledger was lost and is made again from the log", metadata: ["path": "\(ledgerPath)"])
            }
            return (UsageState(), .oldest)
        }
        guard let snapshot = found.snapshot, snapshot.version == Pipeline.snapshotVersion else {
            return (UsageState(), .oldest)
        }
        do {
            return (try UsageState(decoding: snapshot.payload), snapshot.cursor)
        } catch {
            logger.error("a snapshot cannot be used", metadata: ["reason": "\(error)"])
            return (UsageState(), .oldest)
        }
    }
}
