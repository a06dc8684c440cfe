import CModbus
import Glibc
import Modbus
import Threads

/// libmodbus' server side between the two ends of a socket: a request goes in, the bytes of its answer come out.
final class AnswerMaker: @unchecked Sendable {
    // Unchecked: used with the lock of `ModbusUnits` held only.

    enum Wire: Hashable {
        case tcp, serial

        /// Bytes before the unit.
        var header: Int { self == .tcp ? 6 : 0 }
    }

    private let wire: Wire
    private let context: OpaquePointer
    private let ends: (inner: Int32, outer: Int32)

    init(_ wire: Wire) throws(SystemError) {
        self.wire = wire
        let made = wire == .tcp ? modbus_new_tcp("127.0.0.1", 0) : modbus_new_rtu("/dev/null", 9_600, 78, 8, 1)
        guard let made else { throw SystemError("no server", errno) }
        var pair: [Int32] = [-1, -1]
        guard socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue) | Int32(SOCK_CLOEXEC.rawValue), 0, &pair) == 0 else {
            let code = errno
            modbus_free(made)
            throw SystemError("no socket", code)
        }
        context = made
        ends = (pair[0], pair[1])
        modbus_set_socket(made, pair[0])
    }

    deinit {
        close(ends.inner)
        close(ends.outer)
        modbus_set_socket(context, -1)
        modbus_free(context)
    }

    func answer(_ request: [UInt8], _ registers: UnsafeMutablePointer<modbus_mapping_t>) -> [UInt8] {
        make(request) { modbus_reply(context, $0, $1, registers) }
    }

    func exception(_ request: [UInt8], _ exception: ModbusException) -> [UInt8] {
        make(request) { query, _ in modbus_reply_exception(context, query, UInt32(exception.rawValue)) }
    }

    /// Empty where libmodbus has nothing to say to such a request: on a serial line one with a wrong checksum.
    private func make(_ request: [UInt8], _ reply: (UnsafePointer<UInt8>, Int32) -> Int32) -> [UInt8] {
        modbus_set_slave(context, Int32(request[wire.header]))
        guard write(ends.outer, request, request.count) == request.count else { return [] }
        var query = [UInt8](repeating: 0, count: Int(MODBUS_TCP_MAX_ADU_LENGTH))
        let length = modbus_receive(context, &query)
        var answer = [UInt8](repeating: 0, count: 512)
        guard length > 0, reply(query, length) >= 0 else {
            // What it did not read of a bad request must not be the next one's.
            while recv(ends.inner, &answer, answer.count, Int32(MSG_DONTWAIT)) > 0 {}
            return []
        }
        let count = recv(ends.outer, &answer, answer.count, Int32(MSG_DONTWAIT))
        return count > 0 ? Array(answer[..<count]) : []
    }
}
