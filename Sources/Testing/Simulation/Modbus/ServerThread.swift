import CModbus
import Glibc
import Synchronization

/// A thread that polls, and how others stop and wake it.
final class ServerThread: Sendable {
    private struct State {
        var stop = false
        var ended = false
        var waiters: [CheckedContinuation<Void, Never>] = []
        var tasks: [@Sendable () -> Void] = []
    }

    private let state = Mutex(State())
    /// To be polled for reading.
    let readEnd: Int32
    private let writeEnd: Int32

    init() throws(SystemError) {
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw SystemError("no pipe", errno) }
        for end in ends {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
        }
        (readEnd, writeEnd) = (ends[0], ends[1])
    }

    deinit {
        close(readEnd)
        close(writeEnd)
    }

    /// Runs `body`, which returns when `isStopping`, on a new thread.
    func start(_ body: @escaping @Sendable () -> Void) throws(SystemError) {
        var thread = pthread_t()
        let boxed = Unmanaged.passRetained(Work(thread: self, body: body))
        let code = pthread_create(&thread, nil, work, boxed.toOpaque())
        guard code == 0 else {
            boxed.release()
            throw SystemError("no thread", code)
        }
        pthread_detach(thread)
    }

    var isStopping: Bool { state.withLock { $0.stop } }

    func requestStop() {
        state.withLock { $0.stop = true }
        wake()
    }

    func wake() {
        var byte: UInt8 = 1
        _ = write(writeEnd, &byte, 1)
    }

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
        var bytes: (UInt64, UInt64) = (0, 0)
        while read(readEnd, &bytes, 16) == 16 {}
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

    fileprivate func finish() {
        let (tasks, waiters) = state.withLock { state in
            state.ended = true
            defer { (state.tasks, state.waiters) = ([], []) }
            return (state.tasks, state.waiters)
        }
        for task in tasks { task() }
        for waiter in waiters { waiter.resume() }
    }
}

private final class Work: Sendable {
    let thread: ServerThread
    let body: @Sendable () -> Void

    init(thread: ServerThread, body: @escaping @Sendable () -> Void) {
        self.thread = thread
        self.body = body
    }
}

/// A free function: a closure literal could inherit an actor's isolation and abort on this thread.
private func work(_ pointer: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let pointer else { return nil }
    let work = Unmanaged<Work>.fromOpaque(pointer).takeRetainedValue()
    work.body()
    work.thread.finish()
    return nil
}

/// µs of a clock that nobody sets.
func monotonicMicroseconds() -> Int64 {
    var now = timespec()
    clock_gettime(CLOCK_MONOTONIC, &now)
    return Int64(now.tv_sec) * 1_000_000 + Int64(now.tv_nsec) / 1_000
}
