import Synchronization
import Threads

/// What callers leave for the loop thread, and what it leaves for them.
///
/// The mutex is held for a few instructions only, never across a call into the C library or to user code.
final class MQTTMailbox: Sendable {
    /// A message accepted by `publish`.
    struct Outgoing {
        let topic: String
        let payload: [UInt8]
        let qos: MQTTQoS
        let retain: Bool

        var bytes: Int { topic.utf8.count + payload.count }
    }

    struct Subscription {
        let filter: String
        let qos: MQTTQoS
    }

    /// What the loop thread has to do next.
    struct Work {
        var stop: Bool
        var subscriptions: [Subscription]
        var outgoing: [Outgoing]
        /// Messages were left in the mailbox.
        var more: Bool
        /// When the loop thread must look again at the latest, in monotonic milliseconds.
        var deadline: Int?
    }

    private struct DrainWaiter {
        let deadline: Int
        let continuation: CheckedContinuation<Bool, Never>
    }

    private struct State {
        var outgoing: [Outgoing] = []
        /// Accepted and neither completed nor lost: in `outgoing`, with the loop thread, or in the C library.
        var outstanding = 0
        var outstandingBytes = 0
        var subscriptions: [Subscription] = []
        var newSubscriptions: [Subscription] = []
        var drainWaiters: [DrainWaiter] = []
        var endWaiters: [CheckedContinuation<Void, Never>] = []
        var counters = MQTTCounters()
        var stopRequested = false
        var ended = false
        /// The loop thread has seen everything and is about to poll: whoever adds work must write to the pipe.
        var sleeping = false
    }

    private let state = Mutex(State())
    private let wakePipe: WakePipe
    private let received = Atomic<Int>(0)
    private let queueLimit: Int
    private let queueByteLimit: Int

    init(queueLimit: Int, queueByteLimit: Int) throws(MQTTError) {
        do throws(SystemError) {
            wakePipe = try WakePipe()
        } catch {
            throw .system("\(error)")
        }
        self.queueLimit = queueLimit
        self.queueByteLimit = queueByteLimit
    }

    // MARK: Any thread

    var counters: MQTTCounters {
        var counters = state.withLock { $0.counters }
        counters.received = received.load(ordering: .relaxed)
        return counters
    }

    func publish(_ message: Outgoing) throws(MQTTError) {
        guard message.bytes <= queueByteLimit else {
            throw .payloadTooLong(
                topic: message.topic, bytes: message.payload.count, limit: queueByteLimit - message.topic.utf8.count)
        }
        let (error, wake) = state.withLock { state -> (MQTTError?, Bool) in
            if state.stopRequested { return (.stopped, false) }
            if state.outstanding >= queueLimit {
                state.counters.refused += 1
                return (.queueFull(limit: "\(queueLimit) messages"), false)
            }
            if state.outstandingBytes + message.bytes > queueByteLimit {
                state.counters.refused += 1
                return (.queueFull(limit: "\(queueByteLimit) bytes"), false)
            }
            state.outstanding += 1
            state.outstandingBytes += message.bytes
            state.outgoing.append(message)
            return (nil, Self.mustWake(&state))
        }
        if wake { wakePipe.wake() }
        if let error { throw error }
    }

    func subscribe(_ added: [Subscription]) throws(MQTTError) {
        let (stopped, wake) = state.withLock { state -> (Bool, Bool) in
            if state.stopRequested { return (true, false) }
            state.subscriptions.removeAll { old in added.contains { $0.filter == old.filter } }
            state.subscriptions += added
            state.newSubscriptions += added
            return (false, Self.mustWake(&state))
        }
        if wake { wakePipe.wake() }
        if stopped { throw .stopped }
    }

