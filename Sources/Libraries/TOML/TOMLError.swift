/// Why a text is not TOML that we take, and where.
package struct TOMLError: Error, Hashable, Sendable, CustomStringConvertible {
    package let place: TOMLPlace
    /// A clause that begins with a capital letter and has no full stop.
    package let reason: String

    package init(place: TOMLPlace, reason: String) {
        self.place = place
        self.reason = reason
    }

    package var file: String { place.file }
    package var line: Int { place.line }
    package var column: Int { place.column }

    /// `file:line:column: reason`
    package var description: String { "\(place): \(reason)" }
}
