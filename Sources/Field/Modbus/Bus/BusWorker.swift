import CModbus
import Glibc
import Synchronization
import Threads

/// The thread of one bus and what it shares with the rest of the program.
///
/// All sharing is in `state`; it is never held while the bus is
/// waited for.
final class BusWorker: Sendable {
    fileprivate struct State {
        var engine: BusEngine
        var stream: AsyncStream<[GroupResult]>.Continuation?
        var pending: [GroupResult] = []
        /// When the oldest of `pending` came.
        var pendingSince: Int64 = 0
        var lost = 0
        var waiting: [Int: CheckedContinuation<Result<[UInt16], ModbusError.Cause>, Never>] = [:]
        var lastID = 0
        var hasEnded = false
        var enders: [CheckedContinuation<Void, Never>] = []
        var connects = 0
        var strangers = 0
        var note: String?
    }

    static let maximumBatches = 64
    /// A batch leaves when it has so many results, when the bus has nothing to do, or after 50 ms.
    private static let batchSize = 64
    private static let batchAge: Int64 = 50_000

    private let address: BusAddress
    private let options: ModbusOptions
    private let pipe: WakePipe
    private let stopping = Atomic(false)
    private let state: Mutex<State>

    init(_ address: BusAddress, _ options: ModbusOptions) throws(SystemError) {
        pipe = try WakePipe()
        self.address = address
        self.options = options
        state = Mutex(
            State(
                engine: BusEngine(
                    BusPlan(units: []), address: address, limits: options.limits(for: address),
                    start: monotonicMicroseconds())))
        try startThread { self.run() }
    }

    // MARK: From any thread

    func adopt(_ plan: BusPlan) -> AsyncStream<[GroupResult]> {
        let (stream, continuation) = AsyncStream.makeStream(
            of: [GroupResult].self, bufferingPolicy: .bufferingNewest(Self.maximumBatches))
        let old = state.withLock { state in
            let old = state.stream
            state.engine.adopt(plan, at: monotonicMicroseconds())
            state.pending = []
            state.stream = continuation
            return old
        }
        old?.finish()
        if stopping.load(ordering: .acquiring) { continuation.finish() }
        pipe.wake()
        return stream
    }

    func adopt(_ plan: BusPlan.Unit, at index: Int) {
        state.withLock { $0.engine.adopt(plan, at: index, monotonicMicroseconds()) }
        pipe.wake()
    }

    func ask(_ request: ModbusRequest, timeout: Int64) async -> Result<[UInt16], ModbusError.Cause> {
        return await withCheckedContinuation { continuation in
            let refusal = state.withLock { state -> ModbusError.Cause? in
                if state.hasEnded || stopping.load(ordering: .acquiring) { return .closed }
                state.lastID += 1
                guard state.engine.ask(request, id: state.lastID, timeout: timeout) else {
                    return .badRequest("\(BusLimits.maximumQueries) requests wait for this bus already")
                }
                state.waiting[state.lastID] = continuation
                return nil
            }
            if let refusal { continuation.resume(returning: .failure(refusal)) } else { pipe.wake() }
        }
    }

    var report: BusReport {
        state.withLock { state in
            var report = state.engine.report(at: monotonicMicroseconds())
            (report.connects, report.strangers, report.note) = (state.connects, state.strangers, state.note)
            report.lost = state.lost
            return report
        }
    }

    /// Asks the thread to end; returns at once.
    func stop() {
        stopping.store(true, ordering: .releasing)
        pipe.wake()
    }

    func ended() async {
        await withCheckedContinuation { continuation in
            let already = state.withLock { state in
                if !state.hasEnded { state.enders.append(continuation) }
                return state.hasEnded
            }
            if already { continuation.resume() }
        }
    }

    // MARK: The thread

    private func run() {
        var connection = BusConnection(
            address, connectTimeout: options.connectTimeout, switchesRS485: options.switchesRS485)
        var outcome: Result<[UInt16], ModbusError.Cause>?
        while !stopping.load(ordering: .acquiring) {
            let now = monotonicMicroseconds()
            let (connects, strangers, note) = (connection.connects, connection.strangers, connection.note)
            let (action, answers) = state.withLock { state in
                (state.connects, state.strangers, state.note) = (connects, strangers, note)
                if let outcome { state.engine.finish(outcome, at: now) }
                let action = state.engine.next(at: now)
                collect(&state, at: now, isIdle: action.isLong(after: now))
                return (action, state.takeAnswers())
            }
            outcome = nil
            for (continuation, result) in answers { continuation.resume(returning: result) }
            switch action {
            case .exchange(let request, let timeout):
                outcome = connection.exchange(request, timeout: timeout, interrupt: pipe.readEnd) {
                    stopping.load(ordering: .acquiring)
                }
            case .reopen: connection.close()
            case .wait(let until): sleep(until: until)
            }
        }
        connection.close()
        finish()
    }

    /// Hands on what is worth handing on.
    private func collect(_ state: inout sending State, at now: Int64, isIdle: Bool) {
        if state.pending.isEmpty { state.pendingSince = now }
        state.engine.moveResults(to: &state.pending)
        guard !state.pending.isEmpty,
            isIdle || state.pending.count >= Self.batchSize || now - state.pendingSince >= Self.batchAge
        else { return }
        switch state.stream?.yield(state.pending) {
        case .dropped(let batch): state.lost += batch.count
        default: break
        }
        state.pending.removeAll(keepingCapacity: true)
    }

    private func sleep(until: Int64) {
        let left = min(max(0, until - monotonicMicroseconds()), 3_600_000_000)
        // The system's timers come some 50 µs late: what is sooner than half of that is waited for by looking again.
        guard left > 25 else { return }
        var polled = pollfd(fd: pipe.readEnd, events: Int16(POLLIN), revents: 0)
        var time = timespec(tv_sec: Int(left / 1_000_000), tv_nsec: Int(left % 1_000_000) * 1_000)
        _ = modbus_ppoll(&polled, 1, &time, nil)
        if polled.revents != 0 { pipe.clear() }
    }

    private func finish() {
        let (waiting, stream, enders) = state.withLock { state in
            state.hasEnded = true
            defer { (state.waiting, state.stream, state.enders) = ([:], nil, []) }
            return (state.waiting, state.stream, state.enders)
        }
        for (_, continuation) in waiting { continuation.resume(returning: .failure(.closed)) }
        stream?.finish()
        for ender in enders { ender.resume() }
    }
}

extension BusWorker.State {
    fileprivate mutating func takeAnswers() -> [(
        CheckedContinuation<Result<[UInt16], ModbusError.Cause>, Never>, Result<[UInt16], ModbusError.Cause>
    )] {
        engine.takeAnswers().compactMap { answer in
            waiting.removeValue(forKey: answer.id).map { ($0, answer.result) }
        }
    }
}

extension BusEngine.Action {
    /// Nothing more to do for a while: a good moment to hand on what is done.
    fileprivate func isLong(after now: Int64) -> Bool {
        if case .wait(let until) = self { until - now > 5_000 } else { false }
    }
}
