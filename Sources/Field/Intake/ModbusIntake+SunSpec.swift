import Devices
import Modbus

extension ModbusIntake {
    /// Asks the device for its models, one read after the other beside the plan.
    ///
    /// Returns what was found, or why nothing was: the device's own silence, or a chain that is none.
    static func walk(_ bus: ModbusBus, unit: UInt8) async -> Result<[SunSpecModel], SunSpecWalk.Failure> {
        var walk = SunSpecWalk()
        while let request = walk.request {
            var words: [UInt16]?
            for _ in 0..<2 where words == nil {
                do throws(ModbusError) {
                    words = try await bus.read(
                        unit: unit, function: request.modbusFunction, address: request.address, count: request.count)
                } catch {
                    // The device's own word stands; a lost answer is asked for once more.
                    if case .exception = error.cause { break }
                }
            }
            walk.take(words)
        }
        if let failure = walk.failure { return .failure(failure) }
        return .success(walk.models)
    }
}
