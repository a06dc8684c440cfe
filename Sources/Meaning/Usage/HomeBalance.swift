import Metering
import Timekeeping

/// What a home's devices in one slot add up to: `home`, and what no sub-meter explains, `unmetered`.
///
/// With a meter at the grid connection its energy is the home's, and
/// `unmetered = imported − exported + produced + discharged − charged − what the loads used`,
/// over the devices directly behind it: a device behind another one is part of that one and not counted again. A
/// sub-meter without data in a slot is not zero; what it used stays in the rest. Without a grid meter the home is the
/// sum of its devices, and nothing is unmetered.
public struct HomeBalance: Sendable {
    /// Stands for the home in slots and rows; no device has it.
    public static let home = DeviceID(high: 0, low: 0)
    /// Stands for what no sub-meter explains.
    public static let unmetered = DeviceID(high: 0, low: 1)

    private enum Place {
        case grid
        /// Directly in the home.
        case direct(DeviceRole)
        /// Part of another device, or no part of the home's energy.
        case inside
    }

    private let places: [DeviceID: Place]
    private let gridMeters: Int

    /// Devices whose total has a counter of its own: their parts never stand in for it, not even in a slot in which
    /// only the parts were read.
    private let totalCounters: Set<DeviceID>

    /// `devices`: the latest descriptor of each. A device that is not among them counts as a load of the home.
    public init(devices: [Device], totalCounters: Set<DeviceID> = []) {
        self.totalCounters = totalCounters
        let roles = [DeviceID: DeviceRole](devices.map { ($0.id, $0.role) }, uniquingKeysWith: { $1 })
        var places: [DeviceID: Place] = [:]
        for device in devices {
            switch device.role {
            case .grid: places[device.id] = .grid
            case .gateway: places[device.id] = .inside
            case .load, .solar, .battery:
                // A parent that is unknown, the device itself, or no energy device, is no parent.
                let parent = device.parent.flatMap { $0 == device.id ? nil : roles[$0] }
                switch parent {
                case nil, .grid, .gateway: places[device.id] = .direct(device.role)
                case .load, .solar, .battery: places[device.id] = .inside
                }
            }
        }
        self.places = places
        gridMeters = devices.count { $0.role == .grid }
    }

    /// `usages`: all of one slot, those of a device side by side. Results carry the devices `home` and `unmetered`,
    /// the channel `total`; nil where nothing is known.
    public func balance(_ usages: some Collection<SlotUsage>) -> (home: SlotUsage?, unmetered: SlotUsage?) {
        guard let slot = usages.first?.slot else { return (nil, nil) }
        var grid = Sum(device: HomeBalance.home, slot)
        var direct = Sum(device: HomeBalance.home, slot)
        var used: Int64 = 0
        var gridsSeen = 0
        var rest = usages[...]
        while let first = rest.first {
            let end = rest.firstIndex { $0.device != first.device } ?? rest.endIndex
            let own = rest[rest.startIndex..<end]
            let total =
                totalCounters.contains(first.device)
                ? own.first { $0.channel == .total && $0.isKnown } : HomeBalance.total(of: own)
            rest = rest[end...]
            guard let total else { continue }
            switch places[first.device] ?? .direct(.load) {
            case .grid:
                grid.add(total)
                gridsSeen += 1
            case .direct(let role):
                direct.add(total)
                used = saturatingSum(used, HomeBalance.consumption(of: total, role))
            case .inside: continue
            }
        }
        guard gridMeters > 0 else { return (direct.known ? direct.usage : nil, nil) }
        guard grid.known else { return (nil, nil) }
        if gridsSeen < gridMeters { grid.usage.measuredTime = 0 }
        var home = grid.usage
        home.produced = direct.usage.produced
        home.charged = direct.usage.charged
        home.discharged = direct.usage.discharged
        guard direct.known else { return (home, nil) }
        let net = saturatingDifference(grid.usage.imported ?? 0, grid.usage.exported ?? 0)
        let left = saturatingDifference(net, used)
        var unmetered = SlotUsage(device: HomeBalance.unmetered, channel: .total, slot: slot)
        unmetered.imported = max(0, left)
        unmetered.exported = max(0, saturatingDifference(0, left))
        unmetered.estimated = min(
            saturatingSum(grid.usage.estimated, direct.usage.estimated),
            max(unmetered.imported ?? 0, unmetered.exported ?? 0))
        unmetered.measuredTime = min(grid.usage.measuredTime, direct.usage.measuredTime)
        let covered = min(grid.covered, direct.covered)
        unmetered.filledTime = max(0, covered - unmetered.measuredTime)
        return (home, unmetered)
    }

    /// What a device takes from the home's wiring, less what it gives; negative for an inverter in the sun.
    private static func consumption(of total: SlotUsage, _ role: DeviceRole) -> Int64 {
        switch role {
        case .solar: saturatingDifference(total.imported ?? 0, total.produced ?? total.exported ?? 0)
        case .battery:
            saturatingDifference(total.charged ?? total.imported ?? 0, total.discharged ?? total.exported ?? 0)
        case .load, .grid, .gateway: saturatingDifference(total.imported ?? 0, total.exported ?? 0)
        }
    }

    /// A device's total: its channel `total`, else the sum of its numbered outputs, else that of its phases. The
    /// other channels are parts of these.
    public static func total(of usages: some Collection<SlotUsage>) -> SlotUsage? {
        if let total = usages.first(where: { $0.channel == .total && $0.isKnown }) { return total }
        guard let first = usages.first else { return nil }
        var outputs = Sum(device: first.device, first.slot)
        var phases = Sum(device: first.device, first.slot)
        for usage in usages where usage.isKnown {
            let name = usage.channel.name.utf8
            if name.allSatisfy({ $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }) {
                outputs.add(usage)
            } else if ["l1", "l2", "l3"].contains(usage.channel.name) {
                phases.add(usage)
            }
        }
        return outputs.known ? outputs.usage : phases.known ? phases.usage : nil
    }
}

extension SlotUsage {
    /// Whether any energy is known.
    public var isKnown: Bool {
        imported != nil || exported != nil || produced != nil || charged != nil || discharged != nil
    }
}

/// Adds usages of one slot; its coverage is the least of theirs.
private struct Sum {
    var usage: SlotUsage
    var known = false
    var covered = Slot.length

    init(device: DeviceID, _ slot: Slot) {
        usage = SlotUsage(device: device, channel: .total, slot: slot, measuredTime: Slot.length)
    }

    mutating func add(_ other: SlotUsage) {
        guard other.isKnown else { return }
        known = true
        usage.imported = Sum.sum(usage.imported, other.imported)
        usage.exported = Sum.sum(usage.exported, other.exported)
        usage.produced = Sum.sum(usage.produced, other.produced)
        usage.charged = Sum.sum(usage.charged, other.charged)
        usage.discharged = Sum.sum(usage.discharged, other.discharged)
        usage.estimated = saturatingSum(usage.estimated, other.estimated)
        usage.measuredTime = min(usage.measuredTime, other.measuredTime)
        covered = min(covered, saturatingSum(other.measuredTime, other.filledTime))
        usage.filledTime = max(0, covered - usage.measuredTime)
        usage.source = max(usage.source, other.source)
    }

    private static func sum(_ a: Int64?, _ b: Int64?) -> Int64? {
        guard let a, let b else { return a ?? b }
        return saturatingSum(a, b)
    }
}
