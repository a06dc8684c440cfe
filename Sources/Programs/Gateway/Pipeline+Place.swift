import Billing
import Disk
import Ledger
import Metering
import ReadingLog
import Records
import Timekeeping
import Usage

// The state directory's disk can be pulled and come back while the gateway runs.
extension Pipeline {
    /// Throws while the state directory is not there. When it is back the consumers begin anew as at a start, from what
    /// the disk has: open files of a disk that was away are dead.
    func bringBack() throws {
        do {
            try parts.place.check()
        } catch {
            wasAway = true
            throw error
        }
        guard wasAway else { return }
        try parts.place.reacquire()
        // Closed before it is opened: the one that closes removes a write-ahead log that the other would go on with.
        ledger = try Ledger(path: ":memory:")
        try beginAnew(with: try parts.openLedger())
        wasAway = false
    }

    /// Throws while the ledger's disk takes no writes, as a full one or one that is mounted read-only. When it does,
    /// the consumers begin anew from what was put to rest.
    func reopenLedger() throws {
        let fresh = try Ledger(path: parts.ledgerPath)
        // Of the one before, or met again.
        ledgerDamage = nil
        try beginAnew(with: fresh)
    }

    /// Damage that opening did not see: the file is set aside, and one with all that can be read of it takes its place.
    func replaceLedger(because reason: String) throws {
        let now = clock.now().monotonic
        // A card on which each new file is damaged at once would keep us at nothing else.
        guard now - lastReplacement >= Pipeline.checkpointInterval else { throw Pipeline.damaged(parts, reason) }
        lastReplacement = now
        ledger = try Ledger(waiting: ":memory:", because: Pipeline.damaged(parts, reason))
        let fresh = try Ledger.replace(parts.ledgerPath, because: reason)
        ledgerDamage = nil
        try beginAnew(with: fresh)
    }

    private static func damaged(_ parts: PipelineParts, _ reason: String) -> LedgerError {
        .damaged(path: parts.ledgerPath, reason: reason)
    }

    /// Damage that anybody met.
    func note(_ error: any Error) {
        if let error = error as? LedgerError, case .damaged(_, let reason) = error, ledgerDamage == nil {
            ledgerDamage = reason
        }
    }

    /// Runs a query of the ledger.
    func asking<Result>(_ body: () throws -> Result) throws -> Result {
        do { return try body() } catch {
            note(error)
            throw error
        }
    }

    private func beginAnew(with ledger: Ledger) throws {
        let restored = try parts.restoreUsage(ledger)
        let kept = try ledger.cursor() ?? .oldest
        let known = try ledger.devices()
        settings = try ledger.settings()
        var book = PriceBook()
        try ledger.prices { book.take($0) }
        prices = book
        devices = [:]
        usage = restored.usage
        for device in known {
            devices[device.id] = device
            usage.apply(.device(device), offset: 0) { _ in nil }
        }
        if restored.cursor == .oldest { try Pipeline.restoreCommands(&usage, from: ledger) }
        newDevices = []
        newSettings = []
        newDecisions = DecisionChanges()
        newCommands = []
        newPrices = []
        pending = [:]
        totals = nil
        reader = facts.reader(from: restored.cursor)
        slotReader = slots.reader(from: kept)
        slots.hold("ledger", at: kept)
        facts.hold(Pipeline.snapshotName, at: restored.cursor)
        self.ledger = ledger
    }
}
