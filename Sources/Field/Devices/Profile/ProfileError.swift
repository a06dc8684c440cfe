import TOML

/// One mistake in a profile file.
public struct ProfileProblem: Hashable, Sendable, CustomStringConvertible {
    public let place: TOMLPlace
    /// The key in question: `field.quantity`; empty when the file as a whole is meant.
    public let key: String
    public let reason: String
    /// What was probably meant.
    public let nearest: String?

    public var file: String { place.file }
    public var line: Int { place.line }
    public var column: Int { place.column }

    /// `file:line:column: key: reason; did you mean `x`?`
    public var description: String {
        let subject = key.isEmpty ? "" : "\(key): "
        return "\(place): \(subject)\(reason)" + (nearest.map { "; did you mean `\($0)`?" } ?? "")
    }
}

/// Everything that is wrong with one profile file, in the order of its lines.
public struct ProfileError: Error, Hashable, Sendable, CustomStringConvertible {
    public let problems: [ProfileProblem]

    public var description: String { problems.map(\.description).joined(separator: "\n") }
}
