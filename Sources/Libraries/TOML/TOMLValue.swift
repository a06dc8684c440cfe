/// One value of a document, and where it stands.
public struct TOMLValue: Hashable, Sendable {
    public enum Content: Hashable, Sendable {
        case string(String)
        case integer(Int64)
        /// `text` is the number as it is written, without digit separators: 0.3215 stays "0.3215".
        case float(Double, text: String)
        case boolean(Bool)
        /// `2026-03-29`
        case localDate(String)
        /// `02:30:00`, with a fraction only when there is one.
        case localTime(String)
        /// `2026-03-29T02:30:00`
        case localDateTime(String)
        /// RFC 3339: `2026-03-29T02:30:00+01:00`, or `Z` for an offset of zero.
        case offsetDateTime(String)
        case array([TOMLValue])
        case table(TOMLTable)
    }

    public let content: Content
    public let place: TOMLPlace

    public init(content: Content, place: TOMLPlace) {
        self.content = content
        self.place = place
    }

    public var string: String? {
        if case .string(let value) = content { value } else { nil }
    }

    public var integer: Int64? {
        if case .integer(let value) = content { value } else { nil }
    }

    public var boolean: Bool? {
        if case .boolean(let value) = content { value } else { nil }
    }

    public var array: [TOMLValue]? {
        if case .array(let value) = content { value } else { nil }
    }

    public var table: TOMLTable? {
        if case .table(let value) = content { value } else { nil }
    }

    /// An integer or a float as decimal text, exactly as it is meant: for money and scales. Nil for `inf` and `nan`.
    public var decimalText: String? {
        switch content {
        case .integer(let value): String(value)
        case .float(let value, let text): value.isFinite ? text : nil
        default: nil
        }
    }

    /// What it is, with its article, for "expected a string, found an integer".
    public var kindName: String {
        switch content {
        case .string: "a string"
        case .integer: "an integer"
        case .float: "a float"
        case .boolean: "a boolean"
        case .localDate: "a date"
        case .localTime: "a time"
        case .localDateTime: "a date and time without an offset"
        case .offsetDateTime: "a date and time"
        case .array: "an array"
        case .table: "a table"
        }
    }
}
