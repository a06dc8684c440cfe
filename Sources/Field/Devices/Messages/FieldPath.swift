import Metering

/// The paths of a profile: names with dots between, `[0]` for an element, `"a.b"` where a name holds a dot.
enum FieldPath {
    /// A path and the channel that was put into it.
    struct Expanded: Hashable {
        let path: String
        var word = ""
        var channel: Channel?
    }

    static let placeholder = "{channel}"

    /// `{a,b}` once for each word between the commas, and `{channel}` once for each of `channels`.
    static func expanded(_ text: String, channels: [(word: String, channel: Channel)]) -> [Expanded] {
        var texts = [text]
        // Each round replaces the first list of every text; a path has few, and texts are bounded by their length.
        while let open = texts.first.flatMap(list) {
            texts = texts.flatMap { text -> [String] in
                guard let range = list(text) else { return [text] }
                let words = text[range].dropFirst().dropLast().split(separator: ",", omittingEmptySubsequences: false)
                return words.map { text.replacingCharacters(in: range, with: String($0)) }
            }
            if texts.count > 1024 || open.isEmpty { return [] }
        }
        guard text.contains(placeholder) else { return texts.map { Expanded(path: $0) } }
        return texts.flatMap { text in
            channels.map { word, channel in
                Expanded(path: text.replacing(placeholder, with: word), word: word, channel: channel)
            }
        }
    }

    /// The first `{…,…}`.
    private static func list(_ text: String) -> Range<String.Index>? {
        var open: String.Index?
        for index in text.indices {
            if text[index] == "{" { open = index }
            guard text[index] == "}", let start = open else { continue }
            if text[start...index].contains(",") { return start..<text.index(after: index) }
            open = nil
        }
        return nil
    }

    /// Nil when it is no path.
    static func parse(_ text: String) -> [String]? {
        var names: [String] = [""]
        var isQuoted = false
        for character in text {
            switch character {
            case "\"": isQuoted.toggle()
            case "." where !isQuoted: names.append("")
            // An element is a name of its own; at the very start it is the root's.
            case "[" where !isQuoted && names == [""]: names[0].append("[")
            case "[" where !isQuoted: names.append("[")
            default: names[names.count - 1].append(character)
            }
        }
        guard !isQuoted, names.count <= FieldTree.maximumDepth, names.allSatisfy(isName),
            names.count(where: { $0 == FieldTree.wildcard }) <= 1
        else { return nil }
        return names
    }

    private static func isName(_ name: String) -> Bool {
        guard name.hasPrefix("["), !name.isEmpty else { return !name.isEmpty }
        guard name.hasSuffix("]"), let index = Int(name.dropFirst().dropLast()) else { return false }
        return (0...999).contains(index)
    }
}

extension String {
    func replacingCharacters(in range: Range<String.Index>, with text: String) -> String {
        String(self[..<range.lowerBound]) + text + String(self[range.upperBound...])
    }
}
