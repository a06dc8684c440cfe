/// Reads a protocol buffer's fields one after another: no schema, no copies, nothing beyond the buffer.
struct ProtobufReader {
    enum Value {
        case varint(UInt64)
        case fixed64(UInt64)
        case bytes(UnsafeRawBufferPointer)
        case fixed32(UInt32)
    }

    /// The bytes are no protocol buffer.
    struct Malformed: Error {}

    private let bytes: UnsafeRawBufferPointer
    private var at = 0

    init(_ bytes: UnsafeRawBufferPointer) {
        self.bytes = bytes
    }

    /// The next field; nil at the end.
    mutating func next() throws(Malformed) -> (number: UInt64, value: Value)? {
        guard at < bytes.count else { return nil }
        let key = try varint()
        guard key >> 3 != 0 else { throw Malformed() }
        switch key & 7 {
        case 0: return (key >> 3, .varint(try varint()))
        case 1: return (key >> 3, .fixed64(try fixed(8)))
        case 2:
            let count = try varint()
            guard count <= UInt64(bytes.count - at) else { throw Malformed() }
            let end = at + Int(count)
            defer { at = end }
            return (key >> 3, .bytes(UnsafeRawBufferPointer(rebasing: bytes[at..<end])))
        case 5: return (key >> 3, .fixed32(UInt32(truncatingIfNeeded: try fixed(4))))
        default: throw Malformed()
        }
    }

    private mutating func varint() throws(Malformed) -> UInt64 {
        var value: UInt64 = 0
        var shift: UInt64 = 0
        while at < bytes.count, shift < 64 {
            let byte = bytes[at]
            at += 1
            // The tenth byte has one bit left.
            if shift == 63, byte > 1 { throw Malformed() }
            value |= UInt64(byte & 0x7F) << shift
            if byte < 0x80 { return value }
            shift += 7
        }
        throw Malformed()
    }

    /// Little-endian.
    private mutating func fixed(_ count: Int) throws(Malformed) -> UInt64 {
        guard bytes.count - at >= count else { throw Malformed() }
        var value: UInt64 = 0
        for i in 0..<count { value |= UInt64(bytes[at + i]) << UInt64(8 * i) }
        at += count
        return value
    }
}

/// One metric of a Sparkplug B payload.
struct SparkplugMetric {
    enum Value {
        case none
        case integer(Int64)
        case real(Double)
        /// A text, an array, a data set: not measured.
        case other
    }

    /// Empty: it has none, or too long a one. Bytes of the payload, as are the properties.
    var name = UnsafeRawBufferPointer(start: nil, count: 0)
    var alias: UInt64?
    var timestamp: UInt64?
    var datatype: UInt64?
    var isHistorical = false
    var isNull = false
    private var properties: UnsafeRawBufferPointer?
    private var raw: UInt64?
    private var real: Double?

    static let maximumNameLength = 256

    init(_ bytes: UnsafeRawBufferPointer) throws(ProtobufReader.Malformed) {
        var reader = ProtobufReader(bytes)
        while let (number, value) = try reader.next() {
            switch (number, value) {
            case (1, .bytes(let text)) where text.count <= SparkplugMetric.maximumNameLength:
                name = text
            case (2, .varint(let value)): alias = value
            case (3, .varint(let value)): timestamp = value
            case (4, .varint(let value)): datatype = value
            case (5, .varint(let value)): isHistorical = value != 0
            case (7, .varint(let value)): isNull = value != 0
            case (9, .bytes(let set)): properties = set
            case (10, .varint(let value)), (11, .varint(let value)), (14, .varint(let value)): raw = value
            case (12, .fixed32(let bits)): real = Double(Float(bitPattern: bits))
            case (13, .fixed64(let bits)): real = Double(bitPattern: bits)
            default: break
            }
        }
    }

    /// With the type that the metric, or its birth, states.
    func value(as type: UInt64?) -> Value {
        if isNull { return .none }
        if let real { return .real(real) }
        guard let raw else { return .other }
        switch datatype ?? type ?? 0 {
        case 1: return .integer(Int64(Int8(truncatingIfNeeded: raw)))
        case 2: return .integer(Int64(Int16(truncatingIfNeeded: raw)))
        case 3: return .integer(Int64(Int32(truncatingIfNeeded: raw)))
        case 4: return .integer(Int64(bitPattern: raw))
        case 5...8: return Int64(exactly: raw).map { .integer($0) } ?? .other
        default: return .other
        }
    }

    /// The unit among its properties' keys and values; nil where there is none that can be read.
    var unit: String? { properties.flatMap { try? SparkplugMetric.unit($0) } }

    private static func unit(_ bytes: UnsafeRawBufferPointer) throws(ProtobufReader.Malformed) -> String? {
        var keys: [String] = []
        var values: [String?] = []
        var reader = ProtobufReader(bytes)
        while let (number, value) = try reader.next() {
            guard case .bytes(let inner) = value, keys.count < 64, values.count < 64 else { continue }
            if number == 1 { keys.append(String(decoding: inner.prefix(64), as: UTF8.self)) }
            if number == 2 {
                var text: String?
                var property = ProtobufReader(inner)
                while let (number, value) = try property.next() {
                    if number == 8, case .bytes(let string) = value, string.count <= 16 {
                        text = String(decoding: string, as: UTF8.self)
                    }
                }
                values.append(text)
            }
        }
        for (key, value) in zip(keys, values) where ["engunit", "unit", "units"].contains(key.lowercased()) {
            return value
        }
        return nil
    }
}
