import Metering
import Timekeeping

/// Twenty plugs with three series each, once a second: what the stages behind Intake are fed with. Seeded.
struct Household {
    static let devices: [DeviceID] = (0..<20).map { DeviceID(high: 0xB0, low: UInt64($0)) }
    static let quantities: [Quantity] = [.energyImport, .power, .voltage]
    static let start = Timestamp(milliseconds: 1_790_000_000_000)

    let keys: [SeriesKey] = devices.flatMap { device in
        quantities.map { SeriesKey(device: device, channel: .total, quantity: $0) }
    }
    private var random: UInt64 = 0x5EED
    /// By device, in mWh.
    private var energy = [Int64](repeating: 1_000_000, count: devices.count)

    /// All readings of second `second`, for series numbers in the order of `keys`.
    mutating func readings(second: Int, numbers: [SeriesNumber]) -> [Reading] {
        let time = Household.start + Int64(second) * Span.second
        var readings: [Reading] = []
        readings.reserveCapacity(numbers.count)
        for device in Household.devices.indices {
            let power = 60_000 + Int64(next() % 2_000) * 100
            energy[device] += power / 3_600
            // As a meter shows it: whole Wh.
            let shown = energy[device] / 1_000 * 1_000
            let values = [shown, power, 230_000 + Int64(next() % 5) * 1_000]
            for (i, value) in values.enumerated() {
                let number = numbers[device * Household.quantities.count + i]
                readings.append(Reading(series: number, time: time, received: time, value: value))
            }
        }
        return readings
    }

    private mutating func next() -> UInt64 {
        random ^= random << 13
        random ^= random >> 7
        random ^= random << 17
        return random
    }
}

/// A clock that stands where it is put.
final class StoppedClock: Clock, @unchecked Sendable {  // one thread sets and reads it
    var milliseconds = Household.start.milliseconds

    func now() -> ClockReading {
        ClockReading(wall: Timestamp(milliseconds: milliseconds), monotonic: milliseconds, synchronized: true)
    }
}
