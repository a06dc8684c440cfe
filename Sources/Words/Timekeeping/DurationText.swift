/// Why a text is not a duration.
public struct DurationError: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Reason: String, Hashable, Sendable {
        case empty = "it is empty"
        case tooLong = "it is too long"
        case numberExpected = "a whole number is expected before each unit"
        case unknownUnit = "the units are w, d, h, m, s and ms"
        case unitOrder = "each unit stands once, larger units first"
        case tooLarge = "it is longer than 1000 years"
        case minusExpected = "it must begin with a minus, such as -24h"
    }

    /// The text as given, cut to a length that fits a message.
    public let text: String
    public let reason: Reason

    public var description: String {
        "\"\(text)\" is not a duration (such as 500ms, 30s, 15m, 1h30m): \(reason.rawValue)"
    }
}

/// Durations as configuration files write them: `500ms`, `30s`, `15m`, `1h30m`, `7d`, `2w`.
///
/// Whole numbers with a unit, larger units first, no blanks, no fractions. A day is 24 h and a week 7 days.
public enum DurationText {
    private static let units: [(name: String, length: Int64)] = [
        ("w", 7 * Span.day), ("d", Span.day), ("h", Span.hour), ("m", Span.minute), ("s", Span.second), ("ms", 1),
    ]
    private static let maximumLength = 32
    private static let maximum = 365_250 * Span.day

    /// Milliseconds, 0 or more.
    public static func parse(_ text: some StringProtocol) throws(DurationError) -> Int64 {
        let bytes = Array(text.utf8.prefix(maximumLength + 1))
        func error(_ reason: DurationError.Reason) -> DurationError {
            DurationError(text: String(text.prefix(maximumLength)), reason: reason)
        }
        guard !bytes.isEmpty else { throw error(.empty) }
        guard bytes.count <= maximumLength else { throw error(.tooLong) }
        var rest = bytes[...]
        var total: Int64 = 0
        var smallest = -1
        while !rest.isEmpty {
            let digits = rest.prefix { $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }
            rest = rest.dropFirst(digits.count)
            guard !digits.isEmpty else { throw error(.numberExpected) }
            guard let number = Int64(String(decoding: digits, as: UTF8.self)) else { throw error(.tooLarge) }
            let letters = rest.prefix { $0 >= UInt8(ascii: "a") && $0 <= UInt8(ascii: "z") }
            rest = rest.dropFirst(letters.count)
            let name = String(decoding: letters, as: UTF8.self)
            guard let unit = units.firstIndex(where: { $0.name == name }) else { throw error(.unknownUnit) }
            guard unit > smallest else { throw error(.unitOrder) }
            smallest = unit
            let (part, overflow) = number.multipliedReportingOverflow(by: units[unit].length)
            guard !overflow, part <= maximum, total + part <= maximum else { throw error(.tooLarge) }
            total += part
        }
        return total
    }

    /// The shortest text that reads back to `milliseconds`; a minus in front when negative.
    public static func format(_ milliseconds: Int64) -> String {
        guard milliseconds != 0 else { return "0s" }
        var rest = milliseconds.magnitude
        var text = milliseconds < 0 ? "-" : ""
        // Weeks are left out: 14d is plainer than 2w.
        for unit in units.dropFirst() {
            let (count, remainder) = rest.quotientAndRemainder(dividingBy: UInt64(unit.length))
            if count > 0 { text += "\(count)\(unit.name)" }
            rest = remainder
        }
        return text
    }
}

/// A span back from now, as the command line writes it: `-24h`, `-90m`, `-1h30m`, `-7d`.
public struct RelativeSpan: Hashable, Sendable {
    /// Zero or negative.
    public let milliseconds: Int64

    public init(_ text: some StringProtocol) throws(DurationError) {
        guard text.utf8.first == UInt8(ascii: "-") else {
            throw DurationError(text: String(text.prefix(32)), reason: .minusExpected)
        }
        milliseconds = -(try DurationText.parse(text.dropFirst()))
    }

    /// The instant that far before `now`.
    public func before(_ now: Timestamp) -> Timestamp { now + milliseconds }
}
