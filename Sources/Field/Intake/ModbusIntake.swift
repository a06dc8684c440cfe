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
public final class ModbusIntake: Sendable {
    /// One device of the bus.
    public struct Target: Sendable {
        /// What log lines call it.
        public var name: String
        /// 0 to 255; behind a gateway the device's own address on the line.
        public var unit: UInt8
        public var profile: Profile
        /// Milliseconds between two reads of the first, fast group; the others keep their profile's proportion.
        public var interval: Int64
        /// Milliseconds of silence it wants after an answer; nil: what its profile says.
        public var pause: Int64?
        /// What its owner says of its transformers.
        public var context: RegisterContext

        public init(
            name: String, unit: UInt8, profile: Profile, interval: Int64, pause: Int64? = nil,
            context: RegisterContext = RegisterContext()
        ) {
            self.name = name
            self.unit = unit
            self.profile = profile
            self.interval = interval
            self.pause = pause
            self.context = context
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
    public let bus: ModbusBus
    /// In the order of the report's units.
    public let targets: [Target]
    private let intake: Intake
    private let clock: any Clock
    private let logger: Logger
    private let counts = Mutex(Counts())
    private let devices: Mutex<[ModbusDevice]>
    private let complaints = ComplaintLimiter()

    /// Of `targets` only those whose profile has registers are read.
    public init(intake: Intake, bus: ModbusBus, targets: [Target], clock: any Clock, logger: Logger) {
        self.intake = intake
        self.bus = bus
        self.targets = targets.filter { $0.profile.registers != nil }
        devices = Mutex(self.targets.map(ModbusDevice.init))
        self.clock = clock
        self.logger = logger
    }

    /// Requests sent since the start.
    public var requests: UInt64 { UInt64(bus.report.total.requests) }
    /// Those of `requests` that brought no words.
    public var errors: UInt64 { UInt64(bus.report.total.errors) }
    /// The bus as a person writes it: `tcp://meter:502`.
    public var name: String { "\(bus.address)" }
    /// Nil while all is well; else what goes wrong with the first device that has trouble, and with how many more.
    public var trouble: String? {
        let troubles = counts.withLock { $0.troubles }
        guard let first = troubles.min(by: { ($0.key.target, $0.key.group) < ($1.key.target, $1.key.group) }) else {
            return nil
        }
        let others = Set(troubles.keys.map(\.target)).count - 1
        return "\(targets[first.key.target].name): \(first.value)" + (others > 0 ? "; and \(others) more" : "")
    }
    /// Whether any device has been read since the start.
    public var hasAnswered: Bool { counts.withLock { $0.hasAnswered } }

    /// Where a device on a bus is heard: `modbus:tcp://meter:502/1`.
    public static func binding(_ bus: BusAddress, unit: UInt8) -> String {
        "modbus:\(bus)/\(unit)"
    }

    /// Reads until the task is cancelled or the bus closed.
    public func run() async {
        let plan = BusPlan(units: devices.withLock { $0.map(\.plan) })
        await withDiscardingTaskGroup { group in
            for await batch in bus.results(of: plan) {
                for result in batch where take(result) {
                    group.addTask { await self.locate(result.unit) }
                }
                intake.endBatch()
            }
            group.cancelAll()
        }
    }

    /// One group of one device. True when the device is there and its models have to be found.
    private func take(_ result: GroupResult) -> Bool {
        let known = devices.withLock { devices -> ModbusDevice? in
            let known = devices[result.unit]
            guard known.version == result.version else { return nil }
            if known.map == nil, result.isThere { devices[result.unit].isWalking = true }
            if known.map != nil, known.group(result.group) == nil {
                for answer in result.parts.compactMap(\.answer) { devices[result.unit].note(answer) }
            }
            return known
        }
        guard let known else { return false }
        let target = known.target
        var samples: [Sample] = []
        var wrong: [String] = []
        var failure: ModbusError?
        for part in result.parts {
            switch part.result {
            case .success(let words):
                guard let map = known.map, let group = known.group(result.group) else { continue }
                let block = RegisterBlock(
                    function: part.function.rawValue, address: UInt16(part.range.lowerBound), count: part.range.count,
                    group: group)
                for error in map.decode(block, words: words, context: known.context, into: &samples) {
                    wrong.append("\(bus.address) unit \(target.unit): \(error)")
                }
            case .failure(let cause):
                // A device without the first marker may have another.
                if known.map == nil, result.isThere { continue }
                let request = ModbusRequest(
                    unit: target.unit, function: part.function, address: UInt16(part.range.lowerBound),
                    count: part.range.count)
                failure = ModbusError(bus: bus.address, request: request, cause: cause)
            }
        }
        note(result, failure)
        guard let device = device(target) else { return false }
        let source = result.unit << 8 | result.group
        let hasWords = result.parts.contains { $0.answer != nil }
        if known.map != nil, hasWords || result.isThere {
            intake.take(samples, of: device, at: heard(result), available: true, source: source)
        }
        if !result.isThere { intake.note(device, available: false) }
        for reason in wrong { intake.reject(device, reason, source: source) }
        if let failure { complain(device, target, "\(failure)", source, isAsked: !failure.isBusAway) }
        return known.map == nil && result.isThere && !known.isWalking
    }

    /// Finds a device's models, and reads it where they are.
    private func locate(_ index: Int) async {
        let target = targets[index]
        let found = await ModbusIntake.walk(bus, unit: target.unit)
        if Task.isCancelled { return }
        let reason: String
        switch found {
        case .success(let chain):
            let plan = devices.withLock { devices in
                devices[index].isWalking = false
                return devices[index].locate(in: chain)
            }
            if let plan { return bus.replan(index, plan) }
            let models = chain.map { "\($0.id)" }.joined(separator: ", ")
            reason = "none of its SunSpec models (\(models)) is one of the profile \(target.profile.name)"
        case .failure(let failure):
            devices.withLock { $0[index].isWalking = false }
            reason = "\(failure)"
        }
        guard let device = device(target) else { return }
        complain(device, target, "\(bus.address) unit \(target.unit): \(reason)", index << 8)
    }

    private func device(_ target: Target) -> DeviceID? {
        let binding = ModbusIntake.binding(bus.address, unit: target.unit)
        let device = intake.device(at: binding, as: .init(profile: target.profile, samples: []))
        if device == nil, complaints.admits(target.name, at: clock.now().monotonic) {
            logger.warning(
                "a device is left out: the home has \(DeviceRegistry.maximumDevices) already",
                metadata: ["device": "\(target.name)"])
        }
        return device
    }

    /// The bus hands on in batches; what it read a moment ago was heard a moment ago.
    private func heard(_ result: GroupResult) -> ClockReading {
        let now = clock.now()
        let age = min(max(result.age, 0), 10 * Span.second)
        return ClockReading(
            wall: now.wall - age, monotonic: now.monotonic - age, synchronized: now.synchronized)
    }

    private func note(_ result: GroupResult, _ failure: ModbusError?) {
        let source = Source(target: result.unit, group: result.group)
        let before = counts.withLock { counts in
            if result.isThere || result.parts.contains(where: { $0.answer != nil }) { counts.hasAnswered = true }
            let before = counts.troubles[source]
            counts.troubles[source] = failure.map { "\($0)" }
            return before
        }
        if before != nil, failure == nil {
            logger.notice("reads again", metadata: ["device": "\(targets[result.unit].name)"])
        }
    }

    private func complain(_ device: DeviceID, _ target: Target, _ reason: String, _ source: Int, isAsked: Bool = true) {
        if isAsked {
            intake.reject(device, reason, source: source)
        } else {
            intake.noteUnasked(device, reason, source: source)
        }
        if complaints.admits(target.name, at: clock.now().monotonic) {
            logger.warning("a read failed", metadata: ["device": "\(target.name)", "reason": "\(reason)"])
        }
    }
}

extension GroupResult.Part {
    /// The words that came, and from where.
    fileprivate var answer: RegisterContext.Answer? {
        guard case .success(let words) = result else { return nil }
        return RegisterContext.Answer(
            function: function.rawValue, address: UInt16(range.lowerBound), words: words)
    }
}

extension ModbusError {
    /// Nothing was asked, since the bus could not be opened.
    fileprivate var isBusAway: Bool {
        if case .cannotConnect = cause { true } else { false }
    }
}
