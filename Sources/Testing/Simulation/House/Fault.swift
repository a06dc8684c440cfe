import Timekeeping

/// Something that goes wrong between what flows and what is told about it. The load itself runs on.
public struct Fault: Hashable, Sendable {
    public enum Effect: Hashable, Sendable {
        /// The Wi-Fi is gone: no messages; the counter catches up afterwards.
        case silent
        /// After a restart the counter shows this many mWh less than it should, then the right value again.
        case behind(milliwattHours: Int64)
        /// After a restart the counter shows 0, then the right value again.
        case zero
        /// A counter kept in RAM starts again from 0 at `from` and stays on its new course; ends at once.
        case reset
    }

    /// Name of the device.
    public var device: String
    public var effect: Effect
    public var from: Timestamp
    /// The first instant at which all is well again.
    public var until: Timestamp

    public init(device: String, effect: Effect, from: Timestamp, until: Timestamp) {
        self.device = device
        self.effect = effect
        self.from = from
        self.until = until
    }
}

/// Which faults a house suffers.
public enum FaultPlan: Sendable {
    case none
    /// Just these.
    case script([Fault])
    /// Every UTC day some, drawn from the house's seed.
    case seeded

    /// The faults that begin on the UTC day that starts at `midnight`.
    func faults(onDay midnight: Timestamp, seed: UInt64, devices: [HouseDevice]) -> [Fault] {
        switch self {
        case .none: return []
        case .script(let faults): return faults.filter { $0.from >= midnight && $0.from < midnight + Span.day }
        case .seeded:
            let day = UInt64(bitPattern: midnight.milliseconds / Span.day)
            var random = SplitMix64(seed: seed ^ 0xFA17, stream: day)
            return FaultPlan.draw(midnight, devices.filter { $0.role == .plug }, &random)
        }
    }

    /// One or two drop-outs and one restart a day, none across midnight.
    private static func draw(_ midnight: Timestamp, _ plugs: [HouseDevice], _ random: inout SplitMix64) -> [Fault] {
        guard !plugs.isEmpty else { return [] }
        func any(_ candidates: [HouseDevice], _ random: inout SplitMix64) -> HouseDevice {
            candidates[Int(random.between(0, Int64(candidates.count - 1)))]
        }
        var faults: [Fault] = []
        for _ in 0..<random.between(1, 2) {
            let from = midnight + random.between(0, 22 * 3600) * 1000
            let length = random.between(180, 1_500) * 1000
            faults.append(Fault(device: any(plugs, &random).name, effect: .silent, from: from, until: from + length))
        }
        let counting = plugs.filter { $0.counter == .kept }
        if !counting.isEmpty {
            let device = any(counting, &random).name
            // Ten seconds to boot, then a counter that is wrong for less than a minute: a glitch, not a reset.
            let from = midnight + random.between(0, 22 * 3600) * 1000
            let booted = from + 10 * Span.second
            let effect: Fault.Effect =
                random.chance(500) ? .zero : .behind(milliwattHours: random.between(1_000_000, 9_000_000))
            faults.append(Fault(device: device, effect: .silent, from: from, until: booted))
            faults.append(
                Fault(device: device, effect: effect, from: booted, until: booted + random.between(25, 45) * 1000))
        }
        for device in plugs where device.counter == .volatile && random.chance(500) {
            let from = midnight + random.between(0, 22 * 3600) * 1000
            let booted = from + 10 * Span.second
            faults.append(Fault(device: device.name, effect: .reset, from: from, until: from))
            faults.append(Fault(device: device.name, effect: .silent, from: from, until: booted))
        }
        return faults
    }
}
