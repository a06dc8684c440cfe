import CModbus
import Glibc
import Modbus
import Synchronization
import Threads

/// A serial line to a server's units: a pseudo-terminal under a name that stays while the terminal comes and goes, as
/// an adapter's does. Paced by the line's rate, byte by byte.
public final class SerialLine: @unchecked Sendable {
    // Unchecked: all that changes belongs to the thread.

    public let path: String
    public let address: BusAddress
    private let units: ModbusUnits
    private let timing: LineTiming
    private let isPaced: Bool
    private let thread: ServerThread
    private var master: Int32 = -1
    /// Held open, so that the line does not look hung up while no client is there.
    private var slave: Int32 = -1
    private var incoming: [UInt8] = []
    /// Bytes by the instant at which they are through.
    private var outgoing: [(due: Int64, byte: UInt8)] = []
    /// When each unit is through with its last answer: a meter does one thing after the other.
    private var busyUntil: [UInt8: Int64] = [:]

    /// Makes the line and its name, which must not exist.
    ///
    /// - Parameter isPaced: without it bytes take no time.
    public init(
        to server: ModbusServer, at path: String, baud: Int = 9_600, isPaced: Bool = true
    ) throws(SystemError) {
        self.path = path
        address = .rtu(path: path, baud: baud, parity: .none, stopBits: 1)
        timing = LineTiming(address)
        self.isPaced = isPaced
        units = server.units
        thread = try ServerThread()
        try open()
        try thread.start { self.serve() }
    }

    /// The adapter is pulled out, whatever is under way.
    public func unplug() async {
        await thread.perform { self.shut() }
    }

    /// The adapter is there again, under its old name.
    public func plug() async throws(SystemError) {
        let failure = Mutex<SystemError?>(nil)
        await thread.perform {
            do throws(SystemError) {
                try self.open()
            } catch {
                failure.withLock { $0 = error }
            }
        }
        if let failure = failure.withLock({ $0 }) { throw failure }
    }

    /// Ends the line and removes its name.
    public func stop() async {
        thread.requestStop()
        await thread.ended()
    }

    // MARK: The thread

    private func open() throws(SystemError) {
        // <asm/ioctls.h>: the terminal's number, and its lock.
        let (getNumber, setLock): (UInt, UInt) = (0x8004_5430, 0x4004_5431)
        master = Glibc.open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK)
        guard master >= 0 else { throw SystemError("no pseudo-terminal", errno) }
        var (number, lock): (Int32, Int32) = (0, 0)
        guard ioctl(master, setLock, &lock) == 0, ioctl(master, getNumber, &number) == 0 else {
            throw SystemError("no pseudo-terminal", errno)
        }
        let terminal = "/dev/pts/\(number)"
        slave = Glibc.open(terminal, O_RDWR | O_NOCTTY | O_CLOEXEC)
        guard slave >= 0 else { throw SystemError(terminal, errno) }
        var settings = termios()
        tcgetattr(slave, &settings)
        cfmakeraw(&settings)
        tcsetattr(slave, TCSANOW, &settings)
        guard symlink(terminal, path) == 0 else { throw SystemError(path, errno) }
    }

    private func shut() {
        if master >= 0 { close(master) }
        if slave >= 0 { close(slave) }
        (master, slave) = (-1, -1)
        unlink(path)
        (incoming, outgoing, busyUntil) = ([], [], [:])
    }

    private func serve() {
        while !thread.isStopping {
            var polled = [
                pollfd(fd: thread.readEnd, events: Int16(POLLIN), revents: 0),
                pollfd(fd: master, events: Int16(POLLIN), revents: 0),
            ]
            let left = outgoing.first.map { max(0, $0.due - monotonicMicroseconds()) } ?? 3_600_000_000
            var time = timespec(tv_sec: Int(left / 1_000_000), tv_nsec: Int(left % 1_000_000) * 1_000)
            _ = modbus_ppoll(&polled, 2, &time, nil)
            if polled[0].revents != 0 {
                thread.attend()
                continue
            }
            if polled[1].revents != 0 { take() }
            sendDue()
        }
        shut()
    }

    private func take() {
        var buffer = [UInt8](repeating: 0, count: 256)
        let count = read(master, &buffer, buffer.count)
        guard count > 0 else { return }
        let arrived = monotonicMicroseconds()
        incoming += buffer[..<count]
        // All requests that are served have eight bytes.
        while incoming.count >= 8 {
            let request = Array(incoming.prefix(8))
            incoming.removeFirst(8)
            let reply = units.reply(to: request, .serial)
            guard !reply.bytes.isEmpty else { continue }
            let heard = arrived + (isPaced ? timing.duration(bytes: request.count) : 0)
            let begin = max(heard, busyUntil[request[0]] ?? 0) + reply.delay
            for (index, byte) in reply.bytes.enumerated() {
                outgoing.append((begin + (isPaced ? timing.duration(bytes: index + 1) : 0), byte))
            }
            busyUntil[request[0]] = outgoing[outgoing.count - 1].due
            outgoing.sort { $0.due < $1.due }
        }
    }

    private func sendDue() {
        let now = monotonicMicroseconds()
        let due = outgoing.prefix { $0.due <= now }.map(\.byte)
        guard !due.isEmpty else { return }
        _ = write(master, due, due.count)
        outgoing.removeFirst(due.count)
    }
}
