extension BusEngine {
    /// What came of the exchange that `next` asked for. Dropped where a new plan ended what it was for.
    public mutating func finish(_ outcome: Result<[UInt16], ModbusError.Cause>, at now: Int64) {
        guard let current = job, let request = current.request else { return }
        job?.request = nil
        if case .failure(.closed) = outcome {
            if case .query(let id, _, _) = current.kind { answers.append((id, outcome)) }
            job = nil
            return
        }
        if case .failure(.cannotConnect(let why)) = outcome { return cannotOpen(why, at: now) }
        (trouble, openFailures, nextOpening) = (nil, 0, now)
        let took = now - current.began
        utilization.add(took, at: now)
        noteConnection(outcome)
        total.count(outcome)
        total.busy += took
        switch current.kind {
        case .query(let id, _, _):
            lineFree = now + max(timing.gap, limits.pause)
            if !isTCP, case .failure(.timeout) = outcome {
                late[request.unit] = now + limits.timeoutCeiling
                for i in units.indices where units[i].unit == request.unit { units[i].isUnsettled = true }
            }
            queryCredit = max(queryCredit - took, UnitState.creditRange.lowerBound)
            answers.append((id, outcome))
            job = nil
        case .probe(let unit):
            note(outcome, of: unit, request, took, at: now)
            finishProbe(unit, request, outcome, took, at: now)
        case .group(let unit, let group):
            note(outcome, of: unit, request, took, at: now)
            if current.isSettling {
                finishSettling(unit, request, outcome, at: now)
            } else {
                finishBlock(unit, group, request, outcome, at: now)
            }
        }
    }

    // MARK: The bus

    /// Everybody on the bus is away, and none of them is to blame.
    private mutating func cannotOpen(_ why: String, at now: Int64) {
        let isNews = trouble != why
        trouble = why
        nextOpening = now + min(BusLimits.firstReopening << min(openFailures, 12), limits.reopening)
        openFailures += 1
        timeoutsInRow = 0
        if case .query(let id, _, _) = job?.kind { answers.append((id, .failure(.cannotConnect(why)))) }
        job = nil
        guard isNews else { return }
        for i in units.indices { report(.cannotConnect(why), unit: i, group: 0, units[i].probe, at: now) }
    }

    /// A connection over which nobody answers any more may be dead without the system knowing.
    private mutating func noteConnection(_ outcome: Result<[UInt16], ModbusError.Cause>) {
        guard case .failure(.timeout) = outcome else {
            timeoutsInRow = 0
            return
        }
        timeoutsInRow += 1
        if isTCP, timeoutsInRow >= BusLimits.halfOpen { wantsReopening = true }
    }

    private mutating func note(
        _ outcome: Result<[UInt16], ModbusError.Cause>, of unit: Int, _ request: ModbusRequest, _ took: Int64,
        at now: Int64
    ) {
        lineFree = now + max(timing.gap, limits.pause, units[unit].pause)
        units[unit].earn(until: now, among: readableUnits)
        units[unit].spend(took)
        units[unit].counters.count(outcome)
        guard outcome.isAnswer else {
            if !isTCP, case .failure(.timeout) = outcome { units[unit].isUnsettled = true }
            return
        }
        let bytes = if case .success = outcome { RequestFrame.serialLength(ofAnswerTo: request) } else { 5 }
        units[unit].latency.add(max(0, took - timing.duration(bytes: RequestFrame.serialLength + bytes)))
        (units[unit].timeouts, units[unit].damaged) = (0, 0)
        job?.isThere = true
    }

    // MARK: Blocks

    private mutating func finishBlock(
        _ unit: Int, _ group: Int, _ request: ModbusRequest, _ outcome: Result<[UInt16], ModbusError.Cause>,
        at now: Int64
    ) {
        guard let current = job else { return }
        switch outcome {
        case .success(let words): accept(words, unit, group, request, at: now)
        case .failure(.timeout), .failure(.exception(.gatewayPathUnavailable)),
            .failure(.exception(.gatewayTargetSilent)):
            fallSilent(unit, group, request, outcome, at: now)
        case .failure(.exception(.illegalDataAddress)), .failure(.exception(.illegalDataValue)):
            if !halve(unit, group) {
                units[unit].groups[group].blocks[current.block].refuse(at: now)
                advance(unit, group, request, outcome, at: now)
            }
        case .failure(.exception(.illegalFunction)), .failure(.badRequest):
            units[unit].groups[group].blocks[current.block].refuse(at: now)
            advance(unit, group, request, outcome, at: now)
        case .failure(.exception(.deviceBusy)), .failure(.exception(.acknowledge)):
            addPart(request, outcome)
            endGroup(at: now)
            units[unit].groups[group].busy += 1
            if units[unit].groups[group].busy <= 3 {
                let next = units[unit].groups[group].next
                units[unit].groups[group].next = min(next, now + BusLimits.busyPause)
            }
        case .failure(.exception): advance(unit, group, request, outcome, at: now)
        case .failure(.connectionLost(let why)):
            // Once may be an old connection that the other end had closed; twice is this unit's doing.
            if current.attempt > 0 { return quarantine(unit, .connectionLost(why), request, at: now) }
            askAgain(unit)
        case .failure(.badAnswer):
            if current.attempt < limits.retries { return askAgain(unit) }
            units[unit].damaged += 1
            if case .failure(let cause) = outcome, units[unit].damaged >= BusLimits.damagedReads {
                return quarantine(unit, cause, request, at: now)
            }
            advance(unit, group, request, outcome, at: now)
        case .failure(.cannotConnect), .failure(.closed): preconditionFailure("not an outcome of a request")
        }
    }

