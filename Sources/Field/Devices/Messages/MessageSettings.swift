import Timekeeping

/// What the configuration tells about messages that they do not say themselves.
public struct MessageSettings: Sendable {
    /// By profile name: what `{base}` stands for in its patterns, in place of the profile's own.
    public var bases: [String: [String]] = [:]
    /// By profile name: further patterns of topics that hold what the profile's first JSON topic holds.
    public var topics: [String: [String]] = [:]
    /// Tasmota FullTopics besides the profile's own.
    public var fullTopics: [String] = []
    /// The zone of devices that write local times without an offset; nil: such times are not believed.
    public var zone: Zone?
    /// By device address: as `zone`, for one device.
    public var zones: [String: Zone] = [:]

    public init() {}

    /// Why `text` is no pattern for a topic with a device; nil when it is one.
    public static func problem(ofTopic text: String) -> String? {
        do throws(TopicPattern.Problem) {
            return try TopicPattern(text).has(.device) ? nil : "names no {device}"
        } catch {
            return error.reason
        }
    }

    /// The same of a Tasmota FullTopic.
    public static func problem(ofFullTopic text: String) -> String? {
        guard text.contains("%prefix%"), text.contains("%topic%") else { return "needs %prefix% and %topic%" }
        return problem(ofTopic: TopicPattern.text(fullTopic: text, prefix: "tele", end: "SENSOR"))
    }

    /// The same of what stands for a profile's `{base}`.
    public static func problem(ofBase text: String) -> String? {
        problem(ofTopic: text + "/{device}")
    }

    func zone(of address: String) -> Zone? { zones[address] ?? zone }

    var hasZones: Bool { zone != nil || !zones.isEmpty }
}
