import Devices
import Metering
import Timekeeping

/// What Intake says to a reading that comes out of a file, and not from a device.
public enum ImportedReading {
    /// Why it is not taken: the end of a sentence.
    public struct Refusal: Error, Hashable, CustomStringConvertible {
        public let description: String
    }

    /// Where a device that only files know counts as heard.
    public static func address(_ device: String) -> String { "import:reading:\(device)" }

    /// A file tells no profile; the quantity tells an inverter or a battery.
    public static func description(_ quantity: Quantity) -> DeviceRegistry.Description {
        var role: DeviceRole?
        if quantity == .productionEnergy || quantity == .productionPower { role = .solar }
        if [.batteryPower, .batteryChargeEnergy, .batteryDischargeEnergy].contains(quantity) { role = .battery }
        return DeviceRegistry.Description(family: "import", role: role)
    }

    /// 2000-01-01. A time of ten digits that lacks one, or is taken for a smaller unit, lies before it.
    public static let earliest = Timestamp(milliseconds: 946_684_800_000)

    /// `value` within what the quantity can be.
    public static func value(
        of quantity: Quantity, _ value: Int64, at time: Timestamp, now: Timestamp
    ) throws(Refusal) -> Int64 {
        guard time <= now + Normalizer.futureTolerance else {
            throw Refusal(description: "is of the future: \(time.rfc3339())")
        }
        guard time >= earliest else {
            throw Refusal(
                description: "is of \(time.rfc3339()), before any meter could be read: its time is cut, or counted in "
                    + "another unit")
        }
        switch Plausibility.check(quantity, value) {
        case .ok: return value
        case .clamped(let limit): return limit
        case .reject(let reason): throw Refusal(description: "is not plausible: \(reason)")
        }
    }
}
