import Timekeeping

/// What the configuration tells about messages that they do not say themselves.
package struct MessageSettings: Sendable {
    /// By profile name: what `{base}` stands for in its patterns, in place of the profile's own.
    package var bases: [String: [String]] = [:]
    /// Tasmota FullTopics besides the profile's own.
    package var fullTopics: [String] = []
    /// The zone of devices that write local times without an offset; nil: such times are not believed.
    package var zone: Zone?
    /// By device address: as `zone`, for one device.
    package var zones: [String: Zone] = [:]

    package init() {}

    func zone(of address: String) -> Zone? { zones[address] ?? zone }

    var hasZones: Bool { zone != nil || !zones.isEmpty }
}
