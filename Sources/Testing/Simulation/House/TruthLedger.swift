import Metering
import Timekeeping

/// What really flowed through one device in one slot (or the part of it that the house lived), in mWh.
public struct SlotTruth: Hashable, Sendable {
    public var device: String
    public var from: Timestamp
    public var to: Timestamp
    /// Used; for the grid meter, taken from the grid. `exported` is the grid meter's, `produced` the inverter's.
    public var imported: Int64
    public var exported: Int64
    public var produced: Int64
}

/// Cumulative truth at each quarter of an hour, for tests that compare usage with it.
public struct TruthLedger: Sendable {
    /// Running registers of one device.
    struct Energy: Hashable, Sendable {
        var imported: Int64 = 0
        var exported: Int64 = 0
        var produced: Int64 = 0
    }

    private struct Row: Sendable {
        var time: Timestamp
        var energies: [Energy]
    }

    /// More than a year of slots; the oldest go first.
    private static let maximumRows = 400 * 96

    private let devices: [String]
    private var rows: [Row] = []

    init(devices: [String]) {
        self.devices = devices
    }

    mutating func note(_ energies: [Energy], at time: Timestamp) {
        if rows.last?.time == time { return }
        if rows.count >= TruthLedger.maximumRows { rows.removeFirst(TruthLedger.maximumRows / 8) }
        rows.append(Row(time: time, energies: energies))
    }

    /// Slots between `from` and `to`, by slot, then in the order of the devices. `now` closes the slot that is open.
    func truth(from: Timestamp, to: Timestamp, now: (energies: [Energy], time: Timestamp)) -> [SlotTruth] {
        var result: [SlotTruth] = []
        var rows = rows
        if rows.last?.time != now.time { rows.append(Row(time: now.time, energies: now.energies)) }
        for (earlier, later) in zip(rows, rows.dropFirst()) where earlier.time >= from && later.time <= to {
            for (index, device) in devices.enumerated() {
                let (a, b) = (earlier.energies[index], later.energies[index])
                result.append(
                    SlotTruth(
                        device: device, from: earlier.time, to: later.time, imported: b.imported - a.imported,
                        exported: b.exported - a.exported, produced: b.produced - a.produced))
            }
        }
        return result
    }
}

extension House {
    /// What really flowed, per device and slot, between `from` and `to`; the last entries, named `unmetered`, are what
    /// no plug sees. Entries that lie within the span in whole; the first starts at the house's birth, and the last
    /// ends at `time`, which may be in the middle of its slot.
    public func truth(from: Timestamp, to: Timestamp) -> [SlotTruth] {
        ledger.truth(from: from, to: to, now: (energies, time))
    }

    /// Running registers in the order of `devices`, then the unmetered loads.
    var energies: [TruthLedger.Energy] {
        var result = [
            TruthLedger.Energy(
                imported: meter.total.importMilliwattHours, exported: meter.total.exportMilliwattHours),
            TruthLedger.Energy(produced: photovoltaics.milliwattHours),
        ]
        for plug in plugs { result.append(TruthLedger.Energy(imported: plug.load.energy.milliwattHours)) }
        let rest = unmetered.reduce(Int64(0)) { $0 + $1.energy.milliwattHours }
        return result + [TruthLedger.Energy(imported: rest)]
    }
}

extension SlotTruth {
    /// One line of JSON with energies in Wh, `null` where the device has no such register.
    public var jsonLine: String {
        func text(_ milliwattHours: Int64, _ has: Bool) -> String {
            has ? Thousandths.text(milliwattHours) : "null"
        }
        let isGrid = device == HouseDevice.gridMeter.name
        let isInverter = device == HouseDevice.inverter.name
        return """
            {"device":"\(device)","from":"\(from.rfc3339())","to":"\(to.rfc3339())",\
            "import_wh":\(text(imported, !isInverter)),"export_wh":\(text(exported, isGrid)),\
            "production_wh":\(text(produced, isInverter))}
            """
    }
}
