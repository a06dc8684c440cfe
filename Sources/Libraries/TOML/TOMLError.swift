/// Why a text is not TOML that we take, and where.
public struct TOMLError: Error, Hashable, Sendable, CustomStringConvertible {
    public let place: TOMLPlace
    /// A clause that begins with a capital letter and has no full stop.
    public let reason: String

    public init(place: TOMLPlace, reason: String) {
        self.place = place
        self.reason = reason
    }

    public var file: String { place.file }
    public var line: Int { place.line }
    public var column: Int { place.column }

    /// `file:line:column: reason`
    public var description: String { "\(place): \(reason)" }
}
