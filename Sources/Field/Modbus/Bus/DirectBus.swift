import Glibc
import Threads

/// A bus for a program that has nothing else to do: each read blocks its caller. Whoever reads by a plan, or beside
/// others, takes `ModbusBus`.
public final class DirectBus {
    public let address: BusAddress
    private var connection: BusConnection
    private let pipe: WakePipe
    private var free: Int64 = 0

    public init(_ address: BusAddress, connectTimeout: Int = 3_000) throws(SystemError) {
        pipe = try WakePipe()
        self.address = address
        connection = BusConnection(address, connectTimeout: connectTimeout, switchesRS485: false)
    }

    /// One attempt; `timeout` in ms from the request's last byte to the answer's first.
    public func read(_ request: ModbusRequest, timeout: Int) -> Result<[UInt16], ModbusError.Cause> {
        let timing = LineTiming(address)
        let wait = free - monotonicMicroseconds()
        if wait > 0 { usleep(UInt32(min(wait, 1_000_000))) }
        let limit = timing.duration(of: request) * 5 / 4 + Int64(timeout) * 1_000
        let result = connection.exchange(request, timeout: limit, interrupt: pipe.readEnd) { false }
        free = monotonicMicroseconds() + timing.gap
        return result
    }

    /// Leaves the line to others.
    public func close() {
        connection.close()
    }
}
