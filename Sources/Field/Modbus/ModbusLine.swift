import CModbus
import Glibc

/// One `modbus_t`, which is not thread-safe: confined to the actor that holds it.
///
/// **Late answers.** After a time-out the answer may still come and must not be taken for the next one. Before the
/// next request what has arrived is thrown away. On TCP an answer that comes later still has the wrong transaction
/// number; then the connection is opened afresh and the request is made once more. A unit that never answers
/// therefore costs its neighbours no reconnection.
struct ModbusLine: ~Copyable {
    private let address: BusAddress
    private let options: ModbusOptions
    private var context: OpaquePointer?
    private var afterError = false
    private(set) var connects = 0

    init(address: BusAddress, options: ModbusOptions) {
        self.address = address
        self.options = options
    }

    deinit {
        Self.free(context)
    }

    mutating func close() {
        Self.free(context)
        context = nil
    }

    /// Opens the bus where needed, and reads.
    mutating func read(_ request: ModbusRequest) -> Result<[UInt16], ModbusError.Cause.Failure> {
        guard (1...Int(MODBUS_MAX_READ_REGISTERS)).contains(request.count) else {
            return .failure(.init(cause: .badRequest("a read takes 1 to \(MODBUS_MAX_READ_REGISTERS) registers")))
        }
        guard Int(request.address) + request.count <= 65_536 else {
            return .failure(.init(cause: .badRequest("the block ends beyond register 65535")))
        }
        let mayBeLate = afterError
        let result = attempt(request)
        guard mayBeLate, case .tcp = address, case .failure(let failure) = result,
            case .badAnswer = failure.cause
        else { return result }
        close()
        return attempt(request)
    }

    private mutating func attempt(_ request: ModbusRequest) -> Result<[UInt16], ModbusError.Cause.Failure> {
        if let failure = open() { return .failure(.init(cause: .cannotConnect(failure))) }
        guard let context else { return .failure(.init(cause: .closed)) }
        if afterError { modbus_flush(context) }
        guard modbus_set_slave(context, Int32(request.unit)) == 0 else {
            return .failure(.init(cause: .badRequest("unit \(request.unit) is not one that this bus can address")))
        }
        var count: Int32 = -1
        var code: Int32 = 0
        let words = [UInt16](unsafeUninitializedCapacity: request.count) { buffer, filled in
            buffer.initialize(repeating: 0)
            let (start, length) = (Int32(request.address), Int32(request.count))
            count =
                switch request.function {
                case .holding: modbus_read_registers(context, start, length, buffer.baseAddress)
                case .input: modbus_read_input_registers(context, start, length, buffer.baseAddress)
                }
            code = errno
            filled = buffer.count
        }
        afterError = Int(count) != request.count
        if !afterError { return .success(words) }
        let cause = count >= 0 ? .badAnswer("\(count) registers") : cause(of: code)
        switch cause {
        case .connectionLost: close()
        case .exception: afterError = false
        default: break
        }
        return .failure(.init(cause: cause))
    }

    private func cause(of code: Int32) -> ModbusError.Cause {
        let exception = code &- Int32(MODBUS_ENOBASE)
        if let code = UInt8(exactly: exception), let exception = ModbusException(rawValue: code) {
            return .exception(exception)
        }
        if code == ETIMEDOUT { return .timeout(milliseconds: options.responseTimeout) }
        return exception > 0 ? .badAnswer(Self.text(code)) : .connectionLost(Self.text(code))
    }

    // MARK: Opening

    /// Nil when the bus is open, else why it could not be opened. Bounded by the connect time-out for each address
    /// of a name, and by the system's resolver.
    private mutating func open() -> String? {
        if context != nil { return nil }
        guard Self.selectCanWatchOneMore() else { return "too many files are open in this process" }
        let made: OpaquePointer? =
            switch address {
            case .tcp(let host, let port): modbus_new_tcp_pi(host, String(port))
            case .rtu(let path, let baud, let parity, let stopBits):
                modbus_new_rtu(path, Int32(baud), parity.letter, 8, Int32(stopBits))
            }
        guard let made else { return Self.text(errno) }
        Self.setTimeout(options.connectTimeout, modbus_set_response_timeout, made)
        errno = 0
        guard modbus_connect(made) == 0 else {
            let code = errno
            modbus_free(made)
            // libmodbus resolves the name itself and keeps what the resolver said to itself.
            return code == 0 ? "unknown host" : Self.connectText(code, options.connectTimeout)
        }
        Self.setTimeout(options.responseTimeout, modbus_set_response_timeout, made)
        // Zero makes the response time-out bound the whole answer: a device that dribbles cannot hold the bus.
        modbus_set_byte_timeout(made, 0, 0)
        if case .tcp = address {
            var on: Int32 = 1
            let size = socklen_t(MemoryLayout<Int32>.size)
            // libmodbus sets it for IPv4 only.
            setsockopt(modbus_get_socket(made), Int32(IPPROTO_TCP), TCP_NODELAY, &on, size)
        }
        context = made
        afterError = false
        connects += 1
        return nil
    }

    /// libmodbus waits with select(2), which writes out of bounds for descriptors of 1024 and more.
    private static func selectCanWatchOneMore() -> Bool {
        let probe = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard probe >= 0 else { return false }
        Glibc.close(probe)
        return probe < 1_020
    }

    private static func setTimeout(
        _ milliseconds: Int, _ set: (OpaquePointer?, UInt32, UInt32) -> Int32, _ context: OpaquePointer
    ) {
        _ = set(context, UInt32(milliseconds / 1_000), UInt32(milliseconds % 1_000) * 1_000)
    }

    private static func free(_ context: OpaquePointer?) {
        guard let context else { return }
        modbus_close(context)
        modbus_free(context)
    }

    private static func connectText(_ code: Int32, _ timeout: Int) -> String {
        code == ETIMEDOUT ? "no answer within \(timeout) ms" : text(code)
    }

    private static func text(_ code: Int32) -> String {
        modbus_strerror(code).map { String(cString: $0) } ?? "error \(code)"
    }
}

extension BusAddress.Parity {
    /// As libmodbus wants it.
    fileprivate var letter: CChar {
        switch self {
        case .none: 78
        case .even: 69
        case .odd: 79
        }
    }
}

extension ModbusError.Cause {
    /// A cause on its way to the error that also names bus and request.
    struct Failure: Error {
        let cause: ModbusError.Cause
    }
}
