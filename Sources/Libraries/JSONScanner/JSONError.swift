import CSimdjson

/// Why a text is not a JSON document that we take, and the byte where that was noticed.
public struct JSONError: Error, Hashable, Sendable, CustomStringConvertible {
    public enum Kind: Hashable, Sendable {
        /// Nothing but blanks.
        case empty
        case tooLarge(maximumBytes: Int)
        case tooDeep(maximumDepth: Int)
        case tooManyTokens(maximum: Int)
        case numberTooLong(maximumLength: Int)
        case invalidUTF8
        case byteOrderMark
        /// The text ends inside the document.
        case truncated
        /// Something stands behind the document.
        case trailing
        case badNumber
        /// An unknown escape, or half a surrogate pair.
        case badEscape
        /// A control character inside a string.
        case controlCharacter
        case syntax
        case outOfMemory
    }

    public let kind: Kind
    /// Counted from 0.
    public let offset: Int

    public init(kind: Kind, offset: Int) {
        self.kind = kind
        self.offset = offset
    }

    public var description: String {
        "The JSON text \(reason), at byte \(offset)."
    }

    private var reason: String {
        switch kind {
        case .empty: "is empty"
        case .tooLarge(let maximum): "is longer than \(maximum) bytes"
        case .tooDeep(let maximum): "nests deeper than \(maximum) levels"
        case .tooManyTokens(let maximum): "has more than \(maximum) values and keys"
        case .numberTooLong(let maximum): "has a number of more than \(maximum) characters"
        case .invalidUTF8: "is not UTF-8"
        case .byteOrderMark: "starts with a byte order mark, which JSON does not allow"
        case .truncated: "is cut off"
        case .trailing: "goes on after its end"
        case .badNumber: "has a malformed number"
        case .badEscape: "has a malformed escape in a string"
        case .controlCharacter: "has a bare control character in a string"
        case .syntax: "is malformed"
        case .outOfMemory: "does not fit into memory"
        }
    }

    init(code: Int, offset: Int, limits: JSONLimits) {
        self.offset = offset
        self.kind =
            switch code {
            case CSJ_EMPTY: .empty
            case CSJ_TOO_LARGE: .tooLarge(maximumBytes: limits.bytes)
            case CSJ_TOO_DEEP: .tooDeep(maximumDepth: limits.depth)
            case CSJ_TOO_MANY_TOKENS: .tooManyTokens(maximum: limits.tokens)
            case CSJ_NUMBER_TOO_LONG: .numberTooLong(maximumLength: limits.numberLength)
            case CSJ_INVALID_UTF8: .invalidUTF8
            case CSJ_BYTE_ORDER_MARK: .byteOrderMark
            case CSJ_TRUNCATED: .truncated
            case CSJ_TRAILING: .trailing
            case CSJ_BAD_NUMBER: .badNumber
            case CSJ_BAD_ESCAPE: .badEscape
            case CSJ_CONTROL_CHARACTER: .controlCharacter
            case CSJ_OUT_OF_MEMORY: .outOfMemory
            default: .syntax
            }
    }
}
