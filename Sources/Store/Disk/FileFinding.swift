import Glibc

/// Something that a check found in a file: where, and what, in a sentence.
package struct FileFinding: Error, Hashable, Sendable, CustomStringConvertible {
    package enum Severity: String, Hashable, Sendable {
        /// Something that was stored cannot be read any more, or not relied on.
        case damage
        /// Nothing is lost by it, but somebody may want to know.
        case note
    }

    package var severity: Severity
    package var path: String
    /// Byte position in the file; nil: the file as a whole.
    package var position: Int64?
    package var reason: String

    package init(_ severity: Severity, _ path: String, at position: Int64? = nil, _ reason: String) {
        self.severity = severity
        self.path = path
        self.position = position
        self.reason = reason
    }

    package var description: String {
        position.map { "\(path) at byte \($0): \(reason)" } ?? "\(path): \(reason)"
    }
}

extension DiskError {
    /// A directory was expected and something else is there.
    package var isNoDirectory: Bool { errno == ENOTDIR }
}
