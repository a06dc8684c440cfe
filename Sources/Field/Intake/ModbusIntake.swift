import Devices
import Logging
import Metering
import Modbus
import Synchronization
import Timekeeping

/// The devices of one bus, read on schedule.
///
/// Each group of a device's registers has a period of its own; what is due is read in one go on the bus's thread, and only
/// the results leave it. A device that does not answer is said to be away and asked less often; the others go on.
package final class ModbusIntake: Sendable {
    package struct Target: Sendable {
        package var name: String
        package var unit: UInt8
        package var profile: Profile
        /// Milliseconds between two reads of the first, fast group; the others keep their profile's proportion.
        package var interval: Int64

        package init(name: String, unit: UInt8, profile: Profile, interval: Int64) {
            self.name = name
            self.unit = unit
            self.profile = profile
            self.interval = interval
        }
    }

    private struct Counts {
        var requests: UInt64 = 0
        var errors: UInt64 = 0
        var lastError: String?
        var hasAnswered = false
    }

    private let intake: Intake
    private let bus: ModbusBus
    private let address: String
    private let targets: [Target]
    private let clock: any Clock
    private let logger: Logger
    private let counts = Mutex(Counts())
    private let complaints = ComplaintLimiter()

    package init(
        intake: Intake, bus: ModbusBus, address: BusAddress, targets: [Target], clock: any Clock, logger: Logger
    ) {
        self.intake = intake
        self.bus = bus
        self.address = "\(address)"
        self.targets = targets.filter { $0.profile.registers != nil }
        self.clock = clock
        self.logger = logger
    }

    package var requests: UInt64 { counts.withLock { $0.requests } }
    package var errors: UInt64 { counts.withLock { $0.errors } }
    package var name: String { address }
    /// Nil while all is well; else the last thing that went wrong.
    package var trouble: String? { counts.withLock { $0.lastError } }
    package var hasAnswered: Bool { counts.withLock { $0.hasAnswered } }

    /// Where a device on a bus is heard: `modbus:tcp://meter:502/1`.
    package static func binding(_ bus: BusAddress, unit: UInt8) -> String {
        "modbus:\(bus)/\(unit)"
    }

    /// Reads until the task is cancelled.
    package func run() async {
        var schedule = PollSchedule(targets, start: clock.now().monotonic)
        while !Task.isCancelled {
            let wait = schedule.next - clock.now().monotonic
            if wait > 0 {
                do { try await Task.sleep(for: .milliseconds(wait)) } catch { return }
            }
            for due in schedule.takeDue(at: clock.now().monotonic) {
                let answered = await read(targets[due.target], group: due.group)
                schedule.note(due.target, answered: answered, at: clock.now().monotonic)
                if Task.isCancelled { return }
            }
        }
    }

    private func read(_ target: Target, group: String) async -> Bool {
        guard let map = target.profile.registers else { return true }
        let blocks = map.blocks(of: group)
        let requests = blocks.map { block in
            ModbusRequest(
                unit: target.unit, function: block.function == 3 ? .holding : .input,
                address: block.address, count: block.count)
        }
        let results = await bus.run(requests)
        let device = intake.device(
            at: "modbus:\(address)/\(target.unit)", as: .init(profile: target.profile, samples: []))
        var samples: [Sample] = []
        var failure: ModbusError?
        for (block, result) in zip(blocks, results) {
            switch result {
            case .success(let words):
                for error in map.decode(block, words: words, into: &samples) {
                    intake.reject(device, "\(address) unit \(target.unit): \(error)")
                }
            case .failure(let error): failure = error
            }
        }
        let failed = results.count { if case .failure = $0 { true } else { false } }
        counts.withLock { counts in
            counts.requests += UInt64(results.count)
            counts.errors += UInt64(failed)
            counts.lastError = failure.map { "\($0)" }
            if failed < results.count { counts.hasAnswered = true }
        }
        guard let device else { return failed < results.count }
        if let failure { complain(device, target, failure) }
        if samples.isEmpty {
            intake.note(device, available: false)
        } else {
            intake.take(samples, of: device, available: true)
        }
        intake.endBatch()
        return !samples.isEmpty
    }

    private func complain(_ device: DeviceID, _ target: Target, _ error: ModbusError) {
        intake.reject(device, "\(error)")
        if complaints.admits(target.name, at: clock.now().monotonic) {
            logger.warning("a read failed", metadata: ["device": "\(target.name)", "reason": "\(error)"])
        }
    }
}

/// When which group of which device is read next. Pure.
struct PollSchedule {
    struct Due: Hashable {
        var target: Int
        var group: String
    }

    private struct Entry {
        var due: Due
        var period: Int64
        var next: Int64
    }

    private var entries: [Entry] = []
    /// Reads in a row that a target did not answer.
    private var silences: [Int: Int64] = [:]

    /// A silent device is asked at most this much later than its schedule says, in ms.
    static let maximumBackoff: Int64 = 60_000

    init(_ targets: [ModbusIntake.Target], start: Int64) {
        for (i, target) in targets.enumerated() {
            guard let groups = target.profile.registers?.groups, let fast = groups.first?.period else { continue }
            for group in groups {
                let period = max(100, target.interval * max(1, group.period) / max(1, fast))
                entries.append(Entry(due: Due(target: i, group: group.name), period: period, next: start))
            }
        }
    }

    /// The instant at which something is due; far away when there is nothing to read.
    var next: Int64 { entries.map(\.next).min() ?? .max / 2 }

    /// What is due, the longest overdue first. A period that was missed is left out, not made up for.
    mutating func takeDue(at now: Int64) -> [Due] {
        var due: [(since: Int64, due: Due)] = []
        for i in entries.indices where entries[i].next <= now {
            due.append((entries[i].next, entries[i].due))
            let missed = (now - entries[i].next) / entries[i].period
            entries[i].next += (missed + 1) * entries[i].period
        }
        return due.sorted { $0.since < $1.since }.map(\.due)
    }

    mutating func note(_ target: Int, answered: Bool, at now: Int64) {
        guard !answered else {
            silences[target] = nil
            return
        }
        let silence = min((silences[target] ?? 0) + 1, 16)
        silences[target] = silence
        for i in entries.indices where entries[i].due.target == target {
            let backoff = min(
                entries[i].period << min(silence - 1, 6), max(entries[i].period, PollSchedule.maximumBackoff))
            entries[i].next = max(entries[i].next, now + backoff)
        }
    }
}
