import Foundation
import Modbus
import Simulation
import Synchronization
import Testing

@Suite(.timeLimit(.minutes(2)))
struct ModbusBusTests {
    private static let quick = ModbusOptions(responseTimeout: 150, connectTimeout: 1_000)

    /// The cause of the error, or nil when there was none.
    private func cause(
        _ bus: ModbusBus, unit: UInt8 = 1, function: ModbusFunction = .input, address: UInt16 = 0, count: Int = 2
    ) async -> ModbusError.Cause? {
        do throws(ModbusError) {
            _ = try await bus.read(unit: unit, function: function, address: address, count: count)
            return nil
        } catch {
            return error.cause
        }
    }

    @Test func `sixty registers come in one block, from both register spaces`() async throws {
        let server = try ModbusServer()
        server.addUnit(1)
        let words = (0..<60).map { UInt16($0) &* 1_091 }
        server.setWords(unit: 1, function: .input, address: 10, words: words)
        server.setWords(unit: 1, function: .holding, address: 10, words: words.reversed())
        let bus = try ModbusBus(server.address)
        #expect(try await bus.read(unit: 1, function: .input, address: 10, count: 60) == words)
        #expect(try await bus.read(unit: 1, function: .holding, address: 10, count: 60) == words.reversed())
        #expect(server.requests == 2)
        let report = bus.report
        #expect(report.total.requests == 2 && report.total.errors == 0 && report.connects == 1)
        await server.stop()
    }

    @Test func `two units share an endpoint and one connection, in one plan`() async throws {
        let server = try ModbusServer()
        for unit in [UInt8(3), 7] {
            server.addUnit(unit, input: 0..<10)
            server.setWords(unit: unit, function: .input, address: 0, words: [UInt16(unit) * 100])
        }
        let bus = try ModbusBus(server.address)
        let plan = BusPlan(
            units: [
                .init(unit: 3, groups: [.init(period: 3_600_000_000, blocks: [.init(0..<1)])]),
                .init(unit: 7, groups: [.init(period: 3_600_000_000, blocks: [.init(0..<1), .init(10..<11)])]),
            ])
        var results: [GroupResult] = []
        for await batch in bus.results(of: plan) {
            results += batch
            if results.count == 2 { break }
        }
        #expect(results[0].parts.map(\.result) == [.success([300])])
        #expect(results[1].parts.map(\.result) == [.success([700]), .failure(.exception(.illegalDataAddress))])
        #expect(results.allSatisfy { $0.isThere })
        #expect(server.connections == 1)
        await server.stop()
    }

    @Test func `an exception is named, with the place, and the connection goes on`() async throws {
        let server = try ModbusServer()
        server.addUnit(1, input: 0..<10)
        let bus = try ModbusBus(server.address)
        do {
            _ = try await bus.read(unit: 1, function: .input, address: 8, count: 4)
            Issue.record("no error")
        } catch {
            #expect(
                "\(error)"
                    == "tcp://127.0.0.1:\(server.port) unit 1, 4 input registers from 8: "
                    + "the device answers “illegal data address”")
        }
        server.setFault(.exception(.deviceBusy), unit: 1)
        #expect(await cause(bus) == .exception(.deviceBusy))
        #expect(await cause(bus, unit: 99) == .exception(.gatewayTargetSilent))
        server.setFault(nil, unit: 1)
        #expect(await cause(bus) == nil)
        #expect(server.connections == 1)
        #expect(bus.report.total.exceptions == 3)
        await server.stop()
    }

    @Test func `a silent unit times out and costs its neighbour neither words nor connection`() async throws {
        let server = try ModbusServer()
        for unit in [UInt8(1), 2] { server.addUnit(unit) }
        server.setWords(unit: 2, function: .input, address: 0, words: [1, 2])
        server.setFault(.silent, unit: 1)
        let bus = try ModbusBus(server.address, options: Self.quick)
        #expect(await cause(bus) == .timeout(milliseconds: 150))
        #expect(try await bus.read(unit: 2, function: .input, address: 0, count: 2) == [1, 2])
        #expect(server.connections == 1)
        #expect(bus.report.total.timeouts == 1)
        await server.stop()
    }

    @Test func `a server that disappears and returns is found again`() async throws {
        let server = try ModbusServer()
        server.addUnit(1)
        let bus = try ModbusBus(server.address, options: Self.quick)
        #expect(await cause(bus) == nil)
        await server.stop()
        guard case .connectionLost = await cause(bus) else {
            Issue.record("the loss is not noticed")
            return
        }
        #expect(await cause(bus) == .cannotConnect("Connection refused"))
        for _ in 0..<3 { #expect(await cause(bus) != nil) }

        let again = try ModbusServer(port: server.port)
        again.addUnit(1)
        again.setWords(unit: 1, function: .input, address: 0, words: [9, 8])
        #expect(try await bus.read(unit: 1, function: .input, address: 0, count: 2) == [9, 8])
        again.dropConnections()
        try await eventually("the dropped connection is replaced") { await cause(bus) == nil }
        again.setFault(.hangUp, unit: 1)
        guard case .connectionLost = await cause(bus) else {
            Issue.record("a connection that is hung up is lost")
            return
        }
        await again.stop()
    }

    @Test func `what Modbus cannot carry is refused before it is sent`() async throws {
        let server = try ModbusServer()
        let bus = try ModbusBus(server.address)
        for (address, count, unit) in [(0, 0, 1), (0, 126, 1), (65_535, 2, 1), (0, -1, 1), (0, 1, 250)] {
            guard
                case .badRequest = await cause(bus, unit: UInt8(unit), address: UInt16(address), count: count)
            else {
                Issue.record("\(count) from \(address) of unit \(unit) is not refused")
                continue
            }
        }
        #expect(server.requests == 0)
        await bus.close()
        #expect(await cause(bus) == .closed)
        await server.stop()
    }

    @Test func `a serial line that is not there is an error with its name`() async throws {
        let bus = try ModbusBus(BusAddress("rtu:/dev/no-such-line"))
        #expect(await cause(bus) == .cannotConnect("No such file or directory"))
    }

    @Test func `a host nobody knows is an error`() async throws {
        let bus = try ModbusBus(.tcp(host: "meter.invalid", port: 502), options: Self.quick)
        guard case .cannotConnect = await cause(bus) else {
            Issue.record("an unknown host is reached")
            return
        }
    }

    @Test func `waiting buses leave the cooperative pool free`() async throws {
        let server = try ModbusServer()
        server.addUnit(1)
        server.setFault(.silent, unit: 1)
        // More waiting buses than this machine has cores: on the cooperative pool nothing else could run.
        let buses = try (0..<8 + ProcessInfo.processInfo.activeProcessorCount).map { _ in
            try ModbusBus(server.address, options: ModbusOptions(responseTimeout: 60_000))
        }
        let answered = AnswerCount()
        await withTaskGroup(of: Void.self) { group in
            for bus in buses {
                group.addTask {
                    let failure = await cause(bus)
                    #expect(failure != nil)
                    answered.count.add(1, ordering: .relaxed)
                }
            }
            // The order of events tells, not a clock: these turns come while every bus still waits.
            for _ in 0..<100 { await Task.detached { await Task.yield() }.value }
            #expect(answered.count.load(ordering: .relaxed) == 0)
            await server.stop()
        }
        #expect(answered.count.load(ordering: .relaxed) == buses.count)
    }
}

/// Counted by many tasks at once.
private final class AnswerCount: Sendable {
    let count = Atomic(0)
}
