extension BusEngine {
    /// What the bus looks like now.
    public func report(at now: Int64) -> BusReport {
        var utilization = utilization
        return BusReport(
            units: units.map { unit in
                let blocks = unit.groups.flatMap(\.blocks)
                return BusReport.Unit(
                    unit: unit.unit, counters: unit.counters, latencyMedian: unit.latency.quantile(permille: 500),
                    latencyHigh: unit.latency.quantile(permille: 990),
                    timeout: unit.latency.timeout(limits, doublings: unit.timeouts), quarantineStep: unit.step,
                    nextAttempt: unit.isSilent ? max(0, max(unit.nextProbe, probeAllowed) - now) : nil,
                    refused: blocks.count { $0.notBefore > now }, blocks: blocks.count,
                    plannedBlocks: unit.groups.reduce(0) { $0 + $1.planned.blocks.count })
            },
            total: total, utilization: utilization.permille(at: now), trouble: trouble)
    }
}
