import Timekeeping

/// What a channel's power tells about the time between two readings of its counters: how the energy between them falls
/// on the slots.
///
/// A power holds until the next one, at most `UsageLimits.maximumHold`. Kept are only the sums at the last reading of
/// the counter of each direction and at the slots' borders since; works are mW·ms, from wherever the curve began.
struct PowerCurve: Equatable {
    /// One direction: what is imported, or what is exported.
    struct Side: Equatable {
        /// Up to the last power.
        var work: Int64 = 0
        /// Time of the counter's last reading, or why there is no sum at it.
        var pin = Side.hole
        var pinWork: Int64 = 0
        /// At each border between slots after the pin up to the last power, in the order of time.
        var borders: [Int64] = []
        /// Time of the last reading of the counter in another slot than the one before.
        var crossed: Int64 = -1

        /// The curve does not reach back to the counter's last reading.
        static let hole: Int64 = -1
        /// The counter is behind its power: at its last reading the sum is not known any more.
        static let behind: Int64 = -2
    }

    /// Of the last power.
    private(set) var time: Int64
    /// mW, negative where energy flows back.
    private(set) var power: Int64
    private(set) var imports = Side()
    private(set) var exports = Side()

    /// A counter that is silent for longer is split by time.
    private static let maximumBorders = 96

    init(time: Int64, power: Int64) {
        self.time = time
        self.power = power
    }

    init(time: Int64, power: Int64, imports: Side, exports: Side) {
        self.init(time: time, power: power)
        (self.imports, self.exports) = (imports, exports)
    }

    /// Takes in the next power, not before the last one. Returns whether energy that is booked falls otherwise on the
    /// slots now: the counter was ahead.
    mutating func take(_ time: Int64, _ power: Int64) -> Bool {
        let (from, held) = (self.time, self.power)
        self.time = time
        self.power = power
        let importsDiffer = PowerCurve.advance(&imports, from, max(0, held), to: time, max(0, power))
        let exportsDiffer = PowerCurve.advance(&exports, from, max(0, -held), to: time, max(0, -power))
        return importsDiffer || exportsDiffer
    }

    private static func advance(
        _ side: inout Side, _ from: Int64, _ held: Int64, to time: Int64, _ power: Int64
    ) -> Bool {
        guard time - from <= UsageLimits.maximumHold else {
            side.work &+= held * UsageLimits.maximumHold
            // Nothing that reaches over the hole is known; a counter that was ahead had nothing to rest on.
            if side.pin >= time { pin(&side, at: side.pin, power, after: time) } else { side.pin = Side.hole }
            if !side.borders.isEmpty { side.borders = [] }
            return side.crossed > time
        }
        let border = slotIndex(time) * Slot.length
        if border > from, side.pin >= 0, side.pin < border {
            side.borders.append(side.work &+ held * (border - from))
            if side.borders.count > maximumBorders {
                side.pin = Side.hole
                side.borders = []
            }
        }
        side.work &+= held * (time - from)
        guard side.pin > time else { return false }
        pin(&side, at: side.pin, power, after: time)
        return side.crossed > time
    }

    private static func pin(_ side: inout Side, at time: Int64, _ power: Int64, after last: Int64) {
        guard time - last <= UsageLimits.maximumHold else {
            side.pin = Side.hole
            return
        }
        side.pin = time
        side.pinWork = side.work &+ power * (time - last)
    }

    /// Notes that the counter of a direction (+1, −1) was accepted at `time`; `crosses` where the reading before was in
    /// another slot. Returns whether it would have been split otherwise, had it come before the power that it is
    /// behind.
    mutating func pin(at time: Int64, _ sign: Int8, crosses: Bool) -> Bool {
        let power = max(0, sign < 0 ? -self.power : self.power)
        return sign < 0
            ? PowerCurve.pin(&exports, at: time, power, lastPower: self.time, crosses)
            : PowerCurve.pin(&imports, at: time, power, lastPower: self.time, crosses)
    }

    private static func pin(
        _ side: inout Side, at time: Int64, _ power: Int64, lastPower: Int64, _ crosses: Bool
    ) -> Bool {
        let wasBehind = side.pin == Side.behind
        if !side.borders.isEmpty { side.borders = [] }
        if crosses { side.crossed = time }
        guard time >= lastPower else {
            side.pin = Side.behind
            return crosses
        }
        pin(&side, at: time, power, after: lastPower)
        return crosses && wasBehind
    }

    /// How energy in one direction from the pin, which must be at `from`, to `to` falls on the slots; nil where the
    /// curve has a hole, or says that nothing flowed.
    func shares(from: Int64, to: Int64, _ sign: Int8) -> PowerShares? {
        let side = sign < 0 ? exports : imports
        let power = max(0, sign < 0 ? -self.power : self.power)
        guard let works = works(side, power, from, to), let total = works.last, total > 0 else { return nil }
        return PowerShares(from: from, works: works)
    }

    /// The same of both directions: what is imported less what is exported; with `sign` −1 the other way round.
    func netShares(from: Int64, to: Int64, _ sign: Int8) -> PowerShares? {
        guard let imported = works(imports, max(0, power), from, to),
            let exported = works(exports, max(0, -power), from, to)
        else { return nil }
        return PowerShares(from: from, works: zip(imported, exported).map { sign < 0 ? $1 - $0 : $0 - $1 })
    }

