/// A block as it turned out to be readable.
struct LearnedBlock: Sendable {
    let block: BusPlan.Block
    /// Times in a row that it was left out because the unit refuses it; 0: all is well.
    var refusals = 0
    /// Times in a row that the unit answered to something else but not to this.
    var silences = 0
    /// It is left out until then.
    var notBefore = Int64.min
    /// Its last believed words were not all zero.
    var hadContent = false

    init(_ block: BusPlan.Block) {
        self.block = block
    }

    /// Leaves it out for a while that doubles.
    mutating func refuse(at now: Int64) {
        notBefore = now + min(BusLimits.firstRefusal << min(refusals, 10), BusLimits.lastRefusal)
        refusals += 1
    }
}

struct GroupState: Sendable {
    let planned: BusPlan.Group
    var blocks: [LearnedBlock]
    /// When it is due.
    var next: Int64
    /// A due time before the start; all others are whole periods from it.
    private let origin: Int64
    /// Times in a row that the unit was too busy.
    var busy = 0

    /// Due at `start` and then in every period at `phase` permille of it: were all units due at one instant, those that
    /// come last would miss a period whenever the line is held up.
    init(_ group: BusPlan.Group, start: Int64, phase: Int64) {
        planned = group
        blocks = group.blocks.map(LearnedBlock.init)
        next = start
        origin = start - group.period + group.period * phase / 1_000
    }

    /// The whole plan again, at once.
    mutating func restart(at now: Int64) {
        blocks = planned.blocks.map(LearnedBlock.init)
        (next, busy) = (now, 0)
    }

    /// A period that was missed is left out, not made up for.
    mutating func schedule(after now: Int64) {
        next = origin + ((now - origin) / planned.period + 1) * planned.period
    }
}

struct UnitState: Sendable {
    let unit: UInt8
    let pause: Int64
    let version: Int
    let phase: Int64
    var groups: [GroupState]
    var latency = Latency()
    var counters = UnitCounters()
    /// 0: read on schedule. Else it is in quarantine, and this many attempts were in vain.
    var step = 0
    /// In quarantine: when it is asked again.
    var nextProbe: Int64 = 0
    /// Time-outs since its last answer.
    var timeouts = 0
    /// On a serial line: a late answer may still come, and what is asked next must have another shape.
    var isUnsettled = false
    /// Whether it ever answered to the question of that other shape.
    var answersOdd = false
    /// A read of several blocks that others have overtaken.
    var suspended: BusEngine.Job?
    /// Reads in a row that failed without silence.
    var damaged = 0
    /// Line time it may still use before the others go first, and when that was reckoned.
    var credit: Int64 = 0
    var creditAt: Int64
    private(set) var probes: [ModbusRequest]

    /// How far credit is saved up, and how deep a debt can grow.
    static let creditRange: ClosedRange<Int64> = -10_000_000...250_000

    init(_ unit: BusPlan.Unit, start: Int64, phase: Int64) {
        self.unit = unit.unit
        pause = unit.pause
        version = unit.version
        self.phase = phase
        groups = unit.groups.map { GroupState($0, start: start, phase: phase) }
        creditAt = start
        probes = UnitState.probes(unit)
    }

    var isSilent: Bool { step > 0 }

    /// Its share of the line's time since the last reckoning, when `count` units are read.
    mutating func earn(until now: Int64, among count: Int) {
        let earned = (now - creditAt) / Int64(max(1, count))
        credit = min(credit + earned, Self.creditRange.upperBound)
        creditAt = now
    }

    mutating func spend(_ time: Int64) {
        credit = max(credit - time, Self.creditRange.lowerBound)
        counters.busy += time
    }

    /// The small read that asks whether it is there: in turn one of a length that no block has, so that a late answer
    /// to a block cannot pass for its answer nor its own late answer for a block's, and the smallest the plan has, for
    /// a unit that does not answer to the other.
    var probe: ModbusRequest { probes[step % probes.count] }

    /// Whether `probe` is of a shape that no block has.
    var isProbeOdd: Bool { probes.count > 1 && step % probes.count == 0 }

    private static func probes(_ unit: BusPlan.Unit) -> [ModbusRequest] {
        let blocks = unit.groups.flatMap(\.blocks)
        guard let smallest = blocks.min(by: { $0.spans[0].count < $1.spans[0].count }) else {
            return [ModbusRequest(unit: unit.unit, function: .holding, address: 0, count: 1)]
        }
        func request(_ block: BusPlan.Block, _ count: Int) -> ModbusRequest {
            ModbusRequest(
                unit: unit.unit, function: block.function, address: UInt16(block.range.lowerBound), count: count)
        }
        let plain = request(smallest, smallest.spans[0].count)
        var taken = Set(blocks.map(\.range.count))
        for block in blocks { for span in block.spans { taken.insert(span.count) } }
        // The best is an honest part of a block: whole spans, which the unit is known or hoped to have.
        let parts = blocks.flatMap { block in
            block.spans.map { (block: block, count: $0.upperBound - block.range.lowerBound) }
        }
        let honest = parts.filter { !taken.contains($0.count) }.min { $0.count < $1.count }
        if let honest { return [request(honest.block, honest.count), plain] }
        let room = min(125, 65_536 - smallest.range.lowerBound)
        guard room > 0, let count = (1...room).first(where: { !taken.contains($0) }) else { return [plain] }
        return [request(smallest, count), plain]
    }
}
