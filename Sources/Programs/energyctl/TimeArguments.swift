import Timekeeping

/// `--since` and `--until`: an RFC 3339 time, or a span before now such as -24h.
enum TimeArgument {
    /// A minus that no parser of options takes for theirs.
    private static let minus: Character = "\u{2212}"

    /// Spans that stand by themselves, as in `data explain washer -2h`, made readable as arguments: they look like
    /// short options.
    static func marked(_ arguments: [String]) -> [String] {
        var previous = ""
        return arguments.map { argument in
            defer { previous = argument }
            guard argument.hasPrefix("-"), !previous.hasPrefix("-"), (try? RelativeSpan(argument)) != nil else {
                return argument
            }
            return "\(minus)\(argument.dropFirst())"
        }
    }

    static func timestamp(_ text: String?, option: String, now: Timestamp) throws -> Timestamp? {
        guard var text else { return nil }
        if text.first == minus { text = "-" + text.dropFirst() }
        if let span = try? RelativeSpan(text) { return span.before(now) }
        do {
            return try Timestamp(rfc3339: text)
        } catch {
            throw Failure(
                .usage,
                "\(option) \(text) is neither a time such as 2026-03-01T00:00:00Z nor a span such as -24h: \(error)")
        }
    }
}
