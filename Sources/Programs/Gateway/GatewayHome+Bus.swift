import API
import APITypes
import Intake
import Modbus

extension GatewayHome: BusView {
    func buses() async -> [BusAnswer] {
        buses.map { source in
            let report = source.bus.report
            let units = zip(report.units, source.targets).map { unit, target in
                BusAnswer.Unit(
                    device: target.name, unit: unit.unit, requests: unit.counters.requests,
                    answers: unit.counters.answers, exceptions: unit.counters.exceptions,
                    timeouts: unit.counters.timeouts, damaged: unit.counters.damaged, retries: unit.counters.retries,
                    busy: unit.counters.busy, latencyMedian: unit.latencyMedian, latencyHigh: unit.latencyHigh,
                    timeout: unit.timeout, quarantineStep: unit.quarantineStep, nextAttempt: unit.nextAttempt,
                    refused: unit.refused)
            }
            return BusAnswer(
                bus: source.name, requests: report.total.requests, errors: report.total.errors,
                utilization: report.utilization, connects: report.connects, strangers: report.strangers,
                trouble: report.trouble, note: report.note, units: units)
        }
    }

    func read(_ question: RegisterQuestion) async throws -> RegisterAnswer {
        let wanted: BusAddress
        do throws(BusAddress.ParseError) {
            wanted = try BusAddress(question.bus)
        } catch {
            throw Problem.badRequest("\(error)")
        }
        guard let source = buses.first(where: { $0.bus.address.isSameWire(as: wanted) }) else {
            throw Problem.notFound("\(wanted) is none of this gateway's buses")
        }
        do throws(ModbusError) {
            let words = try await source.bus.read(
                unit: UInt8(clamping: question.unit), function: question.function == 4 ? .input : .holding,
                address: UInt16(clamping: question.address), count: question.count, timeout: question.timeout)
            return RegisterAnswer(words: words)
        } catch {
            if case .badRequest(let problem) = error.cause { throw Problem.badRequest(problem) }
            return RegisterAnswer(kind: error.cause.kind, error: "\(error)")
        }
    }
}
