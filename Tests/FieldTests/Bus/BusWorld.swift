import Foundation
import Modbus
import Simulation
import Testing

/// Units on a real bus, and what a plan over them brings.
struct BusWorld {
    enum Wire: String, CaseIterable, CustomTestStringConvertible {
        case tcp, serial

        var testDescription: String { rawValue }
    }

    let server: ModbusServer
    let line: SerialLine?
    let bus: ModbusBus

    /// Register `a` of unit `u` holds `u << 8 | a + 1`, so that no word can pass for another's.
    init(
        _ wire: Wire, units: Range<UInt8> = 1..<3, baud: Int = 115_200, isPaced: Bool = false,
        options: ModbusOptions = ModbusOptions(responseTimeout: 250)
    ) throws {
        server = try ModbusServer()
        for unit in units {
            server.addUnit(unit, input: 0..<200)
            server.setWords(unit: unit, function: .input, address: 0, words: (0..<200).map { Self.word(unit, $0) })
        }
        if wire == .serial {
            let path = NSTemporaryDirectory() + "/line-" + UUID().uuidString
            line = try SerialLine(to: server, at: path, baud: baud, isPaced: isPaced)
        } else {
            line = nil
        }
        bus = try ModbusBus(line?.address ?? server.address, options: options)
    }

    static func word(_ unit: UInt8, _ address: Int) -> UInt16 { UInt16(unit) << 8 | UInt16(address + 1) }

    func end() async {
        await bus.close()
        await line?.stop()
        await server.stop()
    }

    /// Two blocks of one shape, so that a late answer to the one could pass for the other's.
    static func plan(_ units: Range<UInt8>, period: Int64 = 20_000) -> BusPlan {
        BusPlan(
            units: units.map {
                .init(unit: $0, groups: [.init(period: period, blocks: [.init(0..<10), .init(100..<110)])])
            })
    }

    /// Results until `isEnough`; the words in them are checked.
    func results(
        of plan: BusPlan, until isEnough: ([GroupResult]) async throws -> Bool
    ) async throws -> [GroupResult] {
        var all: [GroupResult] = []
        for await batch in bus.results(of: plan) {
            for result in batch {
                for part in result.parts {
                    guard case .success(let words) = part.result else { continue }
                    let right = part.range.map { Self.word(plan.units[result.unit].unit, $0) }
                    #expect(words == right || words.allSatisfy { $0 == 0 }, "words of another place")
                }
            }
            all += batch
            if try await isEnough(all) { break }
        }
        return all
    }
}

extension [GroupResult] {
    /// Of one unit, by its index: what each read brought, `words` or the cause.
    func story(of unit: Int) -> [String] {
        filter { $0.unit == unit }.map { result in
            result.parts.map { part in
                switch part.result {
                case .success(let words): words.allSatisfy { $0 == 0 } ? "zeros" : "words"
                case .failure(.exception(let exception)): "\(exception)"
                case .failure(.timeout): "time-out"
                case .failure(.badAnswer): "damaged"
                case .failure(.connectionLost): "lost"
                case .failure(.cannotConnect): "no bus"
                case .failure: "other"
                }
            }.joined(separator: ", ")
        }
    }
}
