import CSimdjson
import Glibc

extension JSONValue {
    /// The member of that name; of several the last, as browsers and Python do. Nil when there is none, or no object.
    ///
    /// Allocates nothing, unless a key in the document is written with escapes.
    public subscript(_ key: StaticString) -> JSONValue? {
        precondition(key.hasPointerRepresentation, "a JSON key of more than one character")
        return lastMember(UnsafeRawBufferPointer(start: key.utf8Start, count: key.utf8CodeUnitCount))
    }

    /// As the subscript, for a key that is not known before run time.
    public func member(_ key: String) -> JSONValue? {
        var key = key
        return key.withUTF8 { lastMember(UnsafeRawBufferPointer($0)) }
    }

    /// The members in document order, duplicates included; empty for anything but an object.
    @inline(__always)
    public var members: JSONMembers { JSONMembers(of: self) }

    /// The elements in order; empty for anything but an array.
    @inline(__always)
    public var elements: JSONElements { JSONElements(of: self) }

    private func lastMember(_ key: UnsafeRawBufferPointer) -> JSONValue? {
        let object = token
        guard Int(object.kind) == CSJ_OBJECT else { return nil }
        let tape = tape.pointee
        var found: UInt32?
        var at = index + 1
        while at < object.next {
            let candidate = tape.tokens[Int(at)]
            if candidate.flags & UInt8(CSJ_ESCAPED) != 0 {
                let name = value(at: at)
                if unescaped(name.text).elementsEqual(key) { found = at + 1 }
            } else if Int(candidate.length) == key.count,
                key.isEmpty || memcmp(tape.text + Int(candidate.start), key.baseAddress!, key.count) == 0
            {
                found = at + 1
            }
            at = candidate.next
        }
        return found.map(value(at:))
    }
}

/// One member of an object. The key is a value of kind string.
public struct JSONMember {
    public let key: JSONValue
    public let value: JSONValue
}

/// The members of an object, one after another, without allocation.
public struct JSONMembers: Sequence, IteratorProtocol {
    let object: JSONValue
    var at: UInt32
    let end: UInt32

    @inline(__always)
    init(of value: JSONValue) {
        let token = value.token
        object = value
        at = value.index + 1
        end = Int(token.kind) == CSJ_OBJECT ? token.next : at
    }

    @inline(__always)
    public mutating func next() -> JSONMember? {
        guard at < end else { return nil }
        defer { at = object.token(at: at).next }
        return JSONMember(key: object.value(at: at), value: object.value(at: at + 1))
    }
}

/// The elements of an array, one after another, without allocation.
public struct JSONElements: Sequence, IteratorProtocol {
    let array: JSONValue
    var at: UInt32
    let end: UInt32

    @inline(__always)
    init(of value: JSONValue) {
        let token = value.token
        array = value
        at = value.index + 1
        end = Int(token.kind) == CSJ_ARRAY ? token.next : at
    }

    @inline(__always)
    public mutating func next() -> JSONValue? {
        guard at < end else { return nil }
        defer { at = array.token(at: at).next }
        return array.value(at: at)
    }
}