    /// True when nothing is outstanding before `milliseconds` have passed.
    func drained(within milliseconds: Int) async -> Bool {
        let deadline = monotonicMilliseconds() + min(max(milliseconds, 0), 86_400_000)
        return await withCheckedContinuation { continuation in
            let (answer, wake) = state.withLock { state -> (Bool?, Bool) in
                if state.outstanding == 0 { return (true, false) }
                if state.ended { return (false, false) }
                state.drainWaiters.append(DrainWaiter(deadline: deadline, continuation: continuation))
                return (nil, Self.mustWake(&state))
            }
            if wake { wakePipe.wake() }
            if let answer { continuation.resume(returning: answer) }
        }
    }

    func requestStop() {
        let wake = state.withLock { state in
            state.stopRequested = true
            return Self.mustWake(&state)
        }
        if wake { wakePipe.wake() }
    }

    /// Returns when the loop thread has made its last call.
    func ended() async {
        await withCheckedContinuation { continuation in
            let already = state.withLock { state in
                if !state.ended { state.endWaiters.append(continuation) }
                return state.ended
            }
            if already { continuation.resume() }
        }
    }

    // MARK: Loop thread

    var wakeDescriptor: Int32 { wakePipe.readEnd }

    func clearWake() {
        wakePipe.clear()
    }

    var stopRequested: Bool { state.withLock { $0.stopRequested } }

    /// All that has been left since the last call; `outgoing` only when `takingMessages`. Also answers the waiters
    /// whose time is over. After this call the thread may poll: any later work wakes it.
    func takeWork(takingMessages: Bool) -> Work {
        let now = monotonicMilliseconds()
        var late: [DrainWaiter] = []
        let work = state.withLock { state -> Work in
            var work = Work(stop: state.stopRequested, subscriptions: [], outgoing: [], more: false, deadline: nil)
            swap(&work.subscriptions, &state.newSubscriptions)
            if takingMessages { swap(&work.outgoing, &state.outgoing) }
            work.more = !state.outgoing.isEmpty
            if !state.drainWaiters.isEmpty {
                late = state.drainWaiters.filter { $0.deadline <= now }
                state.drainWaiters.removeAll { $0.deadline <= now }
                work.deadline = state.drainWaiters.map(\.deadline).min()
            }
            state.sleeping = true
            return work
        }
        for waiter in late { waiter.continuation.resume(returning: false) }
        return work
    }

    /// The thread is at work again: nobody needs to wake it.
    func awake() {
        state.withLock { $0.sleeping = false }
    }

    /// Everything ever subscribed, for a fresh connection; the new ones are among them.
    func allSubscriptions() -> [Subscription] {
        state.withLock { state in
            state.newSubscriptions = []
            return state.subscriptions
        }
    }

    func countReceived() {
        received.wrappingAdd(1, ordering: .relaxed)
    }

    func count(_ counter: WritableKeyPath<MQTTCounters, Int>) {
        state.withLock { $0.counters[keyPath: counter] += 1 }
    }

    /// `messages` have left for good: sent or acknowledged, or lost with the connection.
    func settle(messages: Int, bytes: Int, lost: Int) {
        let waiters = state.withLock { state -> [DrainWaiter] in
            state.outstanding -= messages
            state.outstandingBytes -= bytes
            state.counters.published += messages - lost
            state.counters.lost += lost
            guard state.outstanding == 0 else { return [] }
            defer { state.drainWaiters = [] }
            return state.drainWaiters
        }
        for waiter in waiters { waiter.continuation.resume(returning: true) }
    }

    /// The last call of the loop thread.
    func end() {
        let (drains, ends) = state.withLock { state -> ([DrainWaiter], [CheckedContinuation<Void, Never>]) in
            state.ended = true
            defer { (state.drainWaiters, state.endWaiters) = ([], []) }
            return (state.drainWaiters, state.endWaiters)
        }
        for waiter in drains { waiter.continuation.resume(returning: false) }
        for waiter in ends { waiter.resume() }
    }

    private static func mustWake(_ state: inout State) -> Bool {
        defer { state.sleeping = false }
        return state.sleeping
    }
}
