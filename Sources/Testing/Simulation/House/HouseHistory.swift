import Timekeeping

/// The past of a house as messages on `energy/<device>`: arrays of timed objects, an hour of one device in each.
///
/// All devices of one hour come before the next hour, so that a reader sees the house's past in order, to the hour.
public struct HouseHistory: Sendable {
    public private(set) var house: House
    /// The instant up to which history goes.
    public let end: Timestamp
    /// Milliseconds between two readings of a series, which fall on its multiples in UTC.
    public let interval: Int64

    /// A gateway takes 256 KiB a message; a longer hour is split.
    public static let payloadLimit = 200 * 1024

    public init(_ house: House, until end: Timestamp, intervalSeconds: Int64) {
        self.house = house
        self.end = end
        interval = max(1, intervalSeconds) * Span.second
    }

    /// The messages of the next hour; nil when `end` is reached.
    public mutating func nextHour() -> [HouseMessage]? {
        guard end - house.time >= Span.second else { return nil }
        let hour = FixedPoint.floorDivide(house.time.milliseconds, Span.hour).quotient + 1
        let stop = min(end, Timestamp(milliseconds: hour * Span.hour))
        var messages: [[String]] = Array(repeating: [], count: house.devices.count)
        var open = [String](repeating: "", count: house.devices.count)
        while stop - house.time >= Span.second {
            let step = FixedPoint.floorDivide(house.time.milliseconds, interval).quotient + 1
            let sample = Timestamp(milliseconds: step * interval)
            house.advance(to: min(sample, stop))
            guard sample <= stop else { break }
            for index in house.devices.indices {
                guard let object = house.energyObject(of: index) else { continue }
                if open[index].utf8.count + object.utf8.count + 2 > HouseHistory.payloadLimit {
                    messages[index].append(open[index] + "]")
                    open[index] = ""
                }
                open[index] += (open[index].isEmpty ? "[" : ",") + object
            }
        }
        for index in open.indices where !open[index].isEmpty { messages[index].append(open[index] + "]") }
        return zip(house.devices, messages).flatMap { device, payloads in
            payloads.map { HouseMessage(topic: "energy/\(device.name)", payload: $0) }
        }
    }
}
