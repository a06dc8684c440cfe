import CModbus
import Glibc
import Modbus
import Synchronization

/// A real libmodbus TCP server on the loopback, with several units, for meters that do not exist.
///
/// It serves on a thread of its own. Registers may be set from any thread at any time; an answer is never made of
/// words from before and after one `setWords`.
package final class ModbusServer: Sendable {
    /// What a unit does instead of answering.
    package enum Fault: Sendable, Equatable {
        /// Answers every request with this exception.
        case exception(ModbusException)
        /// Swallows every request.
        case silent
        /// Closes the connection on every request.
        case hangUp
    }

    package let port: UInt16
    private let house: ModbusHouse

    /// Listens and starts serving; without units every request gets “gateway target silent”.
    ///
    /// - Parameter port: a server that returns wants its old port; 0 takes a free one.
    package init(port: UInt16 = 0) throws(SystemError) {
        house = try ModbusHouse(port: port)
        self.port = house.port
        try house.startThread()
    }

    deinit {
        house.requestStop()
    }

    package var address: BusAddress { .tcp(host: "127.0.0.1", port: port) }

    /// Requests taken from the wire so far.
    package var requests: Int { house.shared.withLock { $0.requests } }
    /// Connections accepted so far.
    package var connections: Int { house.shared.withLock { $0.accepted } }

    /// Adds a unit whose registers, all 0, have these addresses; all others are illegal. Replaces a unit of the
    /// same number.
    package func addUnit(_ unit: UInt8, holding: Range<Int> = 0..<1_024, input: Range<Int> = 0..<1_024) {
        for range in [holding, input] { precondition(range.lowerBound >= 0 && range.upperBound <= 65_536) }
        let image = ModbusHouse.Image(holding: holding, input: input)
        house.shared.withLock { $0.units[unit] = image }
    }

    /// Sets registers of a unit that has them.
    package func setWords(unit: UInt8, function: ModbusFunction, address: Int, words: [UInt16]) {
        house.shared.withLock { shared in
            guard let image = shared.units[unit] else { preconditionFailure("there is no unit \(unit)") }
            image.set(function, address, words)
        }
    }

    /// Makes a unit misbehave from its next request on, or behave again with nil.
    package func setFault(_ fault: Fault?, unit: UInt8) {
        house.shared.withLock { $0.faults[unit] = fault }
    }

    /// Closes all connections; new ones are accepted.
    package func dropConnections() {
        house.shared.withLock { $0.drop = true }
        house.wake()
    }

    /// Closes everything and returns when the port is free again.
    package func stop() async {
        house.requestStop()
        await house.ended()
    }
}

/// The server's thread and what it shares with its owner.
final class ModbusHouse: @unchecked Sendable {
    // Unchecked: `context`, `listener` and `clients` belong to the thread; all else is in `shared`.

    /// The registers of one unit; read and written with the lock of `shared` held only.
    final class Image: @unchecked Sendable {
        let mapping: UnsafeMutablePointer<modbus_mapping_t>

        init(holding: Range<Int>, input: Range<Int>) {
            guard
                let mapping = modbus_mapping_new_start_address(
                    0, 0, 0, 0, UInt32(holding.lowerBound), UInt32(holding.count), UInt32(input.lowerBound),
                    UInt32(input.count))
            else { preconditionFailure("no memory for registers") }
            self.mapping = mapping
        }

        deinit {
            modbus_mapping_free(mapping)
        }

        func set(_ function: ModbusFunction, _ address: Int, _ words: [UInt16]) {
            let map = mapping.pointee
            let (base, start, count) =
                function == .holding
                ? (map.tab_registers, map.start_registers, map.nb_registers)
                : (map.tab_input_registers, map.start_input_registers, map.nb_input_registers)
            let offset = address - Int(start)
            precondition(offset >= 0 && offset + words.count <= Int(count), "the unit has no such registers")
            for (index, word) in words.enumerated() { base?[offset + index] = word }
        }
    }

    struct Shared {
        var units: [UInt8: Image] = [:]
        var faults: [UInt8: ModbusServer.Fault] = [:]
        var requests = 0
        var accepted = 0
        var drop = false
        var stop = false
        var ended = false
        var waiters: [CheckedContinuation<Void, Never>] = []
    }

    let shared = Mutex(Shared())
    let port: UInt16
    private let context: OpaquePointer
    private let wakeEnds: (read: Int32, write: Int32)
    private var listener: Int32
    private var clients: [Int32] = []

