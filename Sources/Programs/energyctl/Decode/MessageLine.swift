import Devices
import JSONScanner
import Timekeeping

/// One line of a file of messages: `{"topic":…,"payload":…,"retain":…,"received":…}`.
struct MessageLine {
    var topic: [UInt8]
    var payload: [UInt8]
    var retained: Bool
    /// Nil: now.
    var received: Timestamp?

    /// A payload of the largest size, each byte of it escaped as `\u0000`, with its topic.
    static let maximumLength = 6 * MessageDecoder.maximumPayload + (512 << 10)
    private static let limits = JSONLimits(bytes: maximumLength)

    init(_ bytes: [UInt8]) throws(LineError) {
        guard bytes.count <= MessageLine.maximumLength else {
            throw LineError("is longer than \(MessageLine.maximumLength) bytes")
        }
        let root: JSONValue
        do {
            root = try JSONDocument(bytes: bytes, limits: MessageLine.limits).root
        } catch {
            throw LineError("is not JSON: \(error)")
        }
        guard root.kind == .object else { throw LineError("is not a JSON object") }
        guard let topic = root["topic"]?.string() else { throw LineError("has no topic") }
        self.topic = Array(topic.utf8)
        payload = try MessageLine.payload(root)
        switch root["retain"]?.bool {
        case let value?: retained = value
        case nil where root["retain"] == nil: retained = false
        case nil: throw LineError("has a retain that is neither true nor false")
        }
        guard let value = root["received"], !value.isNull else { return }
        guard let text = value.string() else { throw LineError("has a received that is no text") }
        do {
            received = try Timestamp(rfc3339: text)
        } catch {
            throw LineError("has a bad received, \(text): \(error)")
        }
    }

    private static func payload(_ root: JSONValue) throws(LineError) -> [UInt8] {
        if let coded = root["payload_b64"] {
            guard let text = coded.string(), let bytes = Base64.decode(text) else {
                throw LineError("has a payload_b64 that is not base64")
            }
            return bytes
        }
        guard let value = root["payload"] else { throw LineError("has neither payload nor payload_b64") }
        guard let text = value.string() else { throw LineError("has a payload that is no text") }
        return Array(text.utf8)
    }
}

/// RFC 4648 §4, with or without its padding.
enum Base64 {
    static func decode(_ text: String) -> [UInt8]? {
        var digits = Substring(text)
        while digits.last == "=", text.utf8.count - digits.utf8.count < 2 { digits.removeLast() }
        var bytes: [UInt8] = []
        var bits: UInt32 = 0
        var count = 0
        for letter in digits.utf8 {
            guard let value = value(letter) else { return nil }
            bits = bits << 6 | value
            count += 6
            if count >= 8 {
                count -= 8
                bytes.append(UInt8(truncatingIfNeeded: bits >> UInt32(count)))
            }
        }
        return count < 6 ? bytes : nil
    }

    private static func value(_ letter: UInt8) -> UInt32? {
        switch letter {
        case UInt8(ascii: "A")...UInt8(ascii: "Z"): UInt32(letter - UInt8(ascii: "A"))
        case UInt8(ascii: "a")...UInt8(ascii: "z"): UInt32(letter - UInt8(ascii: "a")) + 26
        case UInt8(ascii: "0")...UInt8(ascii: "9"): UInt32(letter - UInt8(ascii: "0")) + 52
        case UInt8(ascii: "+"): 62
        case UInt8(ascii: "/"): 63
        default: nil
        }
    }
}
