import Timekeeping

/// `--since` and `--until`: an RFC 3339 time, or a span before now such as -24h.
enum TimeArgument {
    static func timestamp(_ text: String?, option: String, now: Timestamp) throws -> Timestamp? {
        guard let text else { return nil }
        if let span = try? RelativeSpan.parse(text) { return now + span }
        do {
            return try Timestamp(rfc3339: text)
        } catch {
            throw Failure(
                .usage,
                "\(option) \(text) is neither a time such as 2026-03-01T00:00:00Z nor a span such as -24h: \(error)")
        }
    }
}
