import API
import APITypes
import History
import Intake
import Metering
import ReadingLog
import Records
import Timekeeping

extension GatewayHome {
    func status() async -> StatusAnswer {
        let counters = intake.counters
        let now = clock.now()
        var stages: [StageStatus] = []
        if let mqtt {
            stages.append(StageStatus(name: "mqtt", state: mqtt.isConnected ? .ok : .waiting, detail: mqtt.state))
        } else {
            stages.append(StageStatus(name: "mqtt", state: .ok, detail: "switched off"))
        }
        if let (isWorking, detail) = bridge?.state {
            stages.append(StageStatus(name: "bridge", state: isWorking ? .ok : .waiting, detail: detail))
        }
        for bus in buses {
            let state: StageStatus.State = bus.trouble != nil ? .failed : bus.hasAnswered ? .ok : .waiting
            let detail = bus.trouble ?? "\(bus.requests) requests, \(bus.errors) errors"
            stages.append(StageStatus(name: "modbus \(bus.name)", state: state, detail: detail))
        }
        let troubles = await pipeline.troubles
        let end = facts.end.offset
        let durable = facts.durable.offset
        var log = "\(end) records, \(durable) of them on disk"
        if followers.lost > 0 { log += "; \(followers.lost) batches lost by slow watchers" }
        if sink.lost > 0 { log += "; \(sink.lost) lost" }
        let waiting = facts.statistics
        if facts.trouble != nil { log += "; \(waiting.waitingBytes >> 10) KiB wait in memory" }
        if waiting.droppedReadings > 0 {
            log += "; \(waiting.droppedReadings) readings dropped, the oldest that waited"
        }
        let history = history.statistics
        var kept = "\(history.files) files, \(history.bytes >> 10) KiB"
        if history.damagedBlocks > 0 { kept += "; damaged blocks were left out \(history.damagedBlocks) times" }
        if !history.setAside.isEmpty { kept += "; \(history.setAside.count) damaged files set aside" }
        let healthy = [
            ("log", log), ("history", kept), ("usage", await pipeline.usageSummary), ("ledger", "slots and cost"),
        ]
        if let trouble = troubles["store"] {
            stages.append(StageStatus(name: "store", state: .failed, detail: trouble))
        }
        for (name, detail) in healthy {
            if pipeline.parts.place.absence != nil, name != "log" {
                stages.append(StageStatus(name: name, state: .waiting, detail: "waits for the state directory"))
                continue
            }
            let trouble = troubles[name]
            let told = trouble.map { name == "log" ? "\($0); \(log)" : $0 }
            stages.append(StageStatus(name: name, state: trouble == nil ? .ok : .failed, detail: told ?? detail))
        }
        stages += await prices?.stages ?? []
        stages.append(
            StageStatus(
                name: "clock", state: now.synchronized ? .ok : .waiting,
                detail: now.synchronized ? "synchronised" : "not synchronised; readings are flagged"))
        return StatusAnswer(
            gateway: gateway.description, version: version, home: homeName, zone: zone.name, started: started,
            now: now.wall, devices: intake.devices.count, series: facts.dictionary.count, end: end, durable: durable,
            readings: counters.readings, rejected: counters.rejected + counters.implausible, stages: stages)
    }
}
