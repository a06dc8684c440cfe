import TOML

/// One mistake in a profile file.
package struct ProfileProblem: Hashable, Sendable, CustomStringConvertible {
    package let place: TOMLPlace
    /// The key in question: `field.quantity`; empty when the file as a whole is meant.
    package let key: String
    package let reason: String
    /// What was probably meant.
    package let nearest: String?

    package var file: String { place.file }
    package var line: Int { place.line }
    package var column: Int { place.column }

    /// `file:line:column: key: reason; did you mean `x`?`
    package var description: String {
        let subject = key.isEmpty ? "" : "\(key): "
        return "\(place): \(subject)\(reason)" + (nearest.map { "; did you mean `\($0)`?" } ?? "")
    }
}

/// Everything that is wrong with one profile file, in the order of its lines.
package struct ProfileError: Error, Hashable, Sendable, CustomStringConvertible {
    package let problems: [ProfileProblem]

    package var description: String { problems.map(\.description).joined(separator: "\n") }
}
