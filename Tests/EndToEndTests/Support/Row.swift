import JSONScanner

/// One JSON object with its values as they were written, so that 1.0 is not 1 and no digit is lost in a float.
struct Row: Hashable, CustomStringConvertible {
    private(set) var members: [String: String]

    init(_ members: [String: String]) {
        self.members = members
    }

    /// A string's content, or the text of any other value; empty when there is no such member.
    subscript(_ name: String) -> String { members[name] ?? "" }

    var description: String {
        members.sorted { $0.key < $1.key }.map { "\($0.key)=\($0.value)" }.joined(separator: " ")
    }

    init(_ value: JSONValue) {
        var members: [String: String] = [:]
        for member in value.members { members[member.key.string() ?? ""] = Row.text(member.value) }
        self.members = members
    }

    private static func text(_ value: JSONValue) -> String {
        value.string() ?? String(decoding: value.text, as: UTF8.self)
    }

    /// The objects of an array, or of the array that stands under `name` in an object.
    static func list(_ json: String, _ name: String? = nil) throws -> [Row] {
        let root = try JSONDocument(bytes: Array(json.utf8)).root
        let array = try name.map { name in
            guard let member = root.member(name) else { throw NeverHappened("no \(name) in \(json.prefix(200))") }
            return member
        }
        return (array ?? root).elements.map { Row($0) }
    }

    /// A single object.
    static func one(_ json: String) throws -> Row {
        Row(try JSONDocument(bytes: Array(json.utf8)).root)
    }
}
