import APITypes
import Devices
import Exchange
import History
import Intake
import Metering
import ReadingLog
import Records
import Timekeeping

/// Takes readings of the past into the log, as far as History does not have them: the same lines again change nothing.
///
/// Blocks; on a thread of its own.
struct HistoryIntake {
    private struct Candidate {
        let line: Int
        let key: SeriesKey
        let time: Timestamp
        let value: Int64
    }

    private let home: GatewayHome
    private let isRehearsal: Bool
    private let now: Timestamp
    private var answer = ImportAnswer()
    /// Devices by name; nil inside: refused. In a rehearsal new ones have an identity that nobody keeps.
    private var devices: [String: DeviceID?] = [:]

    /// Readings further apart than this are looked for in History one by one.
    private static let stride = Span.hour
    /// Refusals that are told; all are counted.
    private static let maximumRefusals = 1000
    /// Readings of one record.
    private static let recordSize = 1024

    init(home: GatewayHome, isRehearsal: Bool) {
        self.home = home
        self.isRehearsal = isRehearsal
        now = home.clock.now().wall
    }

    mutating func take(_ lines: [UInt8]) throws -> ImportAnswer {
        var candidates = candidates(lines)
        candidates.sort { ($0.key, $0.time, $0.line) < ($1.key, $1.time, $1.line) }
        let new = try unknown(candidates)
        if isRehearsal {
            answer.taken = new.count
        } else {
            try append(new.sorted { ($0.time, $0.line) < ($1.time, $1.line) })
        }
        answer.refusals.sort { $0.line < $1.line }
        return answer
    }

    private mutating func candidates(_ lines: [UInt8]) -> [Candidate] {
        var parser = ReadingParser(.jsonl)
        var found: [Candidate] = []
        for (i, line) in lines.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated() {
            do throws(LineFault) {
                var readings: [NamedReading] = []
                try parser.parse(line) { readings.append($0) }
                for reading in readings { found.append(try candidate(reading, line: i + 1)) }
            } catch {
                refuse(i + 1, error.description)
            }
        }
        return found
    }

    private mutating func candidate(_ reading: NamedReading, line: Int) throws(LineFault) -> Candidate {
        guard reading.time <= now + Normalizer.futureTolerance else {
            throw LineFault("is of the future: \(reading.time.rfc3339())")
        }
        let oldest = now - home.upkeep.retention
        guard reading.time > oldest else {
            let days = home.upkeep.retention / Span.day
            throw LineFault("is older than what is kept (\(days) days): history_days in energyd.toml says how long")
        }
        let value: Int64
        switch Plausibility.check(reading.quantity, reading.value) {
        case .ok: value = reading.value
        case .clamped(let limit): value = limit
        case .reject(let reason): throw LineFault("is not plausible: \(reason)")
        }
        let device = try device(reading)
        return Candidate(
            line: line, key: SeriesKey(device: device, channel: reading.channel, quantity: reading.quantity),
            time: reading.time, value: value)
    }

    private mutating func device(_ reading: NamedReading) throws(LineFault) -> DeviceID {
        let name = reading.device
        if let known = devices[name] {
            guard let known else { throw LineFault("is of a device that cannot be made: \(name)") }
            return known
        }
        if let device = home.intake.device(named: name) {
            devices[name] = device.id
            return device.id
        }
        guard !DeviceRegistry.reservedNames.contains(name) else {
            devices[name] = .some(nil)
            throw LineFault("is of a device called \(name), which is what energyd calls something else")
        }
        let id: DeviceID?
        if isRehearsal {
            var generator = SystemRandomNumberGenerator()
            id = DeviceID(using: &generator)
        } else {
            id = home.intake.device(at: "import:reading:\(name)", as: DeviceRegistry.Description(importing: reading))
        }
        devices[name] = .some(id)
        guard let id else {
            throw LineFault("names one device more than the \(DeviceRegistry.maximumDevices) a home may have")
        }
        answer.newDevices.append(name)
        return id
    }

    /// Those that neither History nor the candidates before them have. `sorted` by series and time.
    private mutating func unknown(_ sorted: [Candidate]) throws -> [Candidate] {
        var new: [Candidate] = []
        var i = 0
        while i < sorted.count {
            var end = i + 1
            while end < sorted.count, sorted[end].key == sorted[i].key,
                sorted[end].time - sorted[end - 1].time <= HistoryIntake.stride
            {
                end += 1
            }
            try compare(sorted[i..<end], &new)
            i = end
        }
        return new
    }

    /// `run`: of one series, in the order of time. A stored time may have been moved onto the series' grid, so the same
    /// value close by is the same reading.
    private mutating func compare(_ run: ArraySlice<Candidate>, _ new: inout [Candidate]) throws {
        guard let first = run.first, let last = run.last else { return }
        let tolerance = History.timeTolerance
        var stored: [HistoryPoint] = []
        try home.history.range(first.key, from: first.time - tolerance, to: last.time + tolerance + 1) {
            stored.append($0)
        }
        var start = 0
        var previous: Candidate?
        for candidate in run {
            while start < stored.count, stored[start].time < candidate.time - tolerance { start += 1 }
            let near = stored[start...].prefix { $0.time <= candidate.time + tolerance }
            let twin = previous.flatMap { $0.time == candidate.time ? $0.value : nil }
            if near.contains(where: { $0.value == candidate.value }) || twin == candidate.value {
                answer.known += 1
            } else if near.contains(where: { $0.time == candidate.time }) || twin != nil {
                answer.differing += 1
            } else {
                new.append(candidate)
                previous = candidate
            }
        }
    }

    private mutating func append(_ new: [Candidate]) throws {
        // Descriptors of new devices come first.
        home.intake.endBatch()
        var readings: [Reading] = []
        for candidate in new {
            guard let number = try? home.facts.number(for: candidate.key) else {
                refuse(candidate.line, "is of one series more than a home may have")
                continue
            }
            var reading = Reading(series: number, time: candidate.time, received: now, value: candidate.value)
            if let newest = home.history.latest(candidate.key), newest.time > candidate.time {
                reading.flags.insert(.late)
            }
            readings.append(reading)
            if readings.count == HistoryIntake.recordSize { try flush(&readings) }
        }
        try flush(&readings)
    }

    private mutating func flush(_ readings: inout [Reading]) throws {
        guard !readings.isEmpty else { return }
        try home.facts.append([.readings(readings)])
        answer.taken += readings.count
        readings.removeAll(keepingCapacity: true)
    }

    private mutating func refuse(_ line: Int, _ reason: String) {
        answer.refused += 1
        guard answer.refusals.count < HistoryIntake.maximumRefusals else { return }
        answer.refusals.append(ImportAnswer.Refusal(line: line, reason: reason))
    }
}

extension DeviceRegistry.Description {
    /// A file tells no profile; the quantity tells an inverter or a battery.
    init(importing reading: NamedReading) {
        var role: DeviceRole?
        if reading.quantity == .productionEnergy || reading.quantity == .productionPower { role = .solar }
        if [.batteryPower, .batteryChargeEnergy, .batteryDischargeEnergy].contains(reading.quantity) {
            role = .battery
        }
        self.init(family: "import", role: role)
    }
}
