import Devices
import Metering
import Records
import Synchronization
import Timekeeping

/// Turns what sources say into records: devices are found, samples normalised, batches handed to the sink.
///
/// Any thread may call. Two locks, always in this order: `order` (held while a batch goes to the sink, so that batches
/// of two sources cannot overtake each other) and `state` (held for memory only).
public final class Intake: Sendable {
    /// A batch goes to the sink when it has grown to this many readings, if no source ended it before.
    public static let batchSize = 256

    private struct State {
        var registry: DeviceRegistry
        var normalizer = Normalizer()
        var generator = SystemRandomNumberGenerator()
        var records: [Record] = []
        var readings: [Reading] = []
        var statuses: [DeviceID: DeviceStatus] = [:]
        /// Newest reading by series number.
        var latest: [Reading?] = []
        var counters = IntakeCounters()
        var trust: ClockTrust
    }

    private let order = Mutex(())
    private let state: Mutex<State>
    private let sink: any RecordSink
    private let clock: any Clock

    public init(registry: DeviceRegistry, trust: ClockTrust, clock: any Clock, sink: any RecordSink) {
        state = Mutex(State(registry: registry, trust: trust))
        self.sink = sink
        self.clock = clock
    }

    /// The device at `address`, found or made.
    public func device(
        at address: String, as description: @autoclosure () -> DeviceRegistry.Description
    ) -> DeviceID? {
        state.withLock { state in
            let stamp = state.trust.stamp(clock.now())
            guard
                let (id, changed) = state.registry.resolve(
                    address, as: description(), at: stamp.time, using: &state.generator)
            else {
                state.counters.refusedDevices += 1
                return nil
            }
            if !changed.isEmpty {
                Intake.closeReadings(&state)
                state.records.append(contentsOf: changed.map(Record.device))
            }
            return id
        }
    }

    /// Takes one message's samples in, heard `at` an instant that the caller may know already. Returns whether the
    /// batch is full and `endBatch` should follow.
    ///
    /// `available`: what the source knows; nil where a message that is not retained is itself the sign of life.
    /// `source` tells the topic or the group of registers from the device's others, as in `reject`.
    @discardableResult
    public func take(
        _ samples: [Sample], of device: DeviceID, at heard: ClockReading? = nil, retained: Bool = false,
        connection: UInt32 = 0, available: Bool? = nil, source: @autoclosure () -> Int = 0
    ) -> Bool {
        let now = heard ?? clock.now()
        return state.withLock { state in
            let stamp = state.trust.stamp(now)
            let context = Normalizer.Context(
                device: device, received: stamp.time, retained: retained, clockSynchronized: !stamp.isFlagged,
                connection: connection)
            let known = state.statuses[device]?.available
            let isThere = available ?? (retained ? known : true)
            // Where nothing was ever said of it coming and going, a message is no news.
            if let isThere, isThere != known, available != nil || known != nil {
                add([Intake.availability(isThere)], context, &state)
            }
            let complaint = add(samples, context, &state)
            state.counters.messages += 1
            if complaint != nil { state.counters.implausible += 1 }
            Intake.update(&state, device) { status in
                status.messages += 1
                // A retained message tells what was, not that the device is there.
                if !retained { status.lastSeen = stamp.time }
                status.available = isThere
                if let complaint {
                    status.rejected += 1
                    status.lastError = complaint
                    status.errorSource = source()
                } else if let failed = status.errorSource, failed == source() {
                    status.lastError = nil
                    status.errorSource = nil
                }
            }
            return state.readings.count >= Intake.batchSize
        }
    }

    /// Its availability topic or its bus says that it came or went. A retained word is no sign of life.
    public func note(_ device: DeviceID, available: Bool, retained: Bool = false) {
        let now = clock.now()
        state.withLock { state in
            let stamp = state.trust.stamp(now)
            if state.statuses[device]?.available != available {
                let context = Normalizer.Context(
                    device: device, received: stamp.time, retained: retained, clockSynchronized: !stamp.isFlagged)
                add([Intake.availability(available)], context, &state)
            }
            Intake.update(&state, device) { status in
                status.available = available
                if available, !retained { status.lastSeen = stamp.time }
            }
        }
    }

