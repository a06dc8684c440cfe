/// A key and where it stands.
package struct TOMLKey: Hashable, Sendable {
    package let name: String
    package let place: TOMLPlace

    package init(name: String, place: TOMLPlace) {
        self.name = name
        self.place = place
    }

    package var line: Int { place.line }
    package var column: Int { place.column }
}

/// A table with its keys in the order in which they first appear in the text.
package struct TOMLTable: Hashable, Sendable {
    package struct Entry: Hashable, Sendable {
        package let key: TOMLKey
        package let value: TOMLValue
    }

    package let entries: [Entry]
    private let indexes: [String: Int]

    /// Of two entries of one name the later is found; a document never has two.
    package init(_ entries: [(key: TOMLKey, value: TOMLValue)]) {
        self.entries = entries.map { Entry(key: $0.key, value: $0.value) }
        indexes = Dictionary(entries.enumerated().map { ($1.key.name, $0) }, uniquingKeysWith: { $1 })
    }

    package static let empty = TOMLTable([])

    package var keys: [TOMLKey] { entries.map(\.key) }
    package var isEmpty: Bool { entries.isEmpty }

    package subscript(_ name: String) -> TOMLValue? {
        indexes[name].map { entries[$0].value }
    }

    package func key(_ name: String) -> TOMLKey? {
        indexes[name].map { entries[$0].key }
    }
}
