import CModbus
import Glibc
import Synchronization

/// The house's SDM630 on Modbus TCP, through libmodbus' server side, on 127.0.0.1 only.
///
/// As strict as the meter: function 4, unit 1, even addresses, even counts, at most 80 registers a request; anything
/// else is an exception. One thread of its own serves up to `maximumClients` connections in turn.
package final class MeterServer: Sendable {
    package struct Failure: Error, CustomStringConvertible {
        package let description: String

        init(_ place: String) {
            description = "Modbus server, \(place): \(String(cString: modbus_strerror(errno)))"
        }
    }

    static let maximumClients = 32

    /// The port that was chosen.
    package let port: UInt16
    private let registers: RegisterImage
    /// Written to by `stop`, read by the thread.
    private let wake: Int32
    private let thread: pthread_t

    /// Listens on `port`, or on a free one for 0, and starts the thread.
    package init(_ house: House, port: UInt16 = 0) throws(Failure) {
        registers = RegisterImage(SDM630.inputRegisters(house))
        var pipes: [Int32] = [-1, -1]
        guard pipe(&pipes) == 0 else { throw Failure("pipe") }
        for end in pipes { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
        let loop: MeterServerLoop
        do {
            loop = try MeterServerLoop(port: port, wake: pipes[0], registers: registers)
        } catch {
            Glibc.close(pipes[0])
            Glibc.close(pipes[1])
            throw error
        }
        self.port = loop.port
        wake = pipes[1]
        var thread = pthread_t()
        let context = Unmanaged.passRetained(loop)
        guard pthread_create(&thread, nil, serveMeter, context.toOpaque()) == 0 else {
            context.release()
            Glibc.close(pipes[1])
            throw Failure("thread")
        }
        self.thread = thread
    }

    /// Shows what the house's meter shows now. Any thread.
    package func update(_ house: House) {
        registers.set(SDM630.inputRegisters(house))
    }

    /// Closes all connections and returns when the thread has ended; to be called once.
    package func stop() {
        Glibc.close(wake)
        pthread_join(thread, nil)
    }
}

/// The image that readers see: replaced as a whole, so that no request gets half of an instant.
final class RegisterImage: Sendable {
    private let words: Mutex<[UInt16]>

    init(_ words: [UInt16]) {
        self.words = Mutex(words)
    }

    func set(_ new: [UInt16]) {
        words.withLock { $0 = new }
    }

    var current: [UInt16] { words.withLock { $0 } }
}

/// Runs on the server's thread.
private func serveMeter(_ context: UnsafeMutableRawPointer?) -> UnsafeMutableRawPointer? {
    guard let context else { return nil }
    Unmanaged<MeterServerLoop>.fromOpaque(context).takeRetainedValue().serve()
    return nil
}

/// What only the server's thread touches.
private final class MeterServerLoop {
    let port: UInt16
    private let context: OpaquePointer
    private let mapping: UnsafeMutablePointer<modbus_mapping_t>
    private let listener: Int32
    private let wake: Int32
    private let registers: RegisterImage
    private var clients: [Int32] = []

    init(port: UInt16, wake: Int32, registers: RegisterImage) throws(MeterServer.Failure) {
        self.wake = wake
        self.registers = registers
        guard let context = modbus_new_tcp("127.0.0.1", Int32(port)) else { throw .init("context") }
        self.context = context
        guard let mapping = modbus_mapping_new(0, 0, 0, Int32(SDM630.wordCount)) else {
            modbus_free(context)
            throw .init("registers")
        }
        self.mapping = mapping
        listener = modbus_tcp_listen(context, Int32(MeterServer.maximumClients))
        guard listener >= 0 else {
            let failure = MeterServer.Failure("port \(port)")
            modbus_mapping_free(mapping)
            modbus_free(context)
            throw failure
        }
        _ = fcntl(listener, F_SETFD, FD_CLOEXEC)
        var address = sockaddr_in()
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listener = listener
        let asked = withUnsafeMutableBytes(of: &address) { bytes in
            getsockname(listener, bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self), &length)
        }
        self.port = asked == 0 ? UInt16(bigEndian: address.sin_port) : port
    }

    deinit {
        for client in clients { Glibc.close(client) }
        Glibc.close(listener)
        Glibc.close(wake)
        modbus_mapping_free(mapping)
        modbus_free(context)
    }

    /// Until the other end of `wake` is closed.
    func serve() {
        while true {
            var polled = ([wake, listener] + clients).map { pollfd(fd: $0, events: Int16(POLLIN), revents: 0) }
            if poll(&polled, nfds_t(polled.count), -1) < 0 {
                if errno == EINTR { continue }
                return
            }
            if polled[0].revents != 0 { return }
            for entry in polled.dropFirst(2) where entry.revents != 0 {
                if !answer(entry.fd) {
                    Glibc.close(entry.fd)
                    clients.removeAll { $0 == entry.fd }
                }
            }
            if polled[1].revents != 0 { admit() }
        }
    }

    private func admit() {
        let client = accept(listener, nil, nil)
        guard client >= 0 else { return }
        _ = fcntl(client, F_SETFD, FD_CLOEXEC)
        if clients.count >= MeterServer.maximumClients {
            Glibc.close(client)
        } else {
            clients.append(client)
        }
    }

    /// Reads one request and replies; false when the connection is over.
    private func answer(_ client: Int32) -> Bool {
        modbus_set_socket(context, client)
        var request = [UInt8](repeating: 0, count: Int(MODBUS_TCP_MAX_ADU_LENGTH))
        let length = modbus_receive(context, &request)
        guard length >= 0 else { return false }
        // Header of seven bytes, the last of them the unit; then function, address, count.
        guard length >= 12 else { return true }
        let address = Int(request[8]) << 8 | Int(request[9])
        let count = Int(request[10]) << 8 | Int(request[11])
        if request[6] != SDM630.unit {
            return refuse(request, MODBUS_EXCEPTION_GATEWAY_TARGET)
        }
        if request[7] != UInt8(MODBUS_FC_READ_INPUT_REGISTERS) {
            return refuse(request, MODBUS_EXCEPTION_ILLEGAL_FUNCTION)
        }
        if address % 2 != 0 || count % 2 != 0 || count > SDM630.maximumCount {
            return refuse(request, MODBUS_EXCEPTION_ILLEGAL_DATA_ADDRESS)
        }
        for (index, word) in registers.current.enumerated() { mapping.pointee.tab_input_registers[index] = word }
        return modbus_reply(context, request, length, mapping) >= 0
    }

    private func refuse(_ request: [UInt8], _ exception: some BinaryInteger) -> Bool {
        modbus_reply_exception(context, request, UInt32(exception)) >= 0
    }
}
