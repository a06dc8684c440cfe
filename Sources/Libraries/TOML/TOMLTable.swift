/// A key and where it stands.
public struct TOMLKey: Hashable, Sendable {
    public let name: String
    public let place: TOMLPlace

    public init(name: String, place: TOMLPlace) {
        self.name = name
        self.place = place
    }

    public var line: Int { place.line }
    public var column: Int { place.column }
}

/// A table with its keys in the order in which they first appear in the text.
public struct TOMLTable: Hashable, Sendable {
    public struct Entry: Hashable, Sendable {
        public let key: TOMLKey
        public let value: TOMLValue
    }

    public let entries: [Entry]
    private let indexes: [String: Int]

    /// Of two entries of one name the later is found; a document never has two.
    public init(_ entries: [(key: TOMLKey, value: TOMLValue)]) {
        self.entries = entries.map { Entry(key: $0.key, value: $0.value) }
        indexes = Dictionary(entries.enumerated().map { ($1.key.name, $0) }, uniquingKeysWith: { $1 })
    }

    public static let empty = TOMLTable([])

    public var keys: [TOMLKey] { entries.map(\.key) }
    public var isEmpty: Bool { entries.isEmpty }

    public subscript(_ name: String) -> TOMLValue? {
        indexes[name].map { entries[$0].value }
    }

    public func key(_ name: String) -> TOMLKey? {
        indexes[name].map { entries[$0].key }
    }
}
