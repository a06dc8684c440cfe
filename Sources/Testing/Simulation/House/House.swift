import Timekeeping

/// A seeded house: a three-phase grid meter, a photovoltaic inverter, smart plugs, and loads that nobody meters.
///
/// Pure: time passes only by `advance(to:)`, in steps of one second whatever the caller's pace, so live operation,
/// history and tests see the same house. All arithmetic is on integers (mW, mWh) and integer sines: the same seed and
/// start give the same values on every platform and in every split of the advance. At any instant, in whole mWh since
/// the start: grid import − grid export = Σ plugs + unmetered − photovoltaic yield.
public struct House: Sendable {
    public let settings: HouseSettings
    /// The house's birth, and the instant up to which it has lived. Both are whole seconds.
    public let start: Timestamp
    public private(set) var time: Timestamp
    /// Grid meter, inverter, then the plugs; indices into it are stable.
    public let devices: [HouseDevice]
    public private(set) var meter: GridMeter
    public private(set) var photovoltaics: Photovoltaics
    public private(set) var supply: Supply
    /// In the order of `devices` from index `firstPlug` on.
    public private(set) var plugs: [Plug]
    /// Lights, cooking, standby: one per phase.
    public private(set) var unmetered: [Load]
    public private(set) var ledger: TruthLedger

    public static let firstPlug = 2

    private var supplyRandom: SplitMix64
    /// Faults of today and those that are not over, and when the next begins or ends.
    private var faults: [Fault] = []
    private var nextFaultChange: Timestamp
    private var nextFaultDay: Timestamp
    /// Valid until `offsetUntil`; zones change on the quarter hour only.
    private var zoneOffset = 0
    private var offsetUntil: Timestamp
    private var localDay: Int64 = .min

    /// `start` is cut to the second. Between 1970 and 9999; `plugs` outside its range is brought into it.
    public init(_ settings: HouseSettings, start: Timestamp) {
        var settings = settings
        settings.plugs = min(max(settings.plugs, 1), HouseSettings.maximumPlugs)
        self.settings = settings
        let range = Timestamp.validRange
        let whole = Timestamp(seconds: min(max(start, range.lowerBound), range.upperBound).secondsFloor)
        self.start = whole
        time = whole

        var random = SplitMix64(seed: settings.seed, stream: 0)
        supply = Supply(&random)
        meter = GridMeter(&random)
        supplyRandom = random
        photovoltaics = Photovoltaics(
            latitude: settings.latitude, longitude: settings.longitude, peak: settings.photovoltaicPeak,
            limit: settings.photovoltaicLimit, random: SplitMix64(seed: settings.seed, stream: 1))
        unmetered = (0..<3).map {
            Load(kind: .base, phase: $0, random: SplitMix64(seed: settings.seed, stream: 2 + UInt64($0)))
        }
        let plugs = (0..<settings.plugs).map { index in
            let (device, kind) = HouseDevice.plug(index)
            let random = SplitMix64(seed: settings.seed, stream: 16 + UInt64(index))
            return Plug(device: device, load: Load(kind: kind, phase: index % 3, random: random), at: whole)
        }
        self.plugs = plugs
        devices = [.gridMeter, .inverter] + plugs.map(\.device)
        nextFaultChange = whole
        nextFaultDay = Timestamp(milliseconds: FixedPoint.floorDivide(whole.milliseconds, Span.day).quotient * Span.day)
        offsetUntil = whole
        ledger = TruthLedger(devices: devices.map(\.name) + ["unmetered"])
        ledger.note(energies, at: whole)
    }

    /// Lives on up to `end`, cut to the second; an `end` in the past changes nothing.
    public mutating func advance(to end: Timestamp) {
        while end - time >= Span.second { runSecond() }
    }

    /// The house's clock at `time`: seconds east of UTC.
    public var offset: Int { settings.zoneOffset(time) }

    private mutating func runSecond() {
        if time >= offsetUntil {
            zoneOffset = settings.zoneOffset(time)
            offsetUntil = Slot(containing: time).end
        }
        let (day, ofDay) = FixedPoint.floorDivide(time.secondsFloor + Int64(zoneOffset), 86_400)
        // 1970-01-01 was a Thursday.
        let weekday = Int(FixedPoint.floorDivide(day + 3, 7).remainder) + 1
        let moment = LocalMoment(secondOfDay: ofDay, weekday: weekday)
        if day != localDay {
            let midnight = localDay != .min
            localDay = day
            for i in plugs.indices { plugs[i].beginDay(moment, atMidnight: midnight) }
            for i in unmetered.indices { unmetered[i].beginDay(weekday: weekday, at: ofDay) }
        }
        if time >= nextFaultDay { drawFaults() }
        if time.secondsFloor % 10 == 0 { supply.wander(&supplyRandom) }
        runFlows(moment)
        time = time + Span.second
        if time >= nextFaultChange { applyFaults() }
        if time.milliseconds % Slot.length == 0 { ledger.note(energies, at: time) }
    }

    /// One second of all loads and of the sun, summed by phase into the grid meter.
    private mutating func runFlows(_ moment: LocalMoment) {
        let yield = photovoltaics.runSecond(time)
        var flows = InlineArray<3, PhaseFlow>(repeating: PhaseFlow())
        for phase in 0..<3 {
            flows[phase].milliwattHours = -yield[phase]
            flows[phase].milliwatts = -photovoltaics.milliwatts(phase: phase)
        }
        for i in plugs.indices {
            let energy = plugs[i].runSecond(moment)
            flows[plugs[i].load.phase].add(plugs[i].load, energy)
        }
        for i in unmetered.indices {
            let energy = unmetered[i].runSecond(moment)
            flows[unmetered[i].phase].add(unmetered[i], energy)
        }
        meter.runSecond(flows)
    }

    private mutating func drawFaults() {
        // What was over before the house was born, nobody saw.
        faults += settings.faults.faults(onDay: nextFaultDay, seed: settings.seed, devices: devices)
            .filter { $0.until >= time }
        nextFaultDay = nextFaultDay + Span.day
        nextFaultChange = time
    }

    /// Sets every plug to the faults that hold at `time`.
    private mutating func applyFaults() {
        for i in plugs.indices {
            let name = plugs[i].device.name
            plugs[i].apply(faults.filter { $0.device == name && $0.from <= time }, at: time)
        }
        faults.removeAll { $0.until <= time && $0.from <= time }
        let changes = faults.map { $0.from > time ? $0.from : $0.until }
        nextFaultChange = changes.min() ?? Timestamp(milliseconds: .max)
    }
}
