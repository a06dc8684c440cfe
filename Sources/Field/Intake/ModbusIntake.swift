import Devices
import Logging
import Metering
import Modbus
import Synchronization
import Timekeeping

/// The devices of one bus, read on schedule.
///
/// Each group of a device's registers has a period of its own; what is due is read in one go on the bus's thread, and
/// only the results leave it. A device that does not answer is said to be away and asked less often; the others go on.
package final class ModbusIntake: Sendable {
    /// One device of the bus.
    package struct Target: Sendable {
        /// What log lines call it.
        package var name: String
        /// 0 to 255; behind a gateway the device's own address on the line.
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
        /// What goes wrong now, by what was to be read.
        var troubles: [PollSchedule.Due: String] = [:]
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

    /// Of `targets` only those whose profile has registers are read.
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

    /// Requests sent since the start.
    package var requests: UInt64 { counts.withLock { $0.requests } }
    /// Those of `requests` that brought no words.
    package var errors: UInt64 { counts.withLock { $0.errors } }
    /// The bus as a person writes it: `tcp://meter:502`.
    package var name: String { address }
    /// Nil while all is well; else what goes wrong with the first device that has trouble, and with how many more.
    package var trouble: String? {
        let troubles = counts.withLock { $0.troubles }
        guard let first = troubles.min(by: { ($0.key.target, $0.key.group) < ($1.key.target, $1.key.group) }) else {
            return nil
        }
        let others = Set(troubles.keys.map(\.target)).count - 1
        return "\(targets[first.key.target].name): \(first.value)" + (others > 0 ? "; and \(others) more" : "")
    }
    /// Whether any device has been read since the start.
    package var hasAnswered: Bool { counts.withLock { $0.hasAnswered } }

    /// Where a device on a bus is heard: `modbus:tcp://meter:502/1`.
    package static func binding(_ bus: BusAddress, unit: UInt8) -> String {
        "modbus:\(bus)/\(unit)"
    }

    /// Reads until the task is cancelled.
    package func run() async {
        var schedule = PollSchedule(targets, start: clock.now().monotonic)
        while !Task.isCancelled {
            // A bus without devices has nothing to wait for; the longest sleep there is would overflow.
            let wait = min(schedule.next - clock.now().monotonic, Span.hour)
            if wait > 0 {
                do { try await Task.sleep(for: .milliseconds(wait)) } catch { return }
            }
            for due in schedule.takeDue(at: clock.now().monotonic) {
                let answered = await read(due)
                if Task.isCancelled { return }
                schedule.note(due, answered: answered, at: clock.now().monotonic)
            }
        }
    }

    /// Reads one group of one device; returns whether the device is there, be it to say that it cannot.
    private func read(_ due: PollSchedule.Due) async -> Bool {
        let target = targets[due.target]
        guard let map = target.profile.registers else { return true }
        let blocks = map.blocks(of: due.group)
        let results = await bus.run(
            blocks.map { block in
                ModbusRequest(
                    unit: target.unit, function: block.function == 3 ? .holding : .input,
                    address: block.address, count: block.count)
            })
        let source = due.group.hashValue
        var samples: [Sample] = []
        var wrong: [String] = []
        var failure: ModbusError?
        for (block, result) in zip(blocks, results) {
            switch result {
            case .success(let words):
                for error in map.decode(block, words: words, into: &samples) {
                    wrong.append("\(address) unit \(target.unit): \(error)")
                }
            case .failure(let error): failure = error
            }
        }
        // A daemon that stops closes the bus under the request; that says nothing of the device.
        if failure?.cause == .closed { return true }
        let isThere = results.contains(where: ModbusIntake.isAnswer)
        note(due, results, failure)
        let binding = "modbus:\(address)/\(target.unit)"
        guard let device = intake.device(at: binding, as: .init(profile: target.profile, samples: [])) else {
            if complaints.admits(target.name, at: clock.now().monotonic) {
                logger.warning(
                    "a device is left out: the home has \(DeviceRegistry.maximumDevices) already",
                    metadata: ["device": "\(target.name)"])
            }
            return isThere
        }
        if isThere {
            intake.take(samples, of: device, available: true, source: source)
        } else {
            intake.note(device, available: false)
        }
        for reason in wrong { intake.reject(device, reason, source: source) }
        if let failure { complain(device, target, failure, source) }
        intake.endBatch()
        return isThere
    }

    /// Words, or the device's own word that it has none; a gateway that says it cannot reach it is not the device.
    private static func isAnswer(_ result: Result<[UInt16], ModbusError>) -> Bool {
        switch result {
        case .success: true
        case .failure(let error):
            switch error.cause {
            case .exception(.gatewayPathUnavailable), .exception(.gatewayTargetSilent): false
            case .exception: true
            default: false
            }
        }
    }

    private func note(_ due: PollSchedule.Due, _ results: [Result<[UInt16], ModbusError>], _ failure: ModbusError?) {
        let failed = results.count { if case .failure = $0 { true } else { false } }
        let before = counts.withLock { counts in
            counts.requests += UInt64(results.count)
            counts.errors += UInt64(failed)
            if failed < results.count { counts.hasAnswered = true }
            let before = counts.troubles[due]
            counts.troubles[due] = failure.map { "\($0)" }
            return before
        }
        if before != nil, failure == nil {
            logger.notice("reads again", metadata: ["device": "\(targets[due.target].name)", "group": "\(due.group)"])
        }
    }

    private func complain(_ device: DeviceID, _ target: Target, _ error: ModbusError, _ source: Int) {
        intake.reject(device, "\(error)", source: source)
        if complaints.admits(target.name, at: clock.now().monotonic) {
            logger.warning("a read failed", metadata: ["device": "\(target.name)", "reason": "\(error)"])
        }
    }
}
