import Devices
import Modbus
import Timekeeping

/// What is known of one device of the bus, and with that what is read of it.
struct ModbusDevice: Sendable {
    let target: ModbusIntake.Target
    /// With the registers where this very device has them; nil while its SunSpec models were not found yet.
    private(set) var map: RegisterMap?
    /// Ratios and codes that other registers depend on.
    private(set) var context: RegisterContext
    /// Counts the plans that were made of it: a result of an older plan says nothing of this one.
    private(set) var version = 0
    /// Its models are being looked for.
    var isWalking = false

    /// No group is read more often than this, in ms.
    static let shortestPeriod: Int64 = 100
    /// What seldom changes is read this often, in ms.
    private static let contextPeriod = Span.hour
    /// A device whose models were not found is looked at this often.
    private static let markerPeriod = 30 * Span.second

    init(_ target: ModbusIntake.Target) {
        self.target = target
        context = target.context
        let registers = target.profile.registers
        map = registers?.sunSpec == nil ? registers : nil
    }

    /// The plan's first group holds the context, where there is one.
    private var hasContext: Bool { map.map { !$0.contextBlocks.isEmpty } ?? false }

    /// What the bus is to read of it.
    var plan: BusPlan.Unit {
        let pause = (target.pause ?? target.profile.registers?.line.pause ?? 0) * 1_000
        guard let map else {
            let marker = Int(SunSpecWalk.markerAddresses[0])
            let group = BusPlan.Group(
                period: ModbusDevice.markerPeriod * 1_000,
                blocks: [.init(function: .holding, spans: [marker..<marker + 2])])
            return BusPlan.Unit(unit: target.unit, groups: [group], pause: pause, version: version)
        }
        let fast = max(1, map.groups.first?.period ?? 1)
        var groups: [BusPlan.Group] = []
        if hasContext {
            let blocks = map.contextBlocks.map { block in
                BusPlan.Block(function: block.modbusFunction, spans: [block.addresses])
            }
            groups.append(BusPlan.Group(period: ModbusDevice.contextPeriod * 1_000, blocks: blocks))
        }
        groups += map.groups.map { group in
            let period = max(ModbusDevice.shortestPeriod, target.interval * max(1, group.period) / fast)
            return BusPlan.Group(
                period: period * 1_000,
                blocks: map.blocks(of: group.name).map { block in
                    BusPlan.Block(function: block.modbusFunction, spans: map.spans(in: block))
                })
        }
        return BusPlan.Unit(unit: target.unit, groups: groups, pause: pause, version: version)
    }

    /// The profile's group that a group of the plan is; nil: the context.
    func group(_ planned: Int) -> Int? {
        let group = planned - (hasContext ? 1 : 0)
        return group >= 0 ? group : nil
    }

    /// Its models were found: from now on it is read where they stand. Nil when none of them is one of the profile's.
    mutating func locate(in chain: [SunSpecModel]) -> BusPlan.Unit? {
        guard let located = target.profile.registers?.located(in: chain) else { return nil }
        map = located
        version += 1
        return plan
    }

    /// Keeps words that others depend on.
    mutating func note(_ answer: RegisterContext.Answer) {
        context.note(answer)
    }
}

extension RegisterBlock {
    var modbusFunction: ModbusFunction { function == 3 ? .holding : .input }
}