    /// The work from the pin up to each border before `to`, and up to `to`.
    private func works(_ side: Side, _ power: Int64, _ from: Int64, _ to: Int64) -> [Int64]? {
        guard side.pin == from, to >= time, to - max(time, from) <= UsageLimits.maximumHold,
            to - time <= UsageLimits.maximumHold
        else { return nil }
        let (first, last) = (slotIndex(from) + 1, slotIndex(to - 1))
        guard first <= last, last - first <= Int64(PowerCurve.maximumBorders) else { return nil }
        let total = side.work &+ power * (to - time) &- side.pinWork
        guard (0...PowerShares.maximumWork).contains(total) else { return nil }
        var works: [Int64] = []
        for slot in first...last {
            let border = slot * Slot.length
            let known = Int(slot - first)
            let work = known < side.borders.count ? side.borders[known] : side.work &+ power * (border - time)
            // Never otherwise in a state that was not made up.
            guard (works.last ?? 0)...total ~= work &- side.pinWork else { return nil }
            works.append(work &- side.pinWork)
        }
        return works + [total]
    }
}

// Where the curve is and who asks it.
extension UsageState {
    /// The power that tells about a flow of a channel: the source that has the curve, and the sign of the flow in it.
    private func curveOwner(_ channel: Int, _ flow: Flow) -> (source: Int, sign: Int8)? {
        var i = Int(table.channels[channel].firstSource)
        while i >= 0 {
            let role = sources[i].role
            if role.method == .power, role.flow == flow { return (role.sign < 0 ? i - 1 : i, role.sign) }
            i = Int(sources[i].next)
        }
        return nil
    }

    /// Tells the counters of a flow that a power knows more about them, and begins its curve.
    mutating func startCurve(of channel: Int, _ flow: Flow, at time: Int64, _ offset: UInt64) {
        guard let owner = curveOwner(channel, flow), let last = sources[owner.source].track.last else { return }
        var found = false
        for i in members(channel) where sources[i].role.flow == flow && sources[i].role.method != .power {
            guard sources[i].since != nil else { continue }
            expectCurve(i)
            found = true
        }
        guard found, sources[owner.source].curve == nil else { return }
        let twin = owner.source + 1
        let hasTwin =
            twin < sources.count && sources[twin].quantity == sources[owner.source].quantity
            && sources[twin].channel == sources[owner.source].channel
        let power = sources[owner.source].mark - (hasTwin && !sources[twin].track.isEmpty ? sources[twin].mark : 0)
        sources[owner.source].curve = PowerCurve(time: last.time, power: power)
        sources[owner.source].hasCurve = true
        // What came after the first reading of the other is not in the curve.
        let newest = members(channel).filter { sources[$0].hasCurve }.map { sources[$0].newest }.max() ?? time
        let first = min(time, last.time)
        if newest > first, !keepsAll { askAgain(channel, from: first, to: first, offset) }
    }

    /// A register that runs both ways has one curve for both of its sources.
    private mutating func expectCurve(_ counter: Int) {
        sources[counter].hasCurve = true
        if sources[counter].role.method == .net { sources[counter + Int(sources[counter].role.sign)].hasCurve = true }
    }

    /// A state of before there were curves, or not for all counters, has them begin with the next power.
    mutating func expectCurves() {
        for i in sources.indices where sources[i].role.method == .power && sources[i].shadowedFrom != .max {
            let role = sources[i].role
            for j in members(Int(sources[i].channel)) where sources[j].role.flow == role.flow {
                guard sources[j].role.method != .power, sources[j].since != nil else { continue }
                expectCurve(j)
                sources[role.sign < 0 ? i - 1 : i].hasCurve = true
            }
        }
    }

    /// Takes a power into its curve.
    mutating func takeCurve(_ source: Int, _ time: Int64, _ value: Int64, _ offset: UInt64) {
        guard sources[source].power(value) != nil else { return }
        guard let last = sources[source].curve?.time else {
            sources[source].curve = PowerCurve(time: time, power: value)
            return
        }
        // Which energy falls otherwise on the slots follows from the powers around it.
        let differs = time < last || sources[source].curve?.take(time, value) ?? false
        if differs, !keepsAll { askAgain(Int(sources[source].channel), from: time, to: time, offset) }
    }

    /// What the curve says about the time since a counter's last accepted reading, if a border lies between.
    mutating func prepareShares(_ index: Int, _ channel: Int, _ time: Int64) {
        guard let last = sources[index].track.last, slotIndex(time) > last.slot,
            let owner = curveOwner(channel, sources[index].role.flow)
        else { return }
        let curve = sources[owner.source].curve
        effects.shares =
            sources[index].role.method == .net
            ? curve?.netShares(from: last.time, to: time, owner.sign)
            : curve?.shares(from: last.time, to: time, owner.sign)
    }

    /// A counter was accepted at `time`, or a power began beside one that may have been read at that very time.
    mutating func pinCurve(_ index: Int, _ channel: Int, _ time: Int64, crosses: Bool, _ offset: UInt64) {
        guard let owner = curveOwner(channel, sources[index].role.flow) else { return }
        var both = false
        switch sources[index].role.method {
        case .register, .delta: break
        case .net:
            // Both of its sources ask about the same time; the second one ends it, if both count.
            guard owner.sign < 0, sources[index - 1].track.last?.time == time else { return }
            both = true
        case .power:
            both = members(channel).contains { sources[$0].role.method == .net }
            if both, owner.sign < 0 { return }
        }
        var isBehind = sources[owner.source].curve?.pin(at: time, owner.sign, crosses: crosses) ?? false
        if both, sources[owner.source].curve?.pin(at: time, -owner.sign, crosses: crosses) ?? false { isBehind = true }
        // How the energy of a counter behind its power falls on the slots follows from the powers around it.
        if isBehind, !keepsAll { askAgain(channel, from: time, to: time, offset) }
    }
}
