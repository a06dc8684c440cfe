/// Units that do not answer: the small question, and quarantine.
extension BusEngine {
    mutating func finishProbe(
        _ unit: Int, _ request: ModbusRequest, _ outcome: Result<[UInt16], ModbusError.Cause>, _ took: Int64,
        at now: Int64
    ) {
        job = nil
        guard case .failure(let cause) = outcome, !outcome.isAnswer else {
            // It may be another one by now, or the same with other firmware: nothing learned of it holds.
            settle(unit)
            units[unit].step = 0
            units[unit].suspended = nil
            for i in units[unit].groups.indices {
                units[unit].groups[i].restart(at: now)
            }
            return
        }
        units[unit].step += 1
        units[unit].timeouts += 1
        units[unit].nextProbe = now + pause(afterStep: units[unit].step)
        if units.contains(where: { !$0.isSilent && !$0.latency.isEmpty }) {
            probeAllowed = now + BusLimits.probeSpacing * took
        }
        report(cause, unit: unit, group: 0, request, at: now)
    }

    private func pause(afterStep step: Int) -> Int64 {
        min(BusLimits.firstStep << min(step - 1, 20), limits.quarantine)
    }

    mutating func finishSettling(
        _ unit: Int, _ request: ModbusRequest, _ outcome: Result<[UInt16], ModbusError.Cause>, at now: Int64
    ) {
        if case .failure(let cause) = outcome, !outcome.isAnswer {
            quarantine(unit, cause, request, at: now)
        } else {
            settle(unit)
            job?.isSettling = false
        }
    }

    /// It answered to the small question. A unit does one thing after the other: if the question had a shape of its
    /// own, nothing older can come any more. A unit that never answers to that is believed anyway.
    private mutating func settle(_ unit: Int) {
        if units[unit].isProbeOdd { units[unit].answersOdd = true }
        units[unit].isUnsettled = units[unit].isUnsettled && !units[unit].isProbeOdd && units[unit].answersOdd
    }

    mutating func quarantine(
        _ unit: Int, _ cause: ModbusError.Cause, _ request: ModbusRequest, at now: Int64
    ) {
        units[unit].step = 1
        units[unit].timeouts += 1
        units[unit].nextProbe = now + pause(afterStep: 1)
        job?.isThere = false
        addPart(request, .failure(cause))
        endGroup(at: now)
    }
}
