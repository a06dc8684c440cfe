import TOML

/// Something in a configuration that cannot be used, and where it stands.
public struct ConfigurationProblem: Hashable, Sendable, CustomStringConvertible {
    /// Nil where a whole file is meant.
    public let place: TOMLPlace?
    public let reason: String

    public init(_ place: TOMLPlace?, _ reason: String) {
        self.place = place
        self.reason = reason
    }

    /// `file:line:column: reason`, as editors jump to it; `ENERGYD_MQTT_PORT: reason` for what the environment said.
    public var description: String {
        guard let place else { return reason }
        guard place.file.hasPrefix(TOMLValue.environment) else { return "\(place): \(reason)" }
        return "\(place.file.dropFirst(TOMLValue.environment.count + 1)): \(reason)"
    }
}

/// All the problems of a configuration at once, so that they can be mended at once.
public struct ConfigurationError: Error, Hashable, Sendable, CustomStringConvertible {
    /// In the order in which they were found; at most fifty.
    public let problems: [ConfigurationProblem]

    public init(_ problems: [ConfigurationProblem]) {
        self.problems = problems
    }

    public var description: String { problems.map(\.description).joined(separator: "\n") }
}
