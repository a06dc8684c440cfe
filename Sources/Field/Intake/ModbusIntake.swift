import Devices
import Logging
import Metering
import Modbus
import Synchronization
import Timekeeping

/// The devices of one bus, read on schedule.
///
/// Each group of a device's registers has a period of its own. The bus reads by that plan on its own thread; here its
/// results become samples. A device that does not answer is said to be away; the others go on.
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
        /// Milliseconds of silence it wants after an answer; nil: what its profile says.
        package var pause: Int64?

        package init(name: String, unit: UInt8, profile: Profile, interval: Int64, pause: Int64? = nil) {
            self.name = name
            self.unit = unit
            self.profile = profile
            self.interval = interval
            self.pause = pause
        }
    }

    /// One group of one target.
    private struct Source: Hashable {
        var target: Int
        var group: Int
    }

    private struct Counts {
        /// What goes wrong now, by what was to be read.
        var troubles: [Source: String] = [:]
        var hasAnswered = false
    }

    /// The line itself, for reads beside the plan and for what it has seen.
    package let bus: ModbusBus
    /// In the order of the report's units.
    package let targets: [Target]
    private let intake: Intake
    private let clock: any Clock
    private let logger: Logger
    private let counts = Mutex(Counts())
    private let complaints = ComplaintLimiter()

    /// Of `targets` only those whose profile has registers are read.
    package init(intake: Intake, bus: ModbusBus, targets: [Target], clock: any Clock, logger: Logger) {
        self.intake = intake
        self.bus = bus
        self.targets = targets.filter { $0.profile.registers != nil }
        self.clock = clock
        self.logger = logger
    }

    /// Requests sent since the start.
    package var requests: UInt64 { UInt64(bus.report.total.requests) }
    /// Those of `requests` that brought no words.
    package var errors: UInt64 { UInt64(bus.report.total.errors) }
    /// The bus as a person writes it: `tcp://meter:502`.
    package var name: String { "\(bus.address)" }
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

    /// Reads until the task is cancelled or the bus closed.
    package func run() async {
        for await batch in bus.results(of: ModbusIntake.plan(targets)) {
            for result in batch { take(result) }
            intake.endBatch()
        }
    }

    /// One group of one device.
    private func take(_ result: GroupResult) {
        let target = targets[result.unit]
        guard let map = target.profile.registers else { return }
        var samples: [Sample] = []
        var wrong: [String] = []
        var failure: ModbusError?
        var hasWords = false
        for part in result.parts {
            switch part.result {
            case .success(let words):
                hasWords = true
                let block = RegisterBlock(
                    function: part.function.rawValue, address: UInt16(part.range.lowerBound), count: part.range.count,
                    group: result.group)
                for error in map.decode(block, words: words, into: &samples) {
                    wrong.append("\(bus.address) unit \(target.unit): \(error)")
                }
            case .failure(let cause):
                let request = ModbusRequest(
                    unit: target.unit, function: part.function, address: UInt16(part.range.lowerBound),
                    count: part.range.count)
                failure = ModbusError(bus: bus.address, request: request, cause: cause)
            }
        }
        note(result, hasWords: hasWords, failure)
        let binding = ModbusIntake.binding(bus.address, unit: target.unit)
        guard let device = intake.device(at: binding, as: .init(profile: target.profile, samples: [])) else {
            if complaints.admits(target.name, at: clock.now().monotonic) {
                logger.warning(
                    "a device is left out: the home has \(DeviceRegistry.maximumDevices) already",
                    metadata: ["device": "\(target.name)"])
            }
            return
        }
        let source = result.unit << 8 | result.group
        if hasWords || result.isThere {
            intake.take(samples, of: device, at: heard(result), available: true, source: source)
        }
        if !result.isThere { intake.note(device, available: false) }
        for reason in wrong { intake.reject(device, reason, source: source) }
        if let failure { complain(device, target, failure, source) }
    }

    /// The bus hands on in batches; what it read a moment ago was heard a moment ago.
    private func heard(_ result: GroupResult) -> ClockReading {
        let now = clock.now()
        let age = min(max(result.age, 0), 10 * Span.second)
        return ClockReading(
            wall: now.wall - age, monotonic: now.monotonic - age, synchronized: now.synchronized)
    }

    private func note(_ result: GroupResult, hasWords: Bool, _ failure: ModbusError?) {
        let source = Source(target: result.unit, group: result.group)
        let before = counts.withLock { counts in
            if hasWords || result.isThere { counts.hasAnswered = true }
            let before = counts.troubles[source]
            counts.troubles[source] = failure.map { "\($0)" }
            return before
        }
        if before != nil, failure == nil {
            let target = targets[result.unit]
            let group = target.profile.registers?.groups[result.group].name ?? ""
            logger.notice("reads again", metadata: ["device": "\(target.name)", "group": "\(group)"])
        }
    }

    private func complain(_ device: DeviceID, _ target: Target, _ error: ModbusError, _ source: Int) {
        intake.reject(device, "\(error)", source: source)
        if complaints.admits(target.name, at: clock.now().monotonic) {
            logger.warning("a read failed", metadata: ["device": "\(target.name)", "reason": "\(error)"])
        }
    }
}
