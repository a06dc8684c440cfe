import Synchronization
import Threads

/// A thread that polls, and how others stop and wake it.
final class ServerThread: Sendable {
    private struct State {
        var stop = false
        var ended = false
        var waiters: [CheckedContinuation<Void, Never>] = []
        var tasks: [@Sendable () -> Void] = []
    }

    private let state = Mutex(State())
    private let pipe: WakePipe
    /// To be polled for reading.
    var readEnd: Int32 { pipe.readEnd }

    init() throws(SystemError) {
        pipe = try WakePipe()
    }

    /// Runs `body`, which returns when `isStopping`, on a new thread.
    func start(_ body: @escaping @Sendable () -> Void) throws(SystemError) {
        try startThread {
            body()
            self.finish()
        }
    }

    var isStopping: Bool { state.withLock { $0.stop } }

    func requestStop() {
        state.withLock { $0.stop = true }
        wake()
    }

    func wake() { pipe.wake() }

    /// Does it between two polls; returns when it is done, or at once after the end.
    func perform(_ task: @escaping @Sendable () -> Void) async {
        await withCheckedContinuation { continuation in
            let isOver = state.withLock { state in
                if !state.ended {
                    state.tasks.append {
                        task()
                        continuation.resume()
                    }
                }
                return state.ended
            }
            if isOver { continuation.resume() } else { wake() }
        }
    }

    /// Between two polls: swallows what woke the thread and does what was asked.
    func attend() {
        pipe.clear()
        let tasks = state.withLock { state in
            defer { state.tasks = [] }
            return state.tasks
        }
        for task in tasks { task() }
    }

    func ended() async {
        await withCheckedContinuation { continuation in
            let already = state.withLock { state in
                if !state.ended { state.waiters.append(continuation) }
                return state.ended
            }
            if already { continuation.resume() }
        }
    }

    private func finish() {
        let (tasks, waiters) = state.withLock { state in
            state.ended = true
            defer { (state.tasks, state.waiters) = ([], []) }
            return (state.tasks, state.waiters)
        }
        for task in tasks { task() }
        for waiter in waiters { waiter.resume() }
    }
}
