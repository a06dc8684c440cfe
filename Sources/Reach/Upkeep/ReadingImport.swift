import Exchange
import History
import Metering
import ReadingLog
import Records
import Timekeeping

/// The home that readings of the past are taken into: a running gateway's, or one that rests in its directory.
public protocol ImportingHome {
    var facts: ReadingLog { get }
    /// Has all that the log has.
    var history: History { get }
    /// The device that people call so.
    func device(named name: String) -> DeviceID?
    /// A name that means something else.
    func isReserved(_ name: String) -> Bool
    /// Makes the device that a reading of the file is of; nil when the home has as many as it may have.
    mutating func makeDevice(_ reading: NamedReading) -> DeviceID?
    /// What has to be in the log before readings of the devices that were made.
    mutating func describeDevices() throws
    /// The reading's value, within what its quantity can be.
    func plausible(_ reading: NamedReading, now: Timestamp) throws(LineFault) -> Int64
}

/// What became of the lines of one import.
public struct ImportOutcome: Sendable {
    /// A line that was not taken in, counted from 1, and the end of a sentence about it.
    public struct Refusal: Sendable {
        public var line: Int
        public var reason: String

        public init(line: Int, reason: String) {
            self.line = line
            self.reason = reason
        }
    }

    /// Taken in, or in a rehearsal: would be.
    public var taken = 0
    /// There already, with the same value, or in the roll-ups of their time.
    public var known = 0
    /// There already with another value, which stays.
    public var differing = 0
    /// Of those taken in: older than raw values are kept.
    public var older = 0
    /// Lines that were not taken in.
    public var refused = 0
    /// Why, of the first thousand of them.
    public var refusals: [Refusal] = []
    /// Names of devices that the home did not have.
    public var newDevices: [String] = []

    public init() {}
}

/// Takes readings of the past into the log, as far as History does not have them: the same lines again change nothing.
/// Those that are older than History keeps raw values go into its roll-ups, where these have nothing of their quarter
/// of an hour yet.
///
/// Blocks; on a thread of its own.
public struct ReadingImport<Home: ImportingHome> {
    private struct Candidate {
        let line: Int
        let key: SeriesKey
        let time: Timestamp
        let value: Int64
    }

    /// As it is after what was taken in.
    public private(set) var home: Home
    private let isRehearsal: Bool
    private let oldest: Timestamp?
    private let now: Timestamp
    private var answer = ImportOutcome()
    /// Devices by name; nil inside: refused. In a rehearsal new ones have an identity that nobody keeps.
    private var devices: [String: DeviceID?] = [:]

    /// Readings further apart than this are looked for in History one by one.
    private static var stride: Int64 { Span.hour }
    /// Refusals that are told; all are counted.
    private static var maximumRefusals: Int { 1000 }
    /// Readings of one record.
    private static var recordSize: Int { 1024 }

    /// `retention`: how long History keeps raw values, in ms; nil where that is not known.
    public init(home: Home, isRehearsal: Bool, retention: Int64?, now: Timestamp) {
        self.home = home
        self.isRehearsal = isRehearsal
        oldest = retention.map { now - $0 }
        self.now = now
    }

    /// `lines`: jsonl, as `Formats.md` has it.
    public mutating func take(_ lines: [UInt8]) throws -> ImportOutcome {
        answer = ImportOutcome()
        var candidates = candidates(lines)
        candidates.sort { ($0.key, $0.time, $0.line) < ($1.key, $1.time, $1.line) }
        let new = try unknown(candidates)
        if let oldest { answer.older = new.count { $0.time < oldest } }
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
        let value = try home.plausible(reading, now: now)
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
        if let id = home.device(named: name) {
            devices[name] = id
            return id
        }
        guard !home.isReserved(name) else {
            devices[name] = .some(nil)
            throw LineFault("is of a device called \(name), which is what energyd calls something else")
        }
        let id: DeviceID?
        if isRehearsal {
            var generator = SystemRandomNumberGenerator()
            id = DeviceID(using: &generator)
        } else {
            id = home.makeDevice(reading)
        }
        devices[name] = .some(id)
        guard let id else {
            throw LineFault("names one device more than a home may have")
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
                sorted[end].time - sorted[end - 1].time <= Self.stride
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
        let givenUp = try givenUp(first.key, first.time, last.time)
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
            } else if givenUp.contains(ReadingImport.quarter(of: candidate.time)) {
                answer.known += 1
            } else {
                new.append(candidate)
                previous = candidate
            }
        }
    }

    private static var quarter: Int64 { 15 * Span.minute }

    private static func quarter(of time: Timestamp) -> Timestamp { time - time.milliseconds % quarter }

    /// Quarters of an hour of which History has less in raw values than its roll-ups count: what they were made of has
    /// been given up, and taking it in again would count it twice.
    private func givenUp(
        _ key: SeriesKey, _ from: Timestamp, _ to: Timestamp
    ) throws -> Set<Timestamp> {
        let quarter = ReadingImport.quarter
        let (begin, end) = (ReadingImport.quarter(of: from), ReadingImport.quarter(of: to) + quarter)
        var counts: [Timestamp: Int] = [:]
        try home.history.downsample(key, from: begin, to: end, step: quarter) { counts[$0.start] = $0.count }
        if counts.isEmpty { return [] }
        // Those at the ends reach beyond what was asked for.
        try home.history.range(key, from: begin, to: end) {
            counts[ReadingImport.quarter(of: $0.time), default: 0] -= 1
        }
        return Set(counts.filter { $0.value > 0 }.keys)
    }

    private mutating func append(_ new: [Candidate]) throws {
        // Descriptors of new devices come first.
        try home.describeDevices()
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
            if readings.count == Self.recordSize { try flush(&readings) }
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
        guard answer.refusals.count < Self.maximumRefusals else { return }
        answer.refusals.append(ImportOutcome.Refusal(line: line, reason: reason))
    }
}
