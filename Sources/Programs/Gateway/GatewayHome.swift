import API
import APITypes
import Billing
import ConfigurationFile
import History
import Intake
import Logging
import Metering
import Modbus
import ReadingLog
import Records
import Synchronization
import Threads
import Timekeeping

/// The home as the API shows it. History is read on the thread of `reading`, never on the cooperative pool.
struct GatewayHome: HomeView {
    /// Reads files for queries, one after the other.
    actor HistoryReading {
        private nonisolated let executor = ThreadExecutor()
        nonisolated var unownedExecutor: UnownedSerialExecutor { executor.asUnownedSerialExecutor() }
        let history: History
        private let clock: any Clock
        private let logger: Logger
        /// A damaged place is met by every query that touches it.
        private let complaints = ComplaintLimiter()

        init(_ history: History, clock: any Clock, logger: Logger) {
            self.history = history
            self.clock = clock
            self.logger = logger
        }

        deinit {
            executor.stop()
        }

        /// The newest `limit` values of `from ..< to`, in the order of time.
        func newest(
            _ keys: [SeriesKey], from: Timestamp, to: Timestamp, limit: Int
        ) throws -> [(key: Int, point: HistoryPoint)] {
            var found: [(key: Int, point: HistoryPoint)] = []
            let damaged = history.statistics.damagedBlocks
            defer { if history.statistics.damagedBlocks > damaged { complain() } }
            for (i, key) in keys.enumerated() {
                try history.range(key, from: from, to: to) { point in
                    found.append((i, point))
                    if found.count >= 2 * limit + 1024 { HistoryReading.cut(&found, to: limit) }
                }
            }
            HistoryReading.cut(&found, to: limit)
            return found
        }

        func complain() {
            guard let place = history.damage.last else { return }
            if complaints.admits(place.path, at: clock.now().monotonic) {
                logger.warning("readings in a damaged block are left out", metadata: ["place": "\(place)"])
            }
        }

        func complain(of error: any Error) {
            if complaints.admits("\(error)", at: clock.now().monotonic) {
                logger.warning("power is left out of usage", metadata: ["reason": "\(error)"])
            }
        }

        private static func cut(_ found: inout [(key: Int, point: HistoryPoint)], to limit: Int) {
            found.sort { ($0.point.time, $0.key) < ($1.point.time, $1.key) }
            if found.count > limit { found.removeFirst(found.count - limit) }
        }
    }

    let version: String
    let gateway: GatewayID
    let homeName: String
    let zone: Zone
    let started: Timestamp
    let clock: any Clock
    let intake: Intake
    let facts: ReadingLog
    let history: History
    let reading: HistoryReading
    let pipeline: Pipeline
    let followers: Followers
    let sink: LogSink
    let mqtt: MQTTIntake?
    let bridge: BridgeService?
    let buses: [ModbusIntake]
    let configuration: Configuration
    let prices: PriceFetcher?
    let upkeep: GatewayUpkeep

    func devices() async -> [DeviceAnswer] {
        let devices = intake.devices.sorted { $0.name < $1.name }
        let names = Dictionary(devices.map { ($0.id, $0.name) }, uniquingKeysWith: { first, _ in first })
        var power: [DeviceID: Int64] = [:]
        for reading in intake.latest {
            guard let key = facts.key(for: reading.series), key.channel == .total else { continue }
            if key.quantity == .power || key.quantity == .productionPower { power[key.device] = reading.value }
        }
        let kept = Dictionary(
            history.latestAll().map { ($0.key.device, $0.point.time) }, uniquingKeysWith: { max($0, $1) })
        return devices.map { device in
            let status = intake.status(device.id)
            return DeviceAnswer(
                device: device, lastSeen: status.lastSeen ?? kept[device.id], available: status.available,
                messages: status.messages, rejected: status.rejected, lastError: status.lastError,
                power: status.available == false ? nil : power[device.id],
                parentName: device.parent.flatMap { names[$0] })
        }
    }

