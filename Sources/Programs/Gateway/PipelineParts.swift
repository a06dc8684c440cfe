import History
import Ledger
import Logging
import ReadingLog
import Records
import Timekeeping
import Usage

/// What a pipeline is made of, opened.
struct PipelineParts {
    let facts: ReadingLog
    let slots: ReadingLog
    let history: History
    let ledger: Ledger
    let snapshots: SnapshotStore
    let clock: any Clock
    let logger: Logger

    /// Usage as its last snapshot has it, and the cursor from which it goes on.
    ///
    /// No snapshot, or a ledger that had to be made again: from the oldest record of the log.
    func restoreUsage() -> (usage: UsageState, cursor: Cursor) {
        if case .replaced(let setAside, let reason) = ledger.opening {
            logger.error(
                "the ledger was damaged and is made again from the log",
                metadata: ["set_aside": "\(setAside)", "reason": "\(reason)"])
            return (UsageState(), .oldest)
        }
        let found = snapshots.read(Pipeline.snapshotName)
        for problem in found.problems { logger.error("a snapshot cannot be used", metadata: ["reason": "\(problem)"]) }
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
