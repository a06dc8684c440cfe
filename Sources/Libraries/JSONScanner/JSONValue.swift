import CSimdjson

/// One value of a scanned document: a position on its tape, no copy.
///
/// No accessor throws or traps because of what the document says: what is not there, or of another kind, is nil.
/// Those that every message goes through are inlined into its decoder, which lies in another module.
public struct JSONValue {
    public enum Kind: Hashable, Sendable {
        case object, array, string, number, boolean, null
    }

    let tape: UnsafePointer<csj_tape>
    let index: UInt32
    let generation: UInt32
    /// Only a `JSONDocument`'s values keep their tape alive; nil costs no reference counting on the hot path.
    let owner: JSONScanner?

    @inline(__always)
    init(tape: UnsafePointer<csj_tape>, index: UInt32, generation: UInt32, owner: JSONScanner?) {
        self.tape = tape
        self.index = index
        self.generation = generation
        self.owner = owner
    }

    @inline(__always)
    public var kind: Kind {
        switch Int(token.kind) {
        case CSJ_OBJECT: .object
        case CSJ_ARRAY: .array
        case CSJ_STRING, CSJ_KEY: .string
        case CSJ_NUMBER: .number
        case CSJ_TRUE, CSJ_FALSE: .boolean
        default: .null
        }
    }

    @inline(__always)
    public var isNull: Bool { Int(token.kind) == CSJ_NULL }

    /// Nil when this is neither `true` nor `false`.
    public var bool: Bool? {
        switch Int(token.kind) {
        case CSJ_TRUE: true
        case CSJ_FALSE: false
        default: nil
        }
    }

    /// The value as it stands in the text; of a string what is between the quotes, escapes and all. The pointer is
    /// valid while this value is: inside the scan's body, or while the document is held.
    @inline(__always)
    public var text: UnsafeRawBufferPointer {
        let token = token
        return UnsafeRawBufferPointer(start: tape.pointee.text + Int(token.start), count: Int(token.length))
    }

    /// The number's own characters, as exact as they were written; valid as long as `text` is. Nil when not a number.
    @inline(__always)
    public var numberText: UnsafeRawBufferPointer? {
        Int(token.kind) == CSJ_NUMBER ? text : nil
    }

    /// The number as an integer: exact or nil. `1e3` and `1.50e1` are integers, `1.5` and 2^63 are not.
    public var integer: Int64? {
        numberText.flatMap(exactInteger)
    }

    /// The string with its escapes resolved. Nil when not a string.
    public func string() -> String? {
        let token = token
        guard Int(token.kind) == CSJ_STRING || Int(token.kind) == CSJ_KEY else { return nil }
        guard token.flags & UInt8(CSJ_ESCAPED) != 0 else { return String(decoding: text, as: UTF8.self) }
        return String(decoding: unescaped(text), as: UTF8.self)
    }

    /// Where the value begins in the text, in bytes from 0: for messages to people.
    public var offset: Int { Int(token.start) }

    @inline(__always)
    var token: csj_token { token(at: index) }

    @inline(__always)
    func token(at index: UInt32) -> csj_token {
        let tape = tape.pointee
        precondition(tape.generation == generation, "a JSON value was used after its scan")
        return tape.tokens[Int(index)]
    }

    @inline(__always)
    func value(at index: UInt32) -> JSONValue {
        JSONValue(tape: tape, index: index, generation: generation, owner: owner)
    }
}
