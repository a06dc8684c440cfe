import CMosquitto
import Glibc
import Threads

/// The loop thread: owns the handle, connects, reads, writes, waits.
///
/// The C library runs without threads (`mosquitto_threaded_set` is not called): every call to it is made here. Its
/// own `mosquitto_loop` reads one packet per `pselect`; this loop polls once and reads until the socket is empty.
///
/// Confined to its thread after `startThread`; the C library's callbacks come back here through `context`.
final class MQTTLoop {
    /// Packets read before writing, keep-alive and `onBatchEnd` get their turn.
    private static let packetsPerTurn = 256

    let options: MQTTOptions
    let mailbox: MQTTMailbox
    let handle: OpaquePointer
    var outgoing = OutgoingWindow()

    let onState: @Sendable (MQTTState) -> Void
    private let onBatchEnd: @Sendable () -> Void
    private let handler: @Sendable (borrowing MQTTMessage) -> Void
    private var backoff: MQTTBackoff
    let polled: UnsafeMutablePointer<pollfd>
    /// Messages taken from the C library, oversized ones too: tells a drained socket from a stale `errno`.
    private var taken = 0
    var accepted = false
    private var connections = 0
    var refusal: String?
    /// What the TLS library said last; its error codes alone say nothing to a person.
    var tlsComplaint: String?
    /// The last turn stopped reading before the socket was empty: TLS may hold bytes that `poll` does not see.
    private var hasMoreToRead = false

    init(
        options: MQTTOptions, mailbox: MQTTMailbox, onState: @escaping @Sendable (MQTTState) -> Void,
        onBatchEnd: @escaping @Sendable () -> Void, handler: @escaping @Sendable (borrowing MQTTMessage) -> Void
    ) throws(MQTTError) {
        _ = Self.libraryReady
        guard let handle = mosquitto_new(options.clientID, options.cleanSession, nil) else {
            throw .system("no client: \(systemText(errno))")
        }
        (self.options, self.mailbox, self.handle) = (options, mailbox, handle)
        (self.onState, self.onBatchEnd, self.handler) = (onState, onBatchEnd, handler)
        backoff = options.backoff
        polled = .allocate(capacity: 2)
        polled.initialize(repeating: pollfd(), count: 2)
        try configure()
    }

    deinit {
        mosquitto_destroy(handle)
        polled.deallocate()
    }

    /// `mosquitto_lib_init` is not thread-safe; Swift initialises a static once.
    private static let libraryReady: Int32 = mosquitto_lib_init()

    /// The thread keeps the loop alive until `run` has returned.
    func startThread() throws(MQTTError) {
        var thread = pthread_t()
        let retained = Unmanaged.passRetained(self)
        let code = pthread_create(&thread, nil, runLoop, retained.toOpaque())
        guard code == 0 else {
            retained.release()
            throw .system("no thread: \(systemText(code))")
        }
        pthread_detach(thread)
    }

    /// Connects and serves until a stop is requested.
    func run() {
        // The C library writes to its socket with write(2): a broker that has gone must be an error, not a signal.
        var signals = sigset_t()
        sigemptyset(&signals)
        sigaddset(&signals, SIGPIPE)
        pthread_sigmask(SIG_BLOCK, &signals, nil)
        while !mailbox.stopRequested {
            onState(.connecting)
            let reason = connectAndServe()
            loseUnsent()
            if mailbox.stopRequested { break }
            let wait = backoff.next()
            onState(.disconnected(reason: reason, retryMilliseconds: wait))
            sleep(milliseconds: wait)
        }
        onState(.stopped)
    }

    // MARK: One connection

    /// Serves an accepted connection; returns why it ended.
    func serve() -> String {
        let begin = monotonicMilliseconds()
        for subscription in mailbox.allSubscriptions() { subscribe(subscription) }
        // An eighth of the keep-alive late is well within the half that the broker grants.
        let longest = min(max(options.keepAlive * 1_000 / 8, 1_000), 10_000)
        while true {
            guard let reason = turn(longest: longest) else { continue }
            // A connection that fell at once proves nothing: a client id used twice would reconnect for ever.
            if monotonicMilliseconds() - begin >= backoff.shortest { backoff.reset() }
            return reason
        }
    }

    /// Waits for the socket or for work, and does what there is to do; a text when the connection is over.
    func turn(longest: Int) -> String? {
        let work = mailbox.takeWork(takingMessages: accepted && outgoing.handed)
        if work.stop {
            if accepted { mosquitto_disconnect(handle) }
            hangUp()
            return "stopped"
        }
        if accepted {
            for subscription in work.subscriptions { subscribe(subscription) }
            outgoing.add(work.outgoing)
            if let failure = sendOutgoing() { return failure }
            settleSent()
        }
        // What came while the last batch was still being handed on has woken nobody: it is taken at once.
        let longest = hasMoreToRead || (work.more && outgoing.handed) ? 0 : longest
        let reason = waitAndRead(longest: timeout(longest: longest, deadline: work.deadline))
        settleSent()
        return reason
    }