    func latest(_ filter: SeriesFilter) async throws -> [ReadingAnswer] {
        try check(filter.device)
        var newest: [SeriesKey: ReadingAnswer] = [:]
        for (key, point) in history.latestAll() {
            newest[key] = ReadingAnswer(
                device: name(key.device), channel: key.channel, quantity: key.quantity, time: point.time,
                received: point.time, value: point.value, flags: [])
        }
        for reading in intake.latest {
            guard let key = facts.key(for: reading.series) else { continue }
            if let kept = newest[key], kept.time > reading.time { continue }
            newest[key] = ReadingAnswer(reading, key: key, device: name(key.device))
        }
        return newest.values
            .filter { filter.matches(device: $0.device, channel: $0.channel, quantity: $0.quantity) }
            .sorted {
                ($0.device, $0.channel, $0.quantity) < ($1.device, $1.channel, $1.quantity)
            }
    }

    func readings(
        _ filter: SeriesFilter, since: Timestamp, until: Timestamp, limit: Int
    ) async throws -> @Sendable (Int) -> [ReadingAnswer]? {
        try check(filter.device)
        let keys = facts.dictionary.entries.map(\.key).filter {
            filter.matches(device: name($0.device), channel: $0.channel, quantity: $0.quantity)
        }
        let names = keys.map { name($0.device) }
        let found = try await reading.newest(keys, from: since, to: until, limit: limit)
        return { page in
            let first = page * GatewayHome.pageSize
            guard first < found.count else { return nil }
            return found[first..<min(first + GatewayHome.pageSize, found.count)].map { index, point in
                ReadingAnswer(
                    device: names[index], channel: keys[index].channel, quantity: keys[index].quantity,
                    time: point.time, received: point.time, value: point.value, flags: [])
            }
        }
    }

    private static let pageSize = 1024

    func follow(_ filter: SeriesFilter) async throws -> AsyncStream<[ReadingAnswer]> {
        try check(filter.device)
        return followers.follow(filter)
    }

    func usage(
        by period: UsagePeriod, since: Timestamp?, until: Timestamp?, device: String?
    ) async throws -> [UsageAnswer] {
        guard let grouping = Grouping(rawValue: period.rawValue) else { return [] }
        if device != "home", device != "unmetered" { try check(device) }
        let now = clock.now().wall
        let to = min(until ?? now + Slot.length, Timestamp.validRange.upperBound)
        // From the start of a period, so that the first row is not a part of one.
        let billingDay = configuration.home.billingDay
        let from = grouping.period(
            containing: since ?? start(of: period, at: now), zone: zone, billingDay: billingDay
        ).from
        guard from < to else { throw Problem.badRequest("since is not before until") }
        let rows = try await pipeline.rows(by: grouping, from: from, to: to, zone: zone)
            .filter { device == nil || $0.name == device }
        return await reading.powers(beside: rows, devices: pipeline.knownDevices).map(UsageAnswer.init)
    }

    /// Where a listing begins that does not say: today, the last seven days, the last twelve months.
    private func start(of period: UsagePeriod, at now: Timestamp) -> Timestamp {
        let today = zone.day(containing: now)
        switch period {
        case .slot, .hour: return zone.start(of: today)
        case .day: return zone.start(of: today.adding(days: -6))
        case .week: return zone.start(of: today.adding(days: -49))
        case .month, .bill: return now - 335 * Span.day
        case .year: return zone.start(of: today.adding(months: -48))
        }
    }

    func name(_ device: DeviceID) -> String {
        intake.device(device)?.name ?? device.description
    }

    /// A device that nobody has heard of is most likely a slip, and its absence not an empty answer.
    func check(_ device: String?) throws {
        guard let device, intake.device(named: device) == nil else { return }
        let names = intake.devices.map(\.name).sorted()
        let known = names.isEmpty ? "none is known yet" : "known are " + names.prefix(20).joined(separator: ", ")
        throw Problem.notFound("no device is called \(device); \(known)")
    }
}
