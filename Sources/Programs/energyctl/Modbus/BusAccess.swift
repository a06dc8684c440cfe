import ArgumentParser
import JSONScanner
import Modbus

/// The bus that a command is about.
struct BusOptions: ParsableArguments {
    @Argument(help: ArgumentHelp("tcp://host:502, or rtu:/dev/ttyUSB0?baud=9600&parity=none&stop=1.", valueName: "bus"))
    var bus: String

    @Option(help: ArgumentHelp("How long a device may take to answer.", valueName: "ms"))
    var wait = 1_000

    @OptionGroup var connection: ConnectionOptions

    func validate() throws {
        guard (10...60_000).contains(wait) else { throw ValidationError("--wait must be 10 to 60000 ms") }
        do throws(BusAddress.ParseError) {
            _ = try BusAddress(bus)
        } catch {
            throw ValidationError("\(error)")
        }
    }
}

/// Reads registers: through energyd where it owns the bus, which only one can, and else on its own.
final class BusAccess {
    /// Why there are no words.
    struct Refusal: Error {
        enum Kind: String {
            case exception, timeout, damaged, unreachable
        }

        let kind: Kind
        let text: String
        /// Nil when it was not an exception, or its number is not known.
        var isAbsence: Bool { kind == .timeout || text.contains("gateway") }
    }

    private enum Way {
        case daemon(DaemonClient, bus: String)
        case direct(DirectBus)
    }

    let address: BusAddress
    private let way: Way

    init(_ options: BusOptions) throws {
        do throws(BusAddress.ParseError) {
            address = try BusAddress(options.bus)
        } catch {
            throw Failure(.usage, "\(error)")
        }
        way = try BusAccess.way(address, options.connection)
    }

    /// One more of the same line at another speed; never through energyd.
    init(direct address: BusAddress) throws {
        self.address = address
        way = .direct(try DirectBus(address))
    }

    var isThroughDaemon: Bool { if case .daemon = way { true } else { false } }

    private static func way(_ address: BusAddress, _ options: ConnectionOptions) throws -> Way {
        let client = try DaemonClient(options)
        do {
            let answer = try JSONDocument(answer: client.get("/v1/buses"))
            for bus in answer.root.elements.compactMap({ $0["bus"]?.string() }) {
                if let owned = try? BusAddress(bus), owned.isSameWire(as: address) { return .daemon(client, bus: bus) }
            }
        } catch let failure as Failure where [.unreachable, .permission, .notFound].contains(failure.status) {
            // No energyd, or none that is ours to ask: the line itself will say if somebody has it.
        }
        return .direct(try DirectBus(address))
    }

    func read(_ request: ModbusRequest, wait: Int) throws -> Result<[UInt16], Refusal> {
        if let problem = request.problem(on: address) { throw Failure(.usage, problem) }
        switch way {
        case .direct(let bus):
            return bus.read(request, timeout: wait).mapError { cause in
                let error = ModbusError(bus: address, request: request, cause: cause)
                return Refusal(kind: Refusal.Kind(rawValue: cause.kind) ?? .unreachable, text: "\(error)")
            }
        case .daemon(let client, let bus):
            let body = try client.get(
                "/v1/buses/read",
                [
                    ("bus", bus), ("unit", "\(request.unit)"), ("function", "\(request.function.rawValue)"),
                    ("address", "\(request.address)"), ("count", "\(request.count)"), ("timeout", "\(wait)"),
                ])
            let answer = try JSONDocument(answer: body).root
            if let words = answer["words"] {
                let read = words.elements.compactMap { UInt16(Column.machine($0)) }
                guard read.count == request.count else { throw Failure(.failed, "energyd's answer cannot be read") }
                return .success(read)
            }
            let kind = answer["kind"]?.string().flatMap(Refusal.Kind.init(rawValue:)) ?? .unreachable
            return .failure(Refusal(kind: kind, text: answer["error"]?.string() ?? "no answer"))
        }
    }

    func close() {
        if case .direct(let bus) = way { bus.close() }
    }
}

extension BusAccess.Refusal {
    /// Ends the program with it.
    var failure: Failure {
        switch kind {
        case .timeout: Failure(.timeout, text)
        case .unreachable: Failure(.unreachable, text)
        case .exception, .damaged: Failure(.failed, text)
        }
    }
}