    /// Something of `device` could not be read; nil: it is not known whose it was. `source` as in `take`.
    public func reject(_ device: DeviceID?, _ reason: String, source: Int = 0) {
        state.withLock { state in
            state.counters.rejected += 1
            guard let device else { return }
            Intake.update(&state, device) { status in
                status.rejected += 1
                status.lastError = reason
                status.errorSource = source
            }
        }
    }

    /// Nothing could be asked of `device`: the way to it is closed. What was never said was not rejected.
    public func noteUnasked(_ device: DeviceID, _ reason: String, source: Int) {
        state.withLock { state in
            Intake.update(&state, device) { status in
                status.lastError = reason
                status.errorSource = source
            }
        }
    }

    /// A topic that no profile knows.
    public func noteUnrecognized() {
        state.withLock { $0.counters.unrecognized += 1 }
    }

    /// A message of somebody whom the configuration leaves out.
    public func noteLeftOut() {
        state.withLock { $0.counters.leftOut += 1 }
    }

    /// Hands the batch to the sink.
    public func endBatch() {
        order.withLock { _ in
            let records = state.withLock { state -> [Record] in
                Intake.closeReadings(&state)
                defer { state.records = [] }
                return state.records
            }
            if records.isEmpty { return }
            sink.append(records)
            for case .readings(let readings) in records { sink.watch(readings) }
        }
    }

    /// Brings the devices in line with the configuration and logs what changed.
    public func reconcile() {
        state.withLock { state in
            let changed = state.registry.reconcile(at: state.trust.stamp(clock.now()).time)
            Intake.closeReadings(&state)
            state.records.append(contentsOf: changed.map(Record.device))
        }
        endBatch()
    }

    /// Every device known, in no order.
    public var devices: [Device] { state.withLock { Array($0.registry.devices.values) } }
    /// What was counted since the start.
    public var counters: IntakeCounters { state.withLock { $0.counters } }
    /// The device that people call so.
    public func device(named name: String) -> Device? { state.withLock { $0.registry.device(named: name) } }
    /// The latest descriptor.
    public func device(_ id: DeviceID) -> Device? { state.withLock { $0.registry.devices[id] } }
    /// What is known of it besides its readings.
    public func status(_ id: DeviceID) -> DeviceStatus { state.withLock { $0.statuses[id] ?? DeviceStatus() } }
    /// The newest reading of every series heard since the start.
    public var latest: [Reading] { state.withLock { $0.latest.compactMap { $0 } } }

    private static func availability(_ isThere: Bool) -> Sample {
        Sample(channel: .total, quantity: .available, value: isThere ? 1000 : 0)
    }

    /// Normalises into the open batch; returns why the last refused sample was refused.
    @discardableResult
    private func add(_ samples: [Sample], _ context: Normalizer.Context, _ state: inout State) -> String? {
        let before = state.readings.count
        let complaint = state.normalizer.normalize(
            samples, context, number: { sink.number(for: $0) }, into: &state.readings)
        for reading in state.readings[before...] { Intake.note(reading, &state.latest) }
        state.counters.readings += UInt64(state.readings.count - before)
        return complaint
    }

    private static func closeReadings(_ state: inout State) {
        guard !state.readings.isEmpty else { return }
        state.records.append(.readings(state.readings))
        state.readings.removeAll(keepingCapacity: true)
    }

    private static func update(_ state: inout State, _ device: DeviceID, _ body: (inout DeviceStatus) -> Void) {
        body(&state.statuses[device, default: DeviceStatus()])
    }

    private static func note(_ reading: Reading, _ latest: inout [Reading?]) {
        let index = Int(reading.series.value)
        if index >= latest.count {
            guard index < SeriesDictionary.maximumCount else { return }
            latest.append(contentsOf: repeatElement(nil, count: index + 1 - latest.count))
        }
        if let old = latest[index], old.time > reading.time { return }
        latest[index] = reading
    }
}
