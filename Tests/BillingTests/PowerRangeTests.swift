import Metering
import Testing
import Timekeeping
import Usage

@testable import Billing

/// What the power was in rows of usage, from slots.
struct PowerRangeTests {
    private static let start = Slot(index: 1_970_000)
    private static let grid = Device(
        id: DeviceID(high: 1, low: 1), name: "grid", role: .grid, family: "test", validFrom: Timestamp(seconds: 0))
    private static let plug = Device(
        id: DeviceID(high: 1, low: 2), name: "plug", role: .load, family: "test", validFrom: Timestamp(seconds: 0))

    /// Rows of four hours: an hour each, of the home, the grid meter, the plug and the rest.
    private func rows() -> [UsageRow] {
        (0..<4).flatMap { hour -> [UsageRow] in
            let from = Self.start.start + Int64(hour) * Span.hour
            return [HomeBalance.home, Self.grid.id, Self.plug.id, HomeBalance.unmetered].map { device in
                UsageRow(
                    device: device, name: "", channel: .total, from: from, to: from + Span.hour, fromOffset: 0,
                    toOffset: 0, estimated: 0, measuredTime: 0, filledTime: 0)
            }
        }
    }

    private func power(_ slot: Int64, _ least: Int64, _ mean: Int64, _ greatest: Int64) -> SlotPower {
        SlotPower(slot: Slot(index: Self.start.index + slot), least: least, mean: mean, greatest: greatest)
    }

    private func filled(_ devices: [Device], _ slots: [SeriesKey: [SlotPower]]) -> [[UsageRow]] {
        var rows = rows()
        RowPowers.fill(&rows, devices: devices) { key, span, body in
            for power in slots[key] ?? [] where span.contains(power.slot.start) { body(power) }
        }
        return (0..<4).map { line in rows.enumerated().filter { $0.offset % 4 == line }.map(\.element) }
    }

    private func key(_ device: Device, _ quantity: Quantity = .power) -> SeriesKey {
        SeriesKey(device: device.id, channel: .total, quantity: quantity)
    }

    @Test func `a row has the least and the greatest of its slots, and the mean of their means`() {
        let slots = [power(0, 5, 10, 20), power(1, -7, 11, 12), power(3, 8, 12, 13), power(9, 1, 2, 3)]
        let lines = filled([Self.grid, Self.plug], [key(Self.grid): slots])
        let hours = lines[1].map(\.power)
        #expect(hours[0]?.least == -7 && hours[0]?.mean == 11 && hours[0]?.greatest == 20)
        // Nothing was read in the second and the last hour: that is no power, and not a power of zero.
        #expect(hours[1] == nil && hours[3] == nil)
        #expect(hours[2]?.least == 1 && hours[2]?.mean == 2 && hours[2]?.greatest == 3)
        // The only grid meter's is the home's.
        #expect(lines[0].map(\.power) == hours)
        #expect(lines[2].allSatisfy { $0.power == nil } && lines[3].allSatisfy { $0.power == nil })
    }

    @Test func `of two grid meters none is the home`() {
        let second = Device(
            id: DeviceID(high: 1, low: 3), name: "heat", role: .grid, family: "test", validFrom: Timestamp(seconds: 0))
        let lines = filled([Self.grid, second], [key(Self.grid): [power(0, 1, 1, 1)]])
        #expect(lines[0].allSatisfy { $0.power == nil })
        #expect(lines[1][0].power?.mean == 1)
    }

    @Test func `an inverter and a battery tell their power under names of their own`() {
        for quantity in [Quantity.productionPower, .batteryPower] {
            let lines = filled([Self.plug], [key(Self.plug, quantity): [power(2, -4, -3, -2)]])
            #expect(lines[2][0].power?.least == -4)
        }
        // Half a thousandth goes to the even one.
        let halves = [power(0, 0, 2, 9), power(1, 0, 3, 9)]
        #expect(filled([Self.plug], [key(Self.plug): halves])[2][0].power?.mean == 2)
    }
}
