/// What one bus does next. A state machine without clock and I/O: (state, event, now) → (state, action).
///
/// One request is under way at a time. `next` says what to do, the owner does it, and for a request tells `finish` what
/// came of it; `takeResults` then has what is done. Times are µs of any clock that does not go back.
///
/// **Schedule.** Each group of each unit has a due time; the longest overdue comes first, but units that used more than
/// their share of the line come after the others, so that a slow one slows down itself. A missed period is left out.
///
/// **Silence.** A unit that does not answer is asked one small thing at once, with twice the time-out; if it stays
/// silent it is in quarantine: asked that small thing after 1, 2, 4, … s, once each. While others answer, attempts at
/// silent units are spaced so that all of them together take 4 % of the line. A unit that answers again is read whole
/// at once.
///
/// **Refusal.** A block that is answered with an illegal address is halved in its widest gap until what is refused is
/// alone; that is left out for a minute, two, four, … The rest stays split until the unit was away.
public struct BusEngine: Sendable {
    public enum Action: Equatable, Sendable {
        /// Ask, and wait so many µs from the start for the last byte of the answer.
        case exchange(ModbusRequest, timeout: Int64)
        /// The connection looks dead: close it. The next exchange opens it again.
        case reopen
        /// Nothing to do before this instant, unless something is asked.
        case wait(until: Int64)
    }

    enum Kind: Equatable {
        case group(unit: Int, group: Int)
        case probe(unit: Int)
        case query(id: Int, request: ModbusRequest, timeout: Int64)
    }

    struct Job {
        let kind: Kind
        /// The block it is at.
        var block = 0
        /// Times that this block was asked again.
        var attempt = 0
        /// Whether the small question after a time-out is what is asked now.
        var isSettling = false
        /// Whether this block was silent before.
        var wasSilent = false
        var isThere = false
        /// Whether this block answered with zeros that are not believed yet.
        var sawZeros = false
        var parts: [GroupResult.Part] = []
        /// When what is under way began.
        var began: Int64 = 0
        var request: ModbusRequest?
    }

    let timing: LineTiming
    let limits: BusLimits
    /// Whether transaction numbers tell answers apart and a connection can be half open.
    let isTCP: Bool
    var units: [UnitState]
    var job: Job?
    var queries: [Kind] = []
    var queryCredit: Int64 = 0
    var queryCreditAt: Int64
    /// The line is silent, as it must be between frames, until then.
    var lineFree: Int64
    /// No attempt at a silent unit before then.
    var probeAllowed: Int64
    /// Why the bus cannot be opened, how often in a row it could not, and when it is tried again.
    var trouble: String?
    var openFailures = 0
    var nextOpening: Int64
    var timeoutsInRow = 0
    /// Units from which a late answer to a query may come, until when: asked for nothing from outside the plan.
    var late: [UInt8: Int64] = [:]
    var wantsReopening = false
    var results: [GroupResult] = []
    var answers: [(id: Int, result: Result<[UInt16], ModbusError.Cause>)] = []
    var total = UnitCounters()
    var utilization: Utilization

    public init(_ plan: BusPlan, address: BusAddress, limits: BusLimits = BusLimits(), start: Int64) {
        timing = LineTiming(address)
        self.limits = limits
        if case .tcp = address { isTCP = true } else { isTCP = false }
        units = BusEngine.states(of: plan, start: start)
        (lineFree, probeAllowed, nextOpening, queryCreditAt) = (start, start, start, start)
        utilization = Utilization(start: start)
    }

    private static func states(of plan: BusPlan, start: Int64) -> [UnitState] {
        plan.units.enumerated().map { index, unit in
            UnitState(unit, start: start, phase: Int64(index) * 1_000 / Int64(plan.units.count))
        }
    }

    /// Reads by this plan from now on; what was learned of a unit that stays is kept.
    public mutating func adopt(_ plan: BusPlan, at now: Int64) {
        let known = units
        units = BusEngine.states(of: plan, start: now).map { planned in
            var unit = planned
            if let old = known.first(where: { $0.unit == planned.unit }) {
                (unit.latency, unit.counters) = (old.latency, old.counters)
            }
            return unit
        }
        if case .query = job?.kind {} else { job = nil }
    }

    /// Reads one unit by a new plan, at once; the others go on. What was learned of its latency is kept.
    public mutating func adopt(_ plan: BusPlan.Unit, at index: Int, _ now: Int64) {
        guard units.indices.contains(index) else { return }
        let old = units[index]
        var unit = UnitState(plan, start: now, phase: old.phase)
        (unit.latency, unit.counters, unit.credit) = (old.latency, old.counters, old.credit)
        // An answer to what is dropped here may still come.
        unit.isUnsettled = old.isUnsettled || !isTCP
        units[index] = unit
        switch job?.kind {
        case .group(index, _), .probe(index): job = nil
        default: break
        }
    }

    /// Puts a request beside the plan; its answer is in `takeAnswers` under `id`. False when too many wait.
    public mutating func ask(_ request: ModbusRequest, id: Int, timeout: Int64) -> Bool {
        guard queries.count < BusLimits.maximumQueries else { return false }
        queries.append(.query(id: id, request: request, timeout: timeout))
        return true
    }

    /// Moves what is done to the end of `list`; memory stays for the next.
    mutating func moveResults(to list: inout [GroupResult]) {
        if results.isEmpty { return }
        list.append(contentsOf: results)
        results.removeAll(keepingCapacity: true)
    }

    public mutating func takeResults() -> [GroupResult] {
        defer { results.removeAll(keepingCapacity: true) }
        return results
    }

