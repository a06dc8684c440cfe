import Devices
import Metering
import Timekeeping

/// From what a decoder read to readings: plausibility, believed times, series numbers, flags.
///
/// The pure half of Intake: it has no clock, no I/O and no randomness, and runs the same in the daemon and in a replay.
public struct Normalizer: Sendable {
    /// A source's time is believed from here on …
    public static let earliestTime = Timestamp(milliseconds: 1_420_070_400_000)  // 2015-01-01T00:00:00Z
    /// … and not further than this after the receive time.
    public static let futureTolerance: Int64 = 5 * Span.minute
    /// A device has no more series than this; more would be a device that invents names.
    public static let maximumSeriesPerDevice = 256

    /// What was refused, since the start.
    public struct Counters: Hashable, Sendable {
        public var readings: UInt64 = 0
        public var implausible: UInt64 = 0
        public var untrustedTimes: UInt64 = 0
        public var tooManySeries: UInt64 = 0
    }

    private struct Series {
        let channel: Channel
        let quantity: Quantity
        let number: SeriesNumber
        var newest: Timestamp
        /// Connection count at which it was last heard: a different one makes the next reading the first after connect.
        var connection: UInt32
    }

    private struct Source {
        var series: [Series] = []
        /// Where the next sample is most likely found: messages of one device name their values in the same order.
        var hint = 0
    }

    private var sources: [Source] = []
    /// Where a device's source is.
    private var places: [DeviceID: Int] = [:]
    public private(set) var counters = Counters()

    public init() {}

    /// What holds for all samples of one message.
    public struct Context: Sendable {
        public var device: DeviceID
        public var received: Timestamp
        public var retained: Bool
        public var clockSynchronized: Bool
        /// Counts the connections of the transport.
        public var connection: UInt32

        public init(
            device: DeviceID, received: Timestamp, retained: Bool = false, clockSynchronized: Bool = true,
            connection: UInt32 = 0
        ) {
            self.device = device
            self.received = received
            self.retained = retained
            self.clockSynchronized = clockSynchronized
            self.connection = connection
        }
    }

    /// Appends a reading to `readings` for each sample that is plausible. `number` gives a series its number in the
    /// log; nil when there is no room for more series. Returns the reason the last refused sample was refused for.
    @discardableResult
    public mutating func normalize(
        _ samples: [Sample], _ context: Context, number: (SeriesKey) -> SeriesNumber?, into readings: inout [Reading]
    ) -> String? {
        let place = place(of: context.device)
        // Both changed in place: a copy would take the device's series with it.
        return Normalizer.normalize(
            samples, context, source: &sources[place], counters: &counters, number: number, into: &readings)
    }

    private mutating func place(of device: DeviceID) -> Int {
        if let known = places[device] { return known }
        places[device] = sources.count
        sources.append(Source())
        return sources.count - 1
    }

    private static func normalize(
        _ samples: [Sample], _ context: Context, source: inout Source, counters: inout Counters,
        number: (SeriesKey) -> SeriesNumber?, into readings: inout [Reading]
    ) -> String? {
        var complaint: String?
        for sample in samples {
            let value: Int64
            switch Plausibility.check(sample.quantity, sample.value) {
            case .ok: value = sample.value
            case .clamped(let limit): value = limit
            case .reject(let reason):
                counters.implausible += 1
                complaint = "\(reason)"
                continue
            }
            guard let index = index(of: sample, in: &source, context, number) else {
                counters.tooManySeries += 1
                complaint =
                    "no room for the series \(sample.channel)/\(sample.quantity): a device has at most "
                    + "\(Normalizer.maximumSeriesPerDevice)"
                continue
            }
            var flags = sample.flags
            let time = believedTime(sample.time, context.received, &flags, &counters)
            if context.retained { flags.insert(.retained) }
            if !context.clockSynchronized { flags.insert(.clockUnsynced) }
            if source.series[index].connection != context.connection {
                source.series[index].connection = context.connection
                flags.insert(.firstAfterConnect)
            }
            if time < source.series[index].newest {
                flags.insert(.late)
            } else {
                source.series[index].newest = time
            }
            readings.append(
                Reading(
                    series: source.series[index].number, time: time, received: context.received, value: value,
                    flags: flags))
            counters.readings &+= 1
        }
        return complaint
    }

    private static func believedTime(
        _ time: SampleTime, _ received: Timestamp, _ flags: inout ReadingFlags, _ counters: inout Counters
    ) -> Timestamp {
        switch time {
        case .none:
            return received
        case .utc(let stated)
        where stated >= Normalizer.earliestTime && stated <= received + Normalizer.futureTolerance:
            return stated
        case .utc, .untrusted:
            counters.untrustedTimes += 1
            flags.insert(.timeUntrusted)
            return received
        }
    }

    private static func index(
        of sample: Sample, in source: inout Source, _ context: Context, _ number: (SeriesKey) -> SeriesNumber?
    ) -> Int? {
        let count = source.series.count
        var i = source.hint
        for _ in 0..<count {
            if i >= count { i = 0 }
            if source.series[i].quantity == sample.quantity, source.series[i].channel == sample.channel {
                source.hint = i + 1
                return i
            }
            i += 1
        }
        guard count < Normalizer.maximumSeriesPerDevice,
            let number = number(
                SeriesKey(device: context.device, channel: sample.channel, quantity: sample.quantity))
        else { return nil }
        // Doubling would leave a third of it unused.
        if count == source.series.capacity { source.series.reserveCapacity(count + max(2, count / 4)) }
        source.series.append(
            Series(
                channel: sample.channel, quantity: sample.quantity, number: number,
                newest: Timestamp(milliseconds: .min), connection: context.connection &- 1))
        source.hint = count + 1
        return count
    }
}
