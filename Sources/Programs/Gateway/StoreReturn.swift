import Logging
import ServiceLifecycle
import Threads
import Timekeeping

/// Looks whether a state directory that could not be used can be by now. On a thread of its own, since a disk in
/// trouble may take its time.
actor StoreReturn {
    private nonisolated let executor = ThreadExecutor()
    nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }
    private let absence: StoreAbsence
    private let logger: Logger
    private let open: @Sendable () throws -> HomeStore
    private var found: HomeStore?

    /// `open` opens the directory or throws why that is not possible.
    init(of absence: StoreAbsence, logger: Logger, open: @escaping @Sendable () throws -> HomeStore) {
        self.absence = absence
        self.logger = logger
        self.open = open
    }

    deinit {
        executor.stop()
    }

    /// True when the directory is open now; it is then for `take()`.
    func attempt() -> Bool {
        if found != nil { return true }
        do {
            found = try open()
            return true
        } catch {
            if absence.note(error) {
                logger.error("the state directory still cannot be used", metadata: ["reason": "\(error)"])
            }
            return false
        }
    }

    func take() -> HomeStore? {
        defer { found = nil }
        return found
    }
}

/// Ends when the state directory is there.
struct StoreReturnService: Service {
    let returning: StoreReturn
    /// As the store is written to, in ms, within these bounds.
    let interval: Int64

    private static let bounds: ClosedRange<Int64> = 500...10 * Span.second

    func run() async throws {
        let bounds = StoreReturnService.bounds
        let pause = min(max(interval, bounds.lowerBound), bounds.upperBound)
        await cancelWhenGracefulShutdown {
            while !Task.isCancelled {
                do { try await Task.sleep(for: .milliseconds(pause)) } catch { return }
                if await returning.attempt() { return }
            }
        }
    }
}
