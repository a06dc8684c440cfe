import Billing
import ConfigurationFile
import Devices
import Intake
import Metering
import Records
import Timekeeping
import Usage

/// The gateway's own pipeline without a gateway: lines in, slots and bills out, with the time that the lines state.
struct Replay {
    private let configuration: Configuration
    private let zone: Zone
    private var registry: DeviceRegistry
    private var normalizer = Normalizer()
    private var dictionary = SeriesDictionary()
    private var usage = UsageState()
    private let archive = ReplayArchive()
    private let prices: PriceBook
    private var slots: [SlotKey: SlotUsage] = [:]
    private(set) var decisions: [Decision] = []
    private var offset: UInt64 = 0
    private var generator = ReplayGenerator()

    private struct SlotKey: Hashable, Comparable {
        let slot: Slot
        let device: DeviceID
        let channel: Channel

        static func < (a: SlotKey, b: SlotKey) -> Bool {
            if a.slot != b.slot { return a.slot < b.slot }
            return a.device != b.device ? a.device < b.device : a.channel < b.channel
        }
    }

    /// `prices`: of the lists that dynamic tariffs follow.
    init(configuration: Configuration, zone: Zone, prices: PriceBook = PriceBook()) {
        self.configuration = configuration
        self.prices = prices
        self.zone = zone
        registry = DeviceRegistry(declared: configuration.devices)
    }

    mutating func take(_ line: ReplayLine) throws(LineError) {
        switch line {
        case .reading(let reading): try take(reading)
        case .command(let command):
            let registry = registry
            let record = try command.command { registry.device(named: $0)?.id }
            let refused = usage.commandsRefused
            apply(.command(record))
            if usage.commandsRefused > refused { throw LineError(Replay.reason(record)) }
        }
    }

    private static func reason(_ command: Command) -> String {
        if command.verb == .undo { return "undoes no correction that is in force" }
        do throws(CorrectionError) {
            _ = try Correction(command)
            return "is one correction more than the \(UsageLimits.maximumCorrections) a home may have"
        } catch {
            return "cannot be meant so: \(error)"
        }
    }

    private mutating func take(_ line: ReadingLine) throws(LineError) {
        guard let sample = line.sample else { return }
        let description = DeviceRegistry.Description(replaying: sample)
        guard
            let (device, changed) = registry.resolve(
                "replay:reading:\(line.device)", as: description, at: line.received, using: &generator)
        else { throw LineError("names one device more than the \(DeviceRegistry.maximumDevices) a home may have") }
        for device in changed { apply(.device(device)) }
        var readings: [Reading] = []
        let context = Normalizer.Context(device: device, received: line.received)
        let complaint = normalizer.normalize(
            [sample], context, number: { dictionary.number(for: $0) }, into: &readings)
        if let complaint { throw LineError("is refused: \(complaint)") }
        for reading in readings {
            if let key = dictionary[reading.series] { archive.add(reading, of: key) }
        }
        apply(.readings(readings))
    }

    private mutating func apply(_ record: Record) {
        let dictionary = dictionary
        usage.apply(record, offset: offset) { dictionary[$0] }
        offset += 1
        for slot in usage.takeChanges() {
            slots[SlotKey(slot: slot.slot, device: slot.device, channel: slot.channel)] = slot
        }
        decisions.append(contentsOf: usage.takeDecisions())
    }

    /// Works out again what came too late or was corrected, once everything has been taken in.
    mutating func finish() throws {
        let asked = usage.takeRecomputes()
        for wanted in asked {
            let result = try usage.recomputation(of: wanted, from: archive)
            let stored = slots.values
                .filter {
                    $0.device == wanted.device && $0.channel == wanted.channel && result.range.contains($0.slot)
                }
                .sorted { $0.slot < $1.slot }
            for slot in result.changes(against: stored) {
                slots[SlotKey(slot: slot.slot, device: slot.device, channel: slot.channel)] = slot
            }
            // What was decided about readings that came in another order no longer holds.
            decisions.removeAll {
                $0.series.device == wanted.device && $0.series.channel == wanted.channel && $0.kind != .late
                    && result.range.contains(Slot(containing: $0.time))
            }
            decisions.append(contentsOf: result.decisions)
        }
        guard !asked.isEmpty else { return }
        decisions = decisions.enumerated()
            .sorted {
                ($0.element.time, $0.element.series, $0.offset) < ($1.element.time, $1.element.series, $1.offset)
            }
            .map(\.element)
    }

    /// Usage rows and bills over all that was replayed.
    func results(by grouping: Grouping) -> (rows: [UsageRow], bills: [Bill]) {
        let ordered = slots.sorted { $0.key < $1.key }.map(\.value)
        guard let first = ordered.first, let last = ordered.last else { return ([], []) }
        let devices = Array(registry.devices.values)
        let settings = [configuration.settings(zone: zone.name, validFrom: Timestamp(milliseconds: 0))]
        var rows = UsageTable.rows(
            slots: ordered, devices: devices, settings: settings, zone: zone, by: grouping, from: first.slot.start,
            to: last.slot.end, prices: prices, totalCounters: dictionary.totalCounters)
        RowPowers.fill(&rows, devices: devices) { key, span, body in
            archive.slotPowers(of: key, from: span.from, until: span.to, body)
        }
        let bills = Bills.bills(
            slots: ordered, devices: devices, settings: settings, zone: zone, from: first.slot.start,
            to: last.slot.end, prices: prices, totalCounters: dictionary.totalCounters)
        return (rows, bills)
    }

    func name(of device: DeviceID) -> String { registry.devices[device]?.name ?? device.description }
}

/// The same identities in every replay, so that the same file gives the same bytes.
struct ReplayGenerator: RandomNumberGenerator {
    private var state: UInt64 = 0

    mutating func next() -> UInt64 {
        // SplitMix64 (Steele, Lea and Flood, 2014).
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }
}

extension DeviceRegistry.Description {
    /// A line of readings tells no profile; its first quantity tells an inverter or a battery.
    init(replaying sample: Sample) {
        var role: DeviceRole?
        if sample.quantity == .productionEnergy || sample.quantity == .productionPower { role = .solar }
        if [.batteryPower, .batteryChargeEnergy, .batteryDischargeEnergy].contains(sample.quantity) { role = .battery }
        self.init(family: "replay", role: role)
    }
}