    public mutating func takeAnswers() -> [(id: Int, result: Result<[UInt16], ModbusError.Cause>)] {
        if answers.isEmpty { return [] }
        defer { answers.removeAll() }
        return answers
    }

    // MARK: What to do

    public mutating func next(at now: Int64) -> Action {
        if wantsReopening {
            wantsReopening = false
            timeoutsInRow = 0
            return .reopen
        }
        if now < lineFree { return .wait(until: lineFree) }
        suspend(at: now)
        while true {
            if job == nil { job = choose(at: now) }
            guard let (request, timeout) = request(at: now) else {
                if job == nil { return .wait(until: nextEvent(after: now)) }
                // Its group has no block left that is asked for now.
                endGroup(at: now)
                continue
            }
            job?.began = now
            job?.request = request
            return .exchange(request, timeout: timeout)
        }
    }

    /// The request that the job is at; nil when there is none left.
    private mutating func request(at now: Int64) -> (ModbusRequest, timeout: Int64)? {
        guard var current = job else { return nil }
        switch current.kind {
        case .query(_, let request, let timeout):
            return (request, timing.duration(of: request) * 5 / 4 + timeout)
        case .probe(let unit): return probe(unit)
        case .group(let unit, let group):
            if units[unit].isUnsettled, !current.isSettling {
                current.isSettling = true
                job?.isSettling = true
            }
            if current.isSettling { return probe(unit) }
            let blocks = units[unit].groups[group].blocks
            while current.block < blocks.count, blocks[current.block].notBefore > now { current.block += 1 }
            job?.block = current.block
            guard current.block < blocks.count else { return nil }
            let request = blocks[current.block].block.request(to: units[unit].unit)
            return (request, timeout(of: unit, request))
        }
    }

    private func probe(_ unit: Int) -> (ModbusRequest, timeout: Int64) {
        let request = units[unit].probe
        return (request, timeout(of: unit, request))
    }

    private func timeout(of unit: Int, _ request: ModbusRequest) -> Int64 {
        // A quarter more: adapters hand bytes on in lumps.
        timing.duration(of: request) * 5 / 4
            + units[unit].latency.timeout(limits, doublings: units[unit].timeouts)
    }

    /// Who is next: silent units whose time has come, for they are few and bounded; then who is within its share.
    private mutating func choose(at now: Int64) -> Job? {
        let readable = readableUnits
        queryCredit = min(
            queryCredit + (now - queryCreditAt) / Int64(readable + 1), UnitState.creditRange.upperBound)
        queryCreditAt = now
        if nextOpening > now { return takeQuery(at: now) }
        if now >= probeAllowed {
            let due = units.indices.filter { units[$0].isSilent && units[$0].nextProbe <= now }
            if let first = due.min(by: { units[$0].nextProbe < units[$1].nextProbe }) {
                return Job(kind: .probe(unit: first))
            }
        }
        var best: (unit: Int, group: Int, due: Int64, isWithinShare: Bool)?
        for i in units.indices where !units[i].isSilent {
            units[i].earn(until: now, among: readable + (queries.isEmpty ? 0 : 1))
            let isWithinShare = units[i].credit >= 0
            if let suspended = units[i].suspended, case .group(_, let j) = suspended.kind {
                let due = units[i].groups[j].next
                if let best, best.isWithinShare != isWithinShare ? best.isWithinShare : best.due <= due { continue }
                best = (i, j, due, isWithinShare)
                continue
            }
            for (j, group) in units[i].groups.enumerated() where group.next <= now {
                if let best, best.isWithinShare != isWithinShare ? best.isWithinShare : best.due <= group.next {
                    continue
                }
                best = (i, j, group.next, isWithinShare)
            }
        }
        if queryCredit >= 0 || best?.isWithinShare != true, let query = takeQuery(at: now) { return query }
        guard let best else { return nil }
        defer { units[best.unit].suspended = nil }
        return units[best.unit].suspended ?? Job(kind: .group(unit: best.unit, group: best.group))
    }

    private mutating func takeQuery(at now: Int64) -> Job? {
        if queries.isEmpty { return nil }
        late = late.filter { $0.value > now }
        let index = queries.firstIndex { query in
            if case .query(_, let request, _) = query { late[request.unit] == nil } else { false }
        }
        return index.map { Job(kind: queries.remove(at: $0)) }
    }

    /// A long read of a unit that used its share is overtaken between two of its blocks by what is due elsewhere.
    private mutating func suspend(at now: Int64) {
        guard let current = job, case .group(let unit, _) = current.kind, current.request == nil, current.block > 0,
            current.attempt == 0, !current.isSettling, !current.wasSilent, !current.sawZeros, units[unit].credit < 0
        else { return }
        let isAwaited = units.indices.contains { i in
            i != unit && !units[i].isSilent && units[i].groups.contains { $0.next <= now }
        }
        guard isAwaited else { return }
        units[unit].suspended = current
        job = nil
    }

    /// Units that are read on schedule.
    var readableUnits: Int { units.reduce(0) { $0 + ($1.isSilent ? 0 : 1) } }

    private func nextEvent(after now: Int64) -> Int64 {
        var next = Int64.max / 2
        for unit in units {
            if unit.isSilent {
                next = min(next, max(unit.nextProbe, probeAllowed))
            } else {
                for group in unit.groups { next = min(next, group.next) }
            }
        }
        next = max(next, nextOpening)
        if !queries.isEmpty { next = min(next, late.values.min() ?? next) }
        return max(next, now + 1)
    }
}
