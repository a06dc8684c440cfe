import JSONScanner

/// Why a message, a field or a register gives no reading. The caller adds the topic, or bus and unit.
public enum DecodeError: Error, Hashable, Sendable, CustomStringConvertible {
    case payloadTooLarge(bytes: Int, maximum: Int)
    case json(JSONError)
    /// The payload must be a JSON object (or, where a profile says so, an array of them).
    case notAnObject
    case notANumber(String)
    /// Not one of the two words that the profile names.
    case notAnAvailability(String)
    case wrongType(expected: String)
    case outOfRange
    case unknownQuantity(String, nearest: String?)
    case badChannel(String)
    case badTime(String)
    case unknownUnit(String)
    case deviceNameTooLong(bytes: Int, maximum: Int)
    /// More device addresses than the decoder keeps; the first ones go on.
    case tooManyDevices(maximum: Int)
    case tooManyObjects(maximum: Int)
    /// A device with more values to combine than are kept.
    case tooManyTerms(maximum: Int)
    /// A configuration of Home Assistant's discovery that cannot be used.
    case discovery(String)
    /// A template of such a configuration outside of the subset that is read.
    case template(String)
    /// A Sparkplug B payload that is none, or that needs a birth certificate first.
    case sparkplug(String)
    /// What this register says depends on another one that is not known.
    case missingRegister(String)
    /// Fewer words than the block has registers.
    case shortAnswer(words: Int, expected: Int)

    public var description: String {
        switch self {
        case .payloadTooLarge(let bytes, let maximum): "the payload has \(bytes) bytes, more than \(maximum)"
        case .json(let error): error.description
        case .notAnObject: "the payload is not a JSON object"
        case .notANumber(let text): "`\(text)` is not a number"
        case .notAnAvailability(let text): "`\(text)` is not one of the profile's words for online and offline"
        case .wrongType(let expected): "is not \(expected)"
        case .outOfRange: "is out of range"
        case .unknownQuantity(let name, let nearest):
            "no quantity is called `\(name)`" + (nearest.map { "; did you mean `\($0)`?" } ?? "")
        case .badChannel(let name): "`\(name)` is no channel: 1 to 15 of a–z, 0–9 and _"
        case .badTime(let text): "`\(text)` is no time: RFC 3339 with an offset, or a Unix time"
        case .unknownUnit(let text): "`\(text)` is not a unit of this quantity"
        case .deviceNameTooLong(let bytes, let maximum):
            "the device's part of the topic has \(bytes) bytes, more than \(maximum)"
        case .tooManyDevices(let maximum): "\(maximum) devices are known already"
        case .tooManyTerms(let maximum): "\(maximum) values are kept for combinations already"
        case .discovery(let reason): "the discovery configuration \(reason)"
        case .template(let reason): "the template \(reason)"
        case .sparkplug(let reason): "the Sparkplug payload \(reason)"
        case .tooManyObjects(let maximum): "the array has more than \(maximum) objects"
        case .missingRegister(let place): "depends on the register at \(place), which is not known"
        case .shortAnswer(let words, let expected): "\(words) words came where \(expected) were read"
        }
    }

    /// At most 64 bytes of what came from outside, for a message to people.
    static func excerpt(_ bytes: UnsafeRawBufferPointer) -> String {
        String(decoding: bytes.prefix(64), as: UTF8.self)
    }
}
