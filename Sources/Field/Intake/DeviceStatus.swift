import Metering
import Timekeeping

/// What Intake knows of a device besides its readings.
package struct DeviceStatus: Hashable, Sendable {
    /// When it last gave a sign of life; nil: not since the start.
    package var lastSeen: Timestamp?
    /// Nil where nothing was ever said of it.
    package var available: Bool?
    /// Messages or reads taken in, and those or parts of them that could not be read.
    package var messages: UInt64 = 0
    package var rejected: UInt64 = 0
    /// Why something of it could not be read the last time; nil once the same source was read well again.
    package var lastError: String?
    /// Which topic or group of registers `lastError` is about.
    var errorSource: Int?

    package init() {}
}

/// What Intake counted since the start.
package struct IntakeCounters: Hashable, Sendable {
    package var messages: UInt64 = 0
    package var rejected: UInt64 = 0
    /// Topics that no profile knows.
    package var unrecognized: UInt64 = 0
    /// Of devices that the configuration ignores or does not list.
    package var leftOut: UInt64 = 0
    package var readings: UInt64 = 0
    package var implausible: UInt64 = 0
    /// Devices left out because the home has as many as it may.
    package var refusedDevices: UInt64 = 0

    package init() {}
}
