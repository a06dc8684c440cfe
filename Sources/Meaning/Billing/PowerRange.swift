import Metering
import Timekeeping
import Usage

/// The power of one slot, from its readings; mW.
public struct SlotPower: Hashable, Sendable {
    public var slot: Slot
    public var least: Int64
    public var mean: Int64
    public var greatest: Int64

    public init(slot: Slot, least: Int64, mean: Int64, greatest: Int64) {
        self.slot = slot
        self.least = least
        self.mean = mean
        self.greatest = greatest
    }
}

/// The power of a row, mW. The mean is that of its slots' means, each slot counting the same however often a device
/// reports in it; slots without a reading count nowhere.
public struct PowerRange: Hashable, Sendable {
    public private(set) var least: Int64
    public private(set) var greatest: Int64
    private var sum: Int128
    private var slots: Int64

    public init(_ slot: SlotPower) {
        least = slot.least
        greatest = slot.greatest
        sum = Int128(slot.mean)
        slots = 1
    }

    public mutating func add(_ slot: SlotPower) {
        least = min(least, slot.least)
        greatest = max(greatest, slot.greatest)
        sum += Int128(slot.mean)
        slots += 1
    }

    /// Rounded once, to nearest mW, ties to even.
    public var mean: Int64 { Int64(truncatingIfNeeded: Thousandths.divideTiesToEven(sum, Int128(slots))) }
}

/// Puts beside rows what the power was in them: of a channel its own, of the home that of its only grid meter.
public enum RowPowers {
    /// What a device calls its power; the first that has any reading counts.
    private static let quantities: [Quantity] = [.power, .productionPower, .batteryPower]

    /// `rows` in the order of time. `slots` tells the slots of a series in a span that have readings, in the order of
    /// time.
    public static func fill(
        _ rows: inout [UsageRow], devices: [Device],
        slots: (SeriesKey, Period, (SlotPower) -> Void) throws -> Void
    ) rethrows {
        struct Line: Hashable {
            var device: DeviceID
            var channel: Channel
        }
        let grids = devices.filter { $0.role == .grid }.map(\.id)
        var lines: [Line: [Int]] = [:]
        for (i, row) in rows.enumerated() {
            guard row.device != HomeBalance.unmetered else { continue }
            lines[Line(device: row.device, channel: row.channel), default: []].append(i)
        }
        for (line, members) in lines {
            var device = line.device
            if device == HomeBalance.home {
                guard grids.count == 1, let grid = grids.first else { continue }
                device = grid
            }
            let span = Period(from: rows[members[0]].from, to: rows[members[members.count - 1]].to)
            for quantity in quantities {
                let key = SeriesKey(device: device, channel: line.channel, quantity: quantity)
                var at = members[...]
                var found = false
                try slots(key, span) { power in
                    while let first = at.first, rows[first].to <= power.slot.start { at.removeFirst() }
                    guard let first = at.first, rows[first].from <= power.slot.start else { return }
                    found = true
                    if rows[first].power == nil {
                        rows[first].power = PowerRange(power)
                    } else {
                        rows[first].power?.add(power)
                    }
                }
                if found { break }
            }
        }
    }
}