    private mutating func askAgain(_ unit: Int) {
        job?.attempt += 1
        units[unit].counters.retries += 1
        total.retries += 1
    }

    /// Zeros where there was something are what a busy meter says; they are believed when it says them twice.
    private mutating func accept(
        _ words: [UInt16], _ unit: Int, _ group: Int, _ request: ModbusRequest, at now: Int64
    ) {
        guard let current = job else { return }
        let hasContent = words.contains { $0 != 0 }
        if !hasContent, !current.sawZeros, units[unit].groups[group].blocks[current.block].hadContent {
            job?.sawZeros = true
            units[unit].counters.retries += 1
            total.retries += 1
            return
        }
        units[unit].groups[group].blocks[current.block].hadContent = hasContent
        units[unit].groups[group].blocks[current.block].refusals = 0
        units[unit].groups[group].blocks[current.block].silences = 0
        units[unit].groups[group].busy = 0
        advance(unit, group, request, .success(words), at: now)
    }

    private mutating func fallSilent(
        _ unit: Int, _ group: Int, _ request: ModbusRequest, _ outcome: Result<[UInt16], ModbusError.Cause>,
        at now: Int64
    ) {
        guard let current = job, case .failure(let cause) = outcome else { return }
        // Nothing was ever heard of it: no need to ask twice.
        if units[unit].latency.isEmpty { return quarantine(unit, cause, request, at: now) }
        if !current.wasSilent {
            units[unit].timeouts += 1
            job?.isSettling = true
            job?.wasSilent = true
            return
        }
        // It answers, but not to this.
        units[unit].groups[group].blocks[current.block].silences += 1
        if units[unit].groups[group].blocks[current.block].silences >= BusLimits.silentReads {
            if halve(unit, group) { return }
            units[unit].groups[group].blocks[current.block].refuse(at: now)
        }
        advance(unit, group, request, outcome, at: now)
    }

    /// Cuts the block that the job is at; false when there is nothing to cut.
    private mutating func halve(_ unit: Int, _ group: Int) -> Bool {
        guard let current = job,
            let (first, second) = units[unit].groups[group].blocks[current.block].block.halves()
        else { return false }
        units[unit].groups[group].blocks.replaceSubrange(
            current.block...current.block, with: [LearnedBlock(first), LearnedBlock(second)])
        startBlock()
        return true
    }

    private mutating func startBlock() {
        job?.attempt = 0
        job?.wasSilent = false
        job?.sawZeros = false
    }

    private mutating func advance(
        _ unit: Int, _ group: Int, _ request: ModbusRequest, _ outcome: Result<[UInt16], ModbusError.Cause>,
        at now: Int64
    ) {
        addPart(request, outcome)
        job?.block += 1
        startBlock()
        guard let current = job else { return }
        let blocks = units[unit].groups[group].blocks
        if !blocks[current.block...].contains(where: { $0.notBefore <= now }) { endGroup(at: now) }
    }

    // MARK: Results

    mutating func addPart(_ request: ModbusRequest, _ outcome: Result<[UInt16], ModbusError.Cause>) {
        let first = Int(request.address)
        job?.parts.append(
            GroupResult.Part(function: request.function, range: first..<first + request.count, result: outcome))
    }

    /// The group that the job reads is done; it is due again in its next period.
    mutating func endGroup(at now: Int64) {
        guard let current = job, case .group(let unit, let group) = current.kind else { return }
        job = nil
        units[unit].groups[group].schedule(after: now)
        guard !current.parts.isEmpty else { return }
        results.append(
            GroupResult(
                unit: unit, group: group, version: units[unit].version, parts: current.parts, isThere: current.isThere,
                finished: now))
    }

    mutating func report(
        _ cause: ModbusError.Cause, unit: Int, group: Int, _ request: ModbusRequest, at now: Int64
    ) {
        let first = Int(request.address)
        let part = GroupResult.Part(
            function: request.function, range: first..<first + request.count, result: .failure(cause))
        results.append(
            GroupResult(
                unit: unit, group: group, version: units[unit].version, parts: [part], isThere: false, finished: now))
    }
}

extension Result where Success == [UInt16], Failure == ModbusError.Cause {
    /// Words, or the unit's own word that it has none; a gateway that cannot reach it is not the unit.
    public var isAnswer: Bool {
        switch self {
        case .success: true
        case .failure(.exception(.gatewayPathUnavailable)), .failure(.exception(.gatewayTargetSilent)): false
        case .failure(.exception): true
        case .failure: false
        }
    }
}

extension UnitCounters {
    mutating func count(_ outcome: Result<[UInt16], ModbusError.Cause>) {
        requests += 1
        switch outcome {
        case .success: answers += 1
        case .failure(.exception): exceptions += 1
        case .failure(.timeout): timeouts += 1
        case .failure(.badAnswer): damaged += 1
        case .failure: break
        }
    }
}
