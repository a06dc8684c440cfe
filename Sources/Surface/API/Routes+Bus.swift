import APITypes
import Hummingbird

/// Reads registers of one bus of the home, beside what is read on schedule.
public struct RegisterQuestion: Sendable {
    public var bus: String
    public var unit: Int
    public var function: Int
    public var address: Int
    public var count: Int
    /// ms.
    public var timeout: Int?
}

/// What the API knows of the buses behind it.
public protocol BusView: Sendable {
    func buses() async -> [BusAnswer]
    /// A bus that the gateway does not own is `Problem.notFound`; what the device says, and its silence, are answers.
    func read(_ question: RegisterQuestion) async throws -> RegisterAnswer
}

extension Routes {
    static func addBuses(_ view: any BusView, to router: Router<BasicRequestContext>) {
        router.get("/v1/buses") { _, _ in Routes.answer(list: await view.buses()) }
        router.get("/v1/buses/read") { request, _ in Routes.answer(try await view.read(question(request))) }
    }

    private static func question(_ request: Request) throws -> RegisterQuestion {
        let query = try Query(request, known: ["bus", "unit", "function", "address", "count", "timeout"])
        guard let bus = query.text("bus") else { throw Problem.badRequest("bus is missing, such as tcp://meter:502") }
        guard let unit = try query.integer("unit", 0...255) else { throw Problem.badRequest("unit is missing") }
        guard let address = try query.integer("address", 0...65_535) else {
            throw Problem.badRequest("address is missing")
        }
        return RegisterQuestion(
            bus: bus, unit: unit, function: try query.integer("function", 3...4) ?? 3, address: address,
            count: try query.integer("count", 1...125) ?? 1, timeout: try query.integer("timeout", 1...60_000))
    }
}
