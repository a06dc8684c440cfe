import Glibc

/// Something that a check found in a file: where, and what, in a sentence.
public struct FileFinding: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Severity: String, Hashable, Sendable {
        /// Something that was stored cannot be read any more, or not relied on.
        case damage
        /// Nothing is lost by it, but somebody may want to know.
        case note
    }

    public var severity: Severity
    public var path: String
    /// Byte position in the file; nil: the file as a whole.
    public var position: Int64?
    public var reason: String

    public init(_ severity: Severity, _ path: String, at position: Int64? = nil, _ reason: String) {
        self.severity = severity
        self.path = path
        self.position = position
        self.reason = reason
    }

    public var description: String {
        position.map { "\(path) at byte \($0): \(reason)" } ?? "\(path): \(reason)"
    }
}

extension DiskError {
    /// A directory was expected and something else is there.
    public var isNoDirectory: Bool { errno == ENOTDIR }
}
