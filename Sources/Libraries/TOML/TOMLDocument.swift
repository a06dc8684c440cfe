import CTOML

/// A TOML 1.0 text as an immutable tree whose every key and value knows its file, line and column.
public struct TOMLDocument: Sendable {
    /// Longer texts are refused.
    public static let maximumBytes = 1 << 20
    /// Parts of one dotted key. Arrays and inline tables nest at most 32 deep, which the parser itself sees to.
    public static let maximumKeyParts = 32

    public let root: TOMLTable
    public let file: String

    /// `file` is only a name for messages; nothing is read from it.
    public init(text: String, file: String) throws(TOMLError) {
        try self.init(bytes: Array(text.utf8), file: file)
    }

    /// As above, for bytes that need not be UTF-8: where they are not is an error with a place.
    public init(bytes: [UInt8], file: String) throws(TOMLError) {
        guard bytes.count <= TOMLDocument.maximumBytes else {
            throw TOMLError(
                place: TOMLPlace(file: file, line: 1, column: 1),
                reason: "The file is longer than \(TOMLDocument.maximumBytes) bytes")
        }
        let parsed = bytes.withUnsafeBytes { raw in
            ctoml_parse(raw.bindMemory(to: CChar.self).baseAddress, raw.count, UInt32(TOMLDocument.maximumKeyParts))
        }
        guard let parsed else {
            throw TOMLError(
                place: TOMLPlace(file: file, line: 1, column: 1), reason: "There is not enough memory for the file")
        }
        defer { ctoml_free(parsed) }
        if let reason = parsed.pointee.reason {
            // A position of 0 means that the parser had read nothing yet.
            let place = TOMLPlace(
                file: file, line: max(1, Int(parsed.pointee.line)), column: max(1, Int(parsed.pointee.column)))
            throw TOMLError(place: place, reason: sentence(String(cString: reason)))
        }
        var reader = NodeReader(document: parsed.pointee, file: file)
        let root = reader.next().value
        guard case .table(let table) = root.content else { preconditionFailure("a TOML root that is no table") }
        self.root = table
        self.file = file
    }
}

/// The parser's reasons begin with a small letter after "Error while parsing …:"; ours begin with a capital.
private func sentence(_ reason: String) -> String {
    guard let first = reason.first else { return "The file is malformed" }
    return first.uppercased() + reason.dropFirst()
}

/// Builds the tree from the flat list. Its depth is bounded by the limits above.
private struct NodeReader {
    let document: ctoml_document
    let file: String
    var index = 0

    mutating func next() -> (key: TOMLKey, value: TOMLValue) {
        precondition(index < document.count, "a TOML tree that ends early")
        let node = document.nodes[index]
        index += 1
        let key = TOMLKey(name: text(node.key), place: place(node.key_line, node.key_column))
        // A table that only a dotted key or a longer header implies has no place of its own: its key's will do.
        let own = node.line == 0 ? key.place : place(node.line, node.column)
        return (key, TOMLValue(content: content(of: node), place: own))
    }

    private mutating func content(of node: ctoml_node) -> TOMLValue.Content {
        switch Int(node.kind) {
        case CTOML_TABLE: return .table(TOMLTable((0..<node.count).map { _ in next() }))
        case CTOML_ARRAY: return .array((0..<node.count).map { _ in next().value })
        case CTOML_INTEGER: return .integer(node.integer)
        case CTOML_FLOAT: return .float(node.number, text: floatText(node))
        case CTOML_BOOLEAN: return .boolean(node.boolean != 0)
        case CTOML_LOCAL_DATE: return .localDate(text(node.text))
        case CTOML_LOCAL_TIME: return .localTime(text(node.text))
        case CTOML_LOCAL_DATE_TIME: return .localDateTime(text(node.text))
        case CTOML_OFFSET_DATE_TIME: return .offsetDateTime(text(node.text))
        default: return .string(text(node.text))
        }
    }

    /// What is written, unless its place does not hold that very number; then the shortest text that does.
    private func floatText(_ node: ctoml_node) -> String {
        let written = text(node.text)
        return Double(written) == node.number ? written : String(node.number)
    }

    private func place(_ line: UInt32, _ column: UInt32) -> TOMLPlace {
        TOMLPlace(file: file, line: max(1, Int(line)), column: max(1, Int(column)))
    }

    private func text(_ text: ctoml_text) -> String {
        guard text.length > 0 else { return "" }
        let bytes = UnsafeRawBufferPointer(start: document.text + text.start, count: text.length)
        return String(decoding: bytes, as: UTF8.self)
    }
}
