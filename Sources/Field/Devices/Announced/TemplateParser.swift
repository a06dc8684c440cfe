import Metering

extension Template {
    /// Nil reasons do not exist: what is outside of the subset is told in words.
    init(_ text: String) throws(Failure) {
        guard text.utf8.count <= Template.maximumLength else { throw Failure(reason: "is too long") }
        let trimmed = text.drop { $0.isWhitespace }
        guard trimmed.hasPrefix("{{"), let end = trimmed.lastIndex(where: { !$0.isWhitespace }),
            trimmed[...end].hasSuffix("}}"), trimmed[...end].count >= 4
        else { throw Failure(reason: "is not one {{ … }}") }
        let inner = trimmed[...end].dropFirst(2).dropLast(2)
        guard !inner.contains("{{"), !inner.contains("{%") else { throw Failure(reason: "is not one {{ … }}") }
        var parser = TemplateParser(String(inner))
        expression = try parser.whole()
    }
}

/// Recursive descent, bounded by the text's length and by depth.
private struct TemplateParser {
    private let text: [UInt8]
    private var at = 0
    private var depth = 0

    private static let maximumDepth = 32

    init(_ text: String) {
        // `{{-` and `-}}` take away blanks around, which mean nothing here.
        var bytes = Array(text.utf8)
        if bytes.first == UInt8(ascii: "-") { bytes.removeFirst() }
        if bytes.last == UInt8(ascii: "-") { bytes.removeLast() }
        self.text = bytes
    }

    mutating func whole() throws(Template.Failure) -> Template.Expression {
        let expression = try sum()
        skipBlanks()
        guard at == text.count else { throw unsupported() }
        return expression
    }

    private func unsupported() -> Template.Failure {
        var rest = text[min(at, text.count)...].prefix(32)
        while rest.last == 0x20 { rest.removeLast() }
        return Template.Failure(reason: "goes beyond what is read, at `\(String(decoding: rest, as: UTF8.self))`")
    }

    private mutating func skipBlanks() {
        while at < text.count, text[at] == 0x20 || (0x09...0x0D).contains(text[at]) { at += 1 }
    }

    private mutating func take(_ symbol: Character) -> Bool {
        skipBlanks()
        guard at < text.count, text[at] == symbol.asciiValue else { return false }
        at += 1
        return true
    }

    private mutating func sum() throws(Template.Failure) -> Template.Expression {
        depth += 1
        defer { depth -= 1 }
        guard depth <= TemplateParser.maximumDepth else { throw unsupported() }
        var left = try product()
        while true {
            if take("+") {
                left = .sum(left, try product())
            } else if take("-") {
                left = .difference(left, try product())
            } else {
                return left
            }
        }
    }

    private mutating func product() throws(Template.Failure) -> Template.Expression {
        var left = try signed()
        while true {
            skipBlanks()
            // `//` and `**` are other operations.
            if at + 1 < text.count, text[at] == text[at + 1], [UInt8(ascii: "/"), UInt8(ascii: "*")].contains(text[at])
            {
                throw unsupported()
            }
            if take("*") {
                left = .product(left, try signed())
            } else if take("/") {
                left = .quotient(left, try signed())
            } else {
                return left
            }
        }
    }

    private mutating func signed() throws(Template.Failure) -> Template.Expression {
        depth += 1
        defer { depth -= 1 }
        guard depth <= TemplateParser.maximumDepth else { throw unsupported() }
        if take("-") { return .negated(try signed()) }
        var value = try primary()
        // Filters bind closer than any operator.
        while take("|") { value = .filtered(value, try filter()) }
        return value
    }

    private mutating func primary() throws(Template.Failure) -> Template.Expression {
        if take("(") {
            let inner = try sum()
            guard take(")") else { throw unsupported() }
            return inner
        }
        if let number = try number() { return .number(number) }
        if let quoted = try quoted() { return .text(quoted) }
        switch word() {
        case "value": return .value
        case "value_json": return .json(try path())
        default: throw unsupported()
        }
    }

    private mutating func path() throws(Template.Failure) -> [String] {
        var path: [String] = []
        while path.count < FieldTree.maximumDepth {
            if at < text.count, text[at] == UInt8(ascii: ".") {
                at += 1
                let name = word()
                guard !name.isEmpty else { throw unsupported() }
                path.append(name)
            } else if at < text.count, text[at] == UInt8(ascii: "[") {
                at += 1
                if let name = try quoted() {
                    path.append(name)
                } else if let index = try number(), index.denominator == 1, (0...999).contains(index.numerator) {
                    path.append("[\(index.numerator)]")
                } else {
                    throw unsupported()
                }
                guard take("]") else { throw unsupported() }
            } else {
                return path
            }
        }
        throw unsupported()
    }

    private mutating func filter() throws(Template.Failure) -> Template.Filter {
        let name = word()
        switch name {
        case "float": return .float(try argument())
        case "int": return .int(try argument())
        case "abs", "is_defined":
            return name == "abs" ? .abs : .isDefined
        case "round":
            guard let digits = try argument() else { return .round(0) }
            guard digits.denominator == 1, (0...12).contains(digits.numerator) else { throw unsupported() }
            return .round(Int(digits.numerator))
        case "default", "d": return .fallback(try argument())
        default: throw unsupported()
        }
    }

    /// One number between brackets; nil for `none`, a text that is no number, and where there are no brackets.
    private mutating func argument() throws(Template.Failure) -> ExactRatio? {
        guard take("(") else { return nil }
        if take(")") { return nil }
        let sign: Int128 = take("-") ? -1 : 1
        var value = try number()
        if value == nil {
            if let text = try quoted() {
                value = DecimalText(text).flatMap { ExactRatio($0) }
            } else if !["none", "None"].contains(word()) {
                throw unsupported()
            }
        }
        guard take(")") else { throw unsupported() }
        return sign < 0 ? value.flatMap(\.negated) : value
    }

    private mutating func number() throws(Template.Failure) -> ExactRatio? {
        skipBlanks()
        let start = at
        while at < text.count, (0x30...0x39).contains(text[at]) || text[at] == UInt8(ascii: ".") { at += 1 }
        guard at > start else { return nil }
        guard let decimal = DecimalText(utf8: Array(text[start..<at])), let number = ExactRatio(decimal) else {
            throw unsupported()
        }
        return number
    }

    private mutating func quoted() throws(Template.Failure) -> String? {
        skipBlanks()
        guard at < text.count, text[at] == UInt8(ascii: "'") || text[at] == UInt8(ascii: "\"") else { return nil }
        let quote = text[at]
        guard let end = text[(at + 1)...].firstIndex(of: quote) else { throw unsupported() }
        let inner = String(decoding: text[(at + 1)..<end], as: UTF8.self)
        at = end + 1
        return inner
    }

    private mutating func word() -> String {
        skipBlanks()
        let start = at
        while at < text.count, TemplateParser.isWord(text[at]) { at += 1 }
        return String(decoding: text[start..<at], as: UTF8.self)
    }

    private static func isWord(_ byte: UInt8) -> Bool {
        (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte) || (0x61...0x7A).contains(byte) || byte == 0x5F
    }
}
