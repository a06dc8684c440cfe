import Timekeeping

/// What a reading belongs to: one quantity of one channel of one device, for ever.
public struct SeriesKey: Hashable, Comparable, Sendable, CustomStringConvertible {
    public var device: DeviceID
    public var channel: Channel
    public var quantity: Quantity

    public init(device: DeviceID, channel: Channel, quantity: Quantity) {
        self.device = device
        self.channel = channel
        self.quantity = quantity
    }

    public var description: String { "\(device)/\(channel)/\(quantity)" }

    public static func < (a: SeriesKey, b: SeriesKey) -> Bool {
        if a.device != b.device { return a.device < b.device }
        if a.channel != b.channel { return a.channel < b.channel }
        return a.quantity < b.quantity
    }
}

/// A short stand-in for a `SeriesKey` within one epoch of one gateway's log: dense from 0, never reused in that epoch.
public struct SeriesNumber: Hashable, Comparable, Sendable {
    public var value: UInt32

    public init(_ value: UInt32) {
        self.value = value
    }

    public static func < (a: SeriesNumber, b: SeriesNumber) -> Bool {
        a.value < b.value
    }
}

/// What is known about a reading besides its value; bit numbers are part of the record format.
public struct ReadingFlags: OptionSet, Hashable, Sendable {
    public var rawValue: UInt16

    public init(rawValue: UInt16) {
        self.rawValue = rawValue
    }

    /// Delivered by the broker from its store: true once, when it was published. Never an energy delta.
    public static let retained = ReadingFlags(rawValue: 1 << 0)
    /// The first of its series after the connection to its source came up.
    public static let firstAfterConnect = ReadingFlags(rawValue: 1 << 1)
    /// Computed from other values of the same message, such as a total from its phases.
    public static let derived = ReadingFlags(rawValue: 1 << 2)
    /// The source gave a time that was not believed; `time` is the receive time.
    public static let timeUntrusted = ReadingFlags(rawValue: 1 << 3)
    /// Taken while the gateway's own clock was not synchronised.
    public static let clockUnsynced = ReadingFlags(rawValue: 1 << 4)
    /// Its time lies before another reading of the same series that came earlier.
    public static let late = ReadingFlags(rawValue: 1 << 5)
}

/// One value of one series. "No value" is no reading; there is no NaN and no placeholder.
public struct Reading: Hashable, Sendable {
    public var series: SeriesNumber
    /// When it was true: the source's own time where that is trusted, else `received`.
    public var time: Timestamp
    /// When the gateway got it.
    public var received: Timestamp
    /// Thousandths of the quantity's canonical unit (mW, mWh, mV …).
    public var value: Int64
    public var flags: ReadingFlags

    public init(
        series: SeriesNumber, time: Timestamp, received: Timestamp, value: Int64, flags: ReadingFlags = []
    ) {
        self.series = series
        self.time = time
        self.received = received
        self.value = value
        self.flags = flags
    }
}
