import Devices
import Metering
import Records
import Synchronization
import Timekeeping

/// Turns what sources say into records: devices are found, samples normalised, batches handed to the sink.
///
/// Any thread may call. Two locks, always in this order: `order` (held while a batch goes to the sink, so that batches of
/// two sources cannot overtake each other) and `state` (held for memory only).
package final class Intake: Sendable {
    /// A batch goes to the sink when it has grown to this many readings, if no source ended it before.
    package static let batchSize = 256

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

    package init(registry: DeviceRegistry, trust: ClockTrust, clock: any Clock, sink: any RecordSink) {
        state = Mutex(State(registry: registry, trust: trust))
        self.sink = sink
        self.clock = clock
    }

    /// What a source says about itself each time it is heard.
    package struct Message {
        package var address: String
        package var description: DeviceRegistry.Description
        package var samples: [Sample]
        package var retained = false
        package var connection: UInt32 = 0
        package var available: Bool?
        /// Why the message, or a part of it, could not be read.
        package var error: String?

        package init(address: String, description: DeviceRegistry.Description, samples: [Sample]) {
            self.address = address
            self.description = description
            self.samples = samples
        }
    }

    /// The device at `address`, found or made.
    package func device(
        at address: String, as description: @autoclosure () -> DeviceRegistry.Description
    ) -> DeviceID? {
        state.withLock { state in
            if let known = state.registry.device(boundTo: address) { return known.id }
            let stamp = state.trust.stamp(clock.now())
            guard
                let (id, changed) = state.registry.resolve(
                    address, as: description(), at: stamp.time, using: &state.generator)
            else {
                state.counters.refusedDevices += 1
                return nil
            }
            Intake.closeReadings(&state)
            state.records.append(contentsOf: changed.map(Record.device))
            return id
        }
    }

    /// Takes one message's samples in, heard `at` an instant that the caller may know already. Returns whether the batch
    /// is full and `endBatch` should follow.
    @discardableResult
    package func take(
        _ samples: [Sample], of device: DeviceID, at heard: ClockReading? = nil, retained: Bool = false,
        connection: UInt32 = 0, available: Bool? = nil
    ) -> Bool {
        let now = heard ?? clock.now()
        return state.withLock { state in
            let stamp = state.trust.stamp(now)
            let before = state.readings.count
            let context = Normalizer.Context(
                device: device, received: stamp.time, retained: retained, clockSynchronized: !stamp.isFlagged,
                connection: connection)
            let complaint = state.normalizer.normalize(
                samples, context, number: { sink.number(for: $0) }, into: &state.readings)
            for reading in state.readings[before...] { Intake.note(reading, &state.latest) }
            state.counters.messages += 1
            state.counters.readings += UInt64(state.readings.count - before)
            Intake.update(&state, device) { status in
                status.messages += 1
                // A retained message tells what was, not that the device is there.
                if !retained { status.lastSeen = stamp.time }
                if let available { status.available = available } else if !retained { status.available = true }
                if let complaint {
                    status.rejected += 1
                    status.lastError = complaint
                }
            }
            if complaint != nil { state.counters.implausible += 1 }
            return state.readings.count >= Intake.batchSize
        }
    }

    /// Its availability topic or its bus says that it came or went.
    package func note(_ device: DeviceID, available: Bool) {
        let sample = Sample(channel: .total, quantity: .available, value: available ? 1000 : 0)
        let changed = state.withLock { state in state.statuses[device]?.available != available }
        if changed { take([sample], of: device, available: available) }
        state.withLock { state in Intake.update(&state, device) { $0.available = available } }
    }

    /// Something of `device` could not be read; nil: it is not known whose it was.
    package func reject(_ device: DeviceID?, _ reason: String) {
        state.withLock { state in
            state.counters.rejected += 1
            guard let device else { return }
            Intake.update(&state, device) { status in
                status.rejected += 1
                status.lastError = reason
            }
        }
    }

    package func noteUnrecognized() {
        state.withLock { $0.counters.unrecognized += 1 }
    }

    /// Hands the batch to the sink.
    package func endBatch() {
        order.withLock { _ in
            let (records, readings) = state.withLock { state -> ([Record], [Reading]) in
                let readings = state.readings
                Intake.closeReadings(&state)
                defer { state.records = [] }
                return (state.records, readings)
            }
            if records.isEmpty { return }
            sink.append(records)
            if !readings.isEmpty { sink.watch(readings) }
        }
    }

    /// Brings the devices in line with the configuration and logs what changed.
    package func reconcile() {
        state.withLock { state in
            let changed = state.registry.reconcile(at: state.trust.stamp(clock.now()).time)
            Intake.closeReadings(&state)
            state.records.append(contentsOf: changed.map(Record.device))
        }
        endBatch()
    }

    package var devices: [Device] { state.withLock { Array($0.registry.devices.values) } }
    package var counters: IntakeCounters { state.withLock { $0.counters } }
    package func device(named name: String) -> Device? { state.withLock { $0.registry.device(named: name) } }
    package func device(_ id: DeviceID) -> Device? { state.withLock { $0.registry.devices[id] } }
    package func status(_ id: DeviceID) -> DeviceStatus { state.withLock { $0.statuses[id] ?? DeviceStatus() } }
    /// The newest reading of every series heard since the start.
    package var latest: [Reading] { state.withLock { $0.latest.compactMap { $0 } } }

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
