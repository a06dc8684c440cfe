import Glibc

/// A call to the system that failed: what was tried, and the system's own words.
public struct SystemError: Error, Equatable, CustomStringConvertible {
    public let description: String

    /// `code` is the system's number of the error.
    public init(_ what: String, _ code: Int32) {
        description = "\(what): \(systemText(code))"
    }

    public init(_ description: String) {
        self.description = description
    }
}

/// The system's words for an error number.
public func systemText(_ code: Int32) -> String {
    strerror(code).map { String(cString: $0) } ?? "error \(code)"
}
