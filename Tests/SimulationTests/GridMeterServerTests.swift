import Glibc
import Simulation
import Testing
import Threads
import Timekeeping

/// A Modbus TCP client of a dozen lines, so that the server is not tested with the library it is built on.
private final class Client {
    private let descriptor: Int32

    init(port: UInt16) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        try #require(descriptor >= 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = inet_addr("127.0.0.1")
        // A server that hangs must fail the test, not stop it.
        var patience = timeval(tv_sec: 10, tv_usec: 0)
        setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
        let connected = withUnsafeBytes(of: &address) { bytes in
            connect(
                descriptor, bytes.baseAddress?.assumingMemoryBound(to: sockaddr.self), socklen_t(bytes.count))
        }
        try #require(connected == 0)
    }

    deinit { close(descriptor) }

    /// The answer without its header of seven bytes: function, then byte count and data, or an exception's code.
    func ask(unit: UInt8 = 1, function: UInt8 = 4, address: UInt16, count: UInt16) throws -> [UInt8] {
        let request: [UInt8] = [
            0x12, 0x34, 0, 0, 0, 6, unit, function, UInt8(address >> 8), UInt8(address & 255), UInt8(count >> 8),
            UInt8(count & 255),
        ]
        try #require(write(descriptor, request, request.count) == request.count)
        let header = try read(7)
        #expect(Array(header[0..<4]) == [0x12, 0x34, 0, 0])
        #expect(header[6] == unit)
        return try read((Int(header[4]) << 8 | Int(header[5])) - 1)
    }

    private func read(_ count: Int) throws -> [UInt8] {
        var bytes = [UInt8](repeating: 0, count: count)
        try #require(recv(descriptor, &bytes, count, Int32(MSG_WAITALL)) == count)
        return bytes
    }
}

@Suite struct GridMeterServerTests {
    @Test func `a client reads the registers of the house as it is now`() throws {
        var house = house(seed: 3)
        house.advance(to: midsummer + Span.hour)
        let server = try ModbusServer()
        server.addGridMeter(of: house)
        let first = try Client(port: server.port)
        let second = try Client(port: server.port)
        for client in [first, second] {
            let words = SDM630.inputRegisters(house)
            let answer = try client.ask(address: 0x34, count: 24)
            #expect(answer.prefix(2) == [4, 48])
            let read = (0..<24).map { UInt16(answer[2 + 2 * $0]) << 8 | UInt16(answer[3 + 2 * $0]) }
            #expect(read == Array(words[0x34..<0x34 + 24]))
            house.advance(to: house.time + Span.hour)
            server.show(house)
        }
    }

    @Test func `what the meter would refuse is refused, and the connection goes on`() throws {
        let server = try ModbusServer()
        server.addGridMeter(of: house(seed: 3))
        let client = try Client(port: server.port)
        #expect(try client.ask(address: 1, count: 2) == [0x84, 2])
        #expect(try client.ask(address: 0, count: 3) == [0x84, 2])
        #expect(try client.ask(address: 0, count: 82) == [0x84, 2])
        #expect(try client.ask(function: 3, address: 0, count: 2) == [0x83, 1])
        #expect(try client.ask(unit: 2, address: 0, count: 2) == [0x84, 11])
        #expect(try client.ask(address: 0x15A, count: 30).count == 62)
    }

    @Test func `a port that is taken is an error in words`() throws {
        let server = try ModbusServer()
        server.addGridMeter(of: house(seed: 3))
        #expect(throws: SystemError.self) { try ModbusServer(port: server.port) }
    }
}