    init(port: UInt16) throws(SystemError) {
        guard let context = modbus_new_tcp("127.0.0.1", Int32(port)) else { throw SystemError("no server", errno) }
        listener = modbus_tcp_listen(context, 16)
        guard listener >= 0 else {
            let code = errno
            modbus_free(context)
            throw SystemError("cannot listen on port \(port)", code)
        }
        var ends: [Int32] = [-1, -1]
        guard pipe(&ends) == 0 else { throw SystemError("no pipe", errno) }
        for end in ends {
            _ = fcntl(end, F_SETFD, FD_CLOEXEC)
            _ = fcntl(end, F_SETFL, O_NONBLOCK)
        }
        self.context = context
        wakeEnds = (ends[0], ends[1])
        self.port = try FreePort.port(of: listener)
        // A client that sends half a request must not hold the others for long.
        modbus_set_byte_timeout(context, 0, 200_000)
    }

    deinit {
        for descriptor in [listener, wakeEnds.read, wakeEnds.write] + clients where descriptor >= 0 {
            close(descriptor)
        }
        // The last client's descriptor is still in the context: it must not be closed a second time.
        modbus_set_socket(context, -1)
        modbus_free(context)
    }

    func startThread() throws(SystemError) {
        var thread = pthread_t()
        let retained = Unmanaged.passRetained(self)
        let code = pthread_create(&thread, nil, serveHouse, retained.toOpaque())
        guard code == 0 else {
            retained.release()
            throw SystemError("no thread", code)
        }
        pthread_detach(thread)
    }

    func wake() {
        var byte: UInt8 = 1
        _ = write(wakeEnds.write, &byte, 1)
    }

    func requestStop() {
        shared.withLock { $0.stop = true }
        wake()
    }

    func ended() async {
        await withCheckedContinuation { continuation in
            let already = shared.withLock { shared in
                if !shared.ended { shared.waiters.append(continuation) }
                return shared.ended
            }
            if already { continuation.resume() }
        }
    }

    // MARK: The thread

    fileprivate func serve() {
        while true {
            var polled = ([listener, wakeEnds.read] + clients).map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
            _ = poll(&polled, nfds_t(polled.count), -1)
            if polled[1].revents != 0 {
                var bytes: UInt64 = 0
                while read(wakeEnds.read, &bytes, 8) > 0 {}
            }
            let (stop, drop) = shared.withLock { shared in
                defer { shared.drop = false }
                return (shared.stop, shared.drop)
            }
            if stop || drop {
                for client in clients { close(client) }
                clients = []
            }
            if stop { break }
            if drop { continue }
            for ready in polled[2...] where ready.revents != 0 && !answer(ready.fd) {
                close(ready.fd)
                clients.removeAll { $0 == ready.fd }
            }
            if polled[0].revents != 0 { accept() }
        }
        close(listener)
        listener = -1
        let waiters = shared.withLock { shared in
            shared.ended = true
            defer { shared.waiters = [] }
            return shared.waiters
        }
        for waiter in waiters { waiter.resume() }
    }

    private func accept() {
        let client = modbus_tcp_accept(context, &listener)
        guard client >= 0 else { return }
        clients.append(client)
        shared.withLock { $0.accepted += 1 }
    }

    /// Answers one request; false when the connection is to be closed.
    private func answer(_ client: Int32) -> Bool {
        modbus_set_socket(context, client)
        var query = [UInt8](repeating: 0, count: Int(MODBUS_TCP_MAX_ADU_LENGTH))
        let length = modbus_receive(context, &query)
        if length < 0 { return false }
        if length == 0 { return true }  // for another unit, as libmodbus sees it
        let unit = query[6]
        // The lock is held while the answer is put together, so that no block is torn.
        return shared.withLock { shared in
            shared.requests += 1
            switch shared.faults[unit] {
            case .hangUp: return false
            case .silent: return true
            case .exception(let exception):
                return modbus_reply_exception(context, query, UInt32(exception.rawValue)) >= 0
            case nil: break
            }
            guard let image = shared.units[unit] else {
                let silent = ModbusException.gatewayTargetSilent
                return modbus_reply_exception(context, query, UInt32(silent.rawValue)) >= 0
            }
            return modbus_reply(context, query, length, image.mapping) >= 0
        }
    }
}

/// A free function: a closure literal could inherit an actor's isolation and abort on this thread.
private func serveHouse(_ pointer: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let pointer else { return nil }
    Unmanaged<ModbusHouse>.fromOpaque(pointer).takeRetainedValue().serve()
    return nil
}
