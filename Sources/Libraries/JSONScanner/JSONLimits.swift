import CSimdjson

/// What a document may cost. Everything above is refused with a `JSONError`.
public struct JSONLimits: Hashable, Sendable {
    /// Length of the whole text.
    public let bytes: Int
    /// Objects and arrays inside one another, the root included.
    public let depth: Int
    /// Values and keys together.
    public let tokens: Int
    /// Characters of one number.
    public let numberLength: Int

    /// Limits must be positive and at most 1 GiB (depth: 1,000), which also bounds the walk's stack.
    public init(bytes: Int = 256 << 10, depth: Int = 32, tokens: Int = 65_536, numberLength: Int = 64) {
        precondition((1...1_000).contains(depth), "a JSON depth limit is 1 to 1,000")
        for limit in [bytes, tokens, numberLength] {
            precondition((1...(1 << 30)).contains(limit), "a JSON limit is 1 to 2^30")
        }
        self.bytes = bytes
        self.depth = depth
        self.tokens = tokens
        self.numberLength = numberLength
    }

    /// For a message from a device.
    public static let message = JSONLimits()

    /// For an answer of the API: up to 64 MiB.
    public static let answer = JSONLimits(bytes: 64 << 20, tokens: 16 << 20)

    var asC: csj_limits {
        csj_limits(
            max_bytes: UInt32(bytes), max_depth: UInt32(depth), max_tokens: UInt32(tokens),
            max_number_length: UInt32(numberLength))
    }
}
