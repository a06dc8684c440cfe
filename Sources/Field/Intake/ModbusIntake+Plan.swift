import Devices
import Modbus

extension ModbusIntake {
    /// No group is read more often than this, in ms.
    static let shortestPeriod: Int64 = 100

    /// What the bus is to read for these devices; indices of units and groups are those of targets and their groups.
    static func plan(_ targets: [Target]) -> BusPlan {
        BusPlan(units: targets.map(plan))
    }

    private static func plan(_ target: Target) -> BusPlan.Unit {
        guard let map = target.profile.registers, let fast = map.groups.first?.period else {
            return BusPlan.Unit(unit: target.unit, groups: [])
        }
        let groups = map.groups.map { group in
            BusPlan.Group(
                period: max(shortestPeriod, target.interval * max(1, group.period) / max(1, fast)) * 1_000,
                blocks: map.blocks(of: group.name).map { block in
                    BusPlan.Block(function: block.function == 3 ? .holding : .input, spans: map.spans(in: block))
                })
        }
        return BusPlan.Unit(unit: target.unit, groups: groups, pause: (target.pause ?? map.line.pause) * 1_000)
    }
}
