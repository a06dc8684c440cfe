import Metering
import Timekeeping

/// What Intake knows of a device besides its readings.
public struct DeviceStatus: Hashable, Sendable {
    /// When it last gave a sign of life; nil: not since the start.
    public var lastSeen: Timestamp?
    /// Nil where nothing was ever said of it.
    public var available: Bool?
    /// Messages or reads taken in, and those or parts of them that could not be read.
    public var messages: UInt64 = 0
    public var rejected: UInt64 = 0
    /// Why something of it could not be read the last time; nil once the same source was read well again.
    public var lastError: String?
    /// Which topic or group of registers `lastError` is about.
    var errorSource: Int?

    public init() {}
}

/// What Intake counted since the start.
public struct IntakeCounters: Hashable, Sendable {
    public var messages: UInt64 = 0
    public var rejected: UInt64 = 0
    /// Topics that no profile knows.
    public var unrecognized: UInt64 = 0
    /// Of devices that the configuration ignores or does not list.
    public var leftOut: UInt64 = 0
    public var readings: UInt64 = 0
    public var implausible: UInt64 = 0
    /// Devices left out because the home has as many as it may.
    public var refusedDevices: UInt64 = 0

    public init() {}
}
