import Logging
import ReadingLog
import ServiceLifecycle

/// A gateway lives once, as a rule. One whose state directory cannot be used lives in memory until it can, and then
/// once more on what the directory has, as after any start: what waited in memory is put there first.
struct GatewayLives: Service {
    let gateway: Gateway
    let store: HomeStore

    func run() async throws {
        var store = store
        var waiting: WaitingRecords?
        while true {
            let returning = store.place.absence.map(returning)
            do {
                try await gateway.live(on: store, takingOver: waiting, returning: returning)
            } catch {
                store.place.release()
                throw error
            }
            guard let returning else { return store.place.release() }
            let held = store.facts.waiting()
            // Also when it stops: the disk may have come this very moment.
            guard await returning.attempt(), let next = await returning.take() else { return tellLost(held) }
            gateway.logger.notice(
                "the state directory can be used again; what waited goes there",
                metadata: ["records": "\(held.records.count)", "dropped_readings": "\(held.dropped)"])
            if Task.isShuttingDownGracefully {
                defer { next.place.release() }
                return try await gateway.settle(held, in: next)
            }
            store = next
            waiting = held
        }
    }

    private func returning(_ absence: StoreAbsence) -> StoreReturn {
        let gateway = gateway
        return StoreReturn(of: absence, logger: gateway.logger) {
            try HomeStore(
                directory: gateway.options.dataDirectory, configuration: gateway.configuration, clock: gateway.clock,
                logger: gateway.logger)
        }
    }

    private func tellLost(_ held: WaitingRecords) {
        let readings = held.readings + held.dropped
        guard readings > 0 else { return }
        gateway.logger.error(
            "stopped without a state directory: what waited in memory is lost", metadata: ["readings": "\(readings)"])
    }
}

extension Gateway {
    /// Puts to rest what waited, and nothing else.
    fileprivate func settle(_ waiting: WaitingRecords, in store: HomeStore) async throws {
        let pipeline = try Pipeline(opening: PipelineParts(store, clock, logger))
        await pipeline.start()
        try await pipeline.takeOver(waiting)
        await pipeline.close()
    }
}
