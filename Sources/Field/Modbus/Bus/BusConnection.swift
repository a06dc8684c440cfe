import CModbus
import Glibc

/// The open end of a bus; confined to the bus's thread.
///
/// libmodbus opens it: names, time-outs, the settings of the line. The words go over its descriptor directly, because
/// libmodbus takes the first frame that comes for the answer, wakes for every lump of bytes, and waits with select(2),
/// which knows 1,024 descriptors.
struct BusConnection: ~Copyable {
    let address: BusAddress
    let timing: LineTiming
    let connectTimeout: Int
    let switchesRS485: Bool
    private var context: OpaquePointer?
    var descriptor: Int32 = -1
    var transaction: UInt16 = 0
    /// Memory that is used again for each request and its answer.
    var outgoing: [UInt8] = []
    var incoming: [UInt8] = []
    var scratch = [UInt8](repeating: 0, count: 512)
    /// Times it was opened.
    private(set) var connects = 0
    /// Whole frames that answered something else.
    var strangers = 0
    /// What is worth knowing of the line.
    private(set) var note: String?

    init(_ address: BusAddress, connectTimeout: Int, switchesRS485: Bool) {
        self.address = address
        timing = LineTiming(address)
        self.connectTimeout = connectTimeout
        self.switchesRS485 = switchesRS485
    }

    deinit {
        Self.free(context)
    }

    mutating func close() {
        Self.free(context)
        context = nil
        descriptor = -1
        incoming = []
    }

    /// Nil when the bus is open, else why it could not be opened. Bounded by the connect time-out for each address
    /// of a name, and by the system's resolver.
    mutating func open() -> String? {
        if context != nil { return nil }
        guard Self.selectCanWatchOneMore() else { return "too many files are open in this process" }
        let made: OpaquePointer? =
            switch address {
            case .tcp(let host, let port): modbus_new_tcp_pi(host, String(port))
            case .rtu(let path, let baud, let parity, let stopBits):
                modbus_new_rtu(path, Int32(baud), parity.letter, 8, Int32(stopBits))
            }
        guard let made else { return Self.text(errno) }
        modbus_set_response_timeout(made, UInt32(connectTimeout / 1_000), UInt32(connectTimeout % 1_000) * 1_000)
        errno = 0
        guard modbus_connect(made) == 0 else {
            let code = errno
            modbus_free(made)
            // libmodbus resolves the name itself and keeps what the resolver said to itself.
            return code == 0 ? "unknown host" : connectText(code)
        }
        let opened = modbus_get_socket(made)
        if let failure = prepare(opened) {
            Self.free(made)
            return failure
        }
        context = made
        descriptor = opened
        connects += 1
        return nil
    }

    /// What libmodbus leaves undone.
    private mutating func prepare(_ opened: Int32) -> String? {
        _ = fcntl(opened, F_SETFD, FD_CLOEXEC)
        _ = fcntl(opened, F_SETFL, fcntl(opened, F_GETFL) | O_NONBLOCK)
        var on: Int32 = 1
        let size = socklen_t(MemoryLayout<Int32>.size)
        if case .tcp = address {
            // libmodbus sets it for IPv4 only.
            setsockopt(opened, Int32(IPPROTO_TCP), TCP_NODELAY, &on, size)
            setsockopt(opened, SOL_SOCKET, SO_KEEPALIVE, &on, size)
            return nil
        }
        // Two programs on one line would talk over each other. Others that use the line ask for this lock too.
        guard flock(opened, LOCK_EX | LOCK_NB) == 0 else { return "the line is in use by another program" }
        if switchesRS485 { note = RS485.switchOn(opened) }
        return nil
    }

    /// libmodbus waits for a connection with select(2), which writes out of bounds for descriptors of 1024 and more.
    private static func selectCanWatchOneMore() -> Bool {
        let probe = socket(AF_INET, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0)
        guard probe >= 0 else { return false }
        Glibc.close(probe)
        return probe < 1_020
    }

    private static func free(_ context: OpaquePointer?) {
        guard let context else { return }
        modbus_close(context)
        modbus_free(context)
    }

    private func connectText(_ code: Int32) -> String {
        code == ETIMEDOUT ? "no answer within \(connectTimeout) ms" : Self.text(code)
    }

    static func text(_ code: Int32) -> String {
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

/// The mode in which the driver of a serial port turns the line around by itself.
enum RS485 {
    // <linux/serial.h>, which the Glibc module leaves out.
    private static let get: UInt = 0x542E
    private static let set: UInt = 0x542F
    private static let enabled: UInt32 = 1
    private static let requestToSendOnSend: UInt32 = 2

    /// Returns what to tell about it. What the driver, or the board's device tree, has set already stays as it is.
    static func switchOn(_ descriptor: Int32) -> String {
        // struct serial_rs485: flags, two delays, and room.
        var state = [UInt32](repeating: 0, count: 16)
        guard ioctl(descriptor, get, &state) == 0 else {
            return "the driver has no RS-485 mode; the adapter has to turn the line around itself"
        }
        if state[0] & enabled != 0 { return "RS-485 mode was on already" }
        state[0] |= enabled | requestToSendOnSend
        guard ioctl(descriptor, set, &state) == 0 else {
            return "the driver refuses RS-485 mode: \(BusConnection.text(errno))"
        }
        return "RS-485 mode is on"
    }
}