    private func waitAndRead(longest: Int) -> String? {
        let events = Int16(POLLIN) | (mosquitto_want_write(handle) ? Int16(POLLOUT) : 0)
        polled[0] = pollfd(fd: mosquitto_socket(handle), events: events, revents: 0)
        polled[1] = pollfd(fd: mailbox.wakeDescriptor, events: Int16(POLLIN), revents: 0)
        _ = poll(polled, 2, Int32(clamping: longest))
        mailbox.awake()
        if polled[1].revents != 0 { mailbox.clearWake() }
        let ready = polled[0].revents
        if !accepted, ready & Int16(POLLERR | POLLHUP) != 0, let failure = socketError() {
            hangUp()
            return failure
        }
        if ready & ~Int16(POLLOUT) != 0 || hasMoreToRead, let failure = readUntilDrained() { return failure }
        if ready & Int16(POLLOUT) != 0, let failure = over(mosquitto_loop_write(handle, 1)) { return failure }
        return over(mosquitto_loop_misc(handle))
    }

    /// Reads until the socket is empty. The C library leaves EAGAIN in `errno` then, but also after other calls of
    /// its own; so only EAGAIN without a message counts, and too early an end costs one more `poll`.
    private func readUntilDrained() -> String? {
        let first = taken
        defer { if taken != first { onBatchEnd() } }
        for _ in 0..<Self.packetsPerTurn {
            let before = taken
            errno = 0
            if let failure = over(mosquitto_loop_read(handle, 1)) { return failure }
            if errno == EAGAIN && taken == before {
                hasMoreToRead = false
                return nil
            }
        }
        hasMoreToRead = options.tls != nil && accepted
        return nil
    }

    /// Nil while the connection stands after a call to the C library that returned `code`.
    func over(_ code: Int32) -> String? {
        if code == MOSQ_ERR_SUCCESS.rawValue && mosquitto_socket(handle) >= 0 { return nil }
        let text = describe(code, errno)
        hangUp()
        return refusal ?? text
    }

    /// Nothing is read or written any more; the C library closes the descriptor at the next connect or at the end.
    func hangUp() {
        let socket = mosquitto_socket(handle)
        if socket >= 0 { shutdown(socket, Int32(SHUT_RDWR)) }
    }

    private func socketError() -> String? {
        var code: Int32 = 0
        var length = socklen_t(MemoryLayout<Int32>.size)
        getsockopt(mosquitto_socket(handle), SOL_SOCKET, SO_ERROR, &code, &length)
        return code == 0 ? nil : systemText(code)
    }

    private func subscribe(_ subscription: MQTTMailbox.Subscription) {
        _ = mosquitto_subscribe(handle, nil, subscription.filter, subscription.qos.rawValue)
    }

    // MARK: Waiting

    /// Sleeps between attempts; a stop or a waiter's deadline is served meanwhile.
    private func sleep(milliseconds: Int) {
        let end = monotonicMilliseconds() + milliseconds
        while true {
            let work = mailbox.takeWork(takingMessages: false)
            let left = end - monotonicMilliseconds()
            if work.stop || left <= 0 { break }
            polled[0] = pollfd(fd: mailbox.wakeDescriptor, events: Int16(POLLIN), revents: 0)
            _ = poll(polled, 1, Int32(clamping: timeout(longest: left, deadline: work.deadline)))
            mailbox.awake()
            mailbox.clearWake()
        }
        mailbox.awake()
    }

    private func timeout(longest: Int, deadline: Int?) -> Int {
        guard let deadline else { return longest }
        return min(longest, max(deadline - monotonicMilliseconds(), 0))
    }

    // MARK: Called by the C library, through MQTTCallbacks.swift

    func connected(code: Int32, sessionPresent: Bool) {
        guard code == 0 else {
            let text = options.version == .v5 ? mosquitto_reason_string(code) : mosquitto_connack_string(code)
            refusal = text.map { String(cString: $0) } ?? "refused with code \(code)"
            return
        }
        accepted = true
        connections += 1
        if connections > 1 { mailbox.count(\.reconnects) }
        onState(.connected(sessionPresent: sessionPresent))
    }

    func received(_ message: borrowing mosquitto_message) {
        taken += 1
        let length = Int(message.payloadlen)
        guard let topic = message.topic, length >= 0, length <= options.payloadLimit else {
            return mailbox.count(\.oversized)
        }
        mailbox.countReceived()
        handler(
            MQTTMessage(
                topic: UnsafeRawBufferPointer(start: topic, count: strlen(topic)),
                payload: UnsafeRawBufferPointer(start: message.payload, count: message.payload == nil ? 0 : length),
                qos: message.qos, retained: message.retain))
    }
}
