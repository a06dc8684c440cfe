import Devices
import JSONScanner
import Metering

/// Why a recorded answer cannot be looked at.
struct RecordedAnswerError: Error {
    let reason: String
    let isUnknownMeter: Bool

    init(_ reason: String, isUnknownMeter: Bool = false) {
        self.reason = reason
        self.isUnknownMeter = isUnknownMeter
    }
}

/// What a meter answered once, and all that is needed to say what it means.
struct RecordedAnswer {
    private let map: RegisterMap
    private let block: RegisterBlock
    private let words: [UInt16]
    private let context: RegisterContext

    /// More than one request gives, for blocks put together from several.
    private static let maximumWords = 2048

    init(
        meter: String, function: Int64, address: Int64, words: [UInt16], context: RegisterContext,
        in catalog: ProfileCatalog
    ) throws(RecordedAnswerError) {
        guard let profile = catalog[meter], let map = profile.registers else {
            let hint = catalog.nearestMeter(to: meter).map { "; did you mean `\($0)`?" } ?? ""
            throw RecordedAnswerError("no meter is called `\(meter)`\(hint)", isUnknownMeter: true)
        }
        guard function == 3 || function == 4 else {
            throw RecordedAnswerError("the function must be 3 or 4, not \(function)")
        }
        guard map.answeringFunctions.contains(UInt8(function)) else {
            throw RecordedAnswerError("`\(meter)` has no registers of function \(function), only of \(7 - function)")
        }
        guard let start = UInt16(exactly: address), Int(start) + words.count <= 0x10000 else {
            throw RecordedAnswerError("the registers from \(address) are not all within 0 to 65535")
        }
        guard !words.isEmpty else { throw RecordedAnswerError("there are no words") }
        self.words = words
        self.context = context
        block = RegisterBlock(function: UInt8(function), address: start, count: words.count)
        self.map = map.located(in: block, words: words, context: context)
    }

    /// Samples in the order of the registers, and what could not be read.
    func decode() -> (samples: [Sample], error: String?) {
        var decoded: [Sample] = []
        var errors = map.decode(block, words: words, context: context, into: &decoded).map(\.description)
        let samples = decoded.compactMap { sample -> Sample? in
            var sample = sample
            switch Plausibility.check(sample.quantity, sample.value) {
            case .ok: break
            case .clamped(let value): sample.value = value
            case .reject(let reason):
                errors.append("\(sample.channel) \(reason)")
                return nil
            }
            return sample
        }
        return (samples, errors.isEmpty ? nil : errors.joined(separator: "; "))
    }
}

extension RecordedAnswer {
    /// A JSON object: `{"meter","function","address","words"}`, perhaps with `context`, `ct`, `pt`, `invert`.
    init(line: [UInt8], in catalog: ProfileCatalog) throws(RecordedAnswerError) {
        let root: JSONValue
        do throws(JSONError) {
            root = try JSONDocument(bytes: line, limits: .message).root
        } catch {
            throw RecordedAnswerError("the line is no JSON: \(error)")
        }
        guard root.kind == .object else { throw RecordedAnswerError("the line is no JSON object") }
        guard let meter = root["meter"]?.string() else { throw RecordedAnswerError("`meter` is missing") }
        let answer = try RecordedAnswer.answer(root, "")
        var context = try RecordedAnswer.context(
            ct: try RecordedAnswer.ratioText(root, "ct"), pt: try RecordedAnswer.ratioText(root, "pt"),
            isInverted: root["invert"]?.bool ?? false)
        if let others = root["context"], !others.isNull {
            guard others.kind == .array else { throw RecordedAnswerError("`context` is no array") }
            for other in others.elements {
                let known = try RecordedAnswer.answer(other, "context: ")
                guard known.function == 3 || known.function == 4, let start = UInt16(exactly: known.address),
                    Int(start) + known.words.count <= 0x10000
                else { throw RecordedAnswerError("context: `function` or `address` is out of range") }
                context.note(.init(function: UInt8(known.function), address: start, words: known.words))
            }
        }
        try self.init(
            meter: meter, function: answer.function, address: answer.address, words: answer.words,
            context: context, in: catalog)
    }

    private typealias Written = (function: Int64, address: Int64, words: [UInt16])

    private static func answer(_ value: JSONValue, _ place: String) throws(RecordedAnswerError) -> Written {
        guard let function = try integer(value, "function", place) else {
            throw RecordedAnswerError("\(place)`function` is missing")
        }
        guard let address = try integer(value, "address", place) else {
            throw RecordedAnswerError("\(place)`address` is missing")
        }
        guard let list = value["words"], list.kind == .array else {
            throw RecordedAnswerError("\(place)`words` is missing, or no array")
        }
        var words: [UInt16] = []
        for element in list.elements {
            guard words.count < maximumWords else {
                throw RecordedAnswerError("\(place)there are more than \(maximumWords) words")
            }
            guard let word = word(element) else {
                let text = String(decoding: element.text.prefix(32), as: UTF8.self)
                throw RecordedAnswerError("\(place)\(text) is no word: a number of 0 to 65535, or \"0x4366\"")
            }
            words.append(word)
        }
        return (function, address, words)
    }

    /// A number, or a text of hexadecimal digits with or without `0x`.
    private static func word(_ value: JSONValue) -> UInt16? {
        guard value.kind == .string else { return value.integer.flatMap { UInt16(exactly: $0) } }
        guard let text = value.string() else { return nil }
        let digits = text.lowercased().hasPrefix("0x") ? text.dropFirst(2) : text[...]
        return hexadecimal(digits).flatMap { UInt16(exactly: $0) }
    }

    private static func integer(
        _ value: JSONValue, _ key: String, _ place: String
    ) throws(RecordedAnswerError) -> Int64? {
        guard let found = value.kind == .object ? value.member(key) : nil else { return nil }
        if let text = found.string() { return try number(text, what: "\(place)`\(key)`") }
        guard let number = found.integer else { throw RecordedAnswerError("\(place)`\(key)` is no whole number") }
        return number
    }

    private static func ratioText(_ root: JSONValue, _ key: String) throws(RecordedAnswerError) -> String? {
        guard let value = root.member(key), !value.isNull else { return nil }
        if let number = value.numberText { return String(decoding: number, as: UTF8.self) }
        guard let text = value.string() else { throw RecordedAnswerError("`\(key)` is no number") }
        return text
    }
}

extension RecordedAnswer {
    static func context(
        ct: String?, pt: String?, isInverted: Bool
    ) throws(RecordedAnswerError) -> RegisterContext {
        RegisterContext(
            currentRatio: try ratio(ct, "ct"), voltageRatio: try ratio(pt, "pt"), isInverted: isInverted)
    }

    private static func ratio(_ text: String?, _ name: String) throws(RecordedAnswerError) -> Scale? {
        guard let text else { return nil }
        guard let scale = Scale(text: text), scale.numerator > 0 else {
            throw RecordedAnswerError("\(name) must be a ratio above 0, such as 40 or 200/5, not `\(text)`")
        }
        return scale
    }

    /// `0x4366,0x3333` or `17254 13107`.
    static func words(_ text: String) throws(RecordedAnswerError) -> [UInt16] {
        var words: [UInt16] = []
        for part in text.split(whereSeparator: { $0 == "," || $0.isWhitespace }) {
            guard words.count < maximumWords else {
                throw RecordedAnswerError("there are more than \(maximumWords) words")
            }
            let value = try number(String(part), what: "a word")
            guard let word = UInt16(exactly: value) else {
                throw RecordedAnswerError("`\(part)` is no word: 0 to 65535, or 0x0000 to 0xFFFF")
            }
            words.append(word)
        }
        return words
    }

    /// Decimal, or hexadecimal with `0x`.
    static func number(_ text: String, what: String) throws(RecordedAnswerError) -> Int64 {
        if text.lowercased().hasPrefix("0x"), let value = hexadecimal(text.dropFirst(2)) { return value }
        if let value = Int64(text), text.utf8.allSatisfy({ $0 >= 0x30 && $0 <= 0x39 }) { return value }
        let hint = hexadecimal(text[...]) != nil ? "; hexadecimal is written 0x\(text)" : ""
        throw RecordedAnswerError("\(what) is `\(text.prefix(32))`, which is no number\(hint)")
    }

    /// Up to eight digits, without a sign.
    private static func hexadecimal(_ digits: Substring) -> Int64? {
        guard (1...8).contains(digits.utf8.count), digits.utf8.allSatisfy({ isHexDigit($0) }) else { return nil }
        return Int64(digits, radix: 16)
    }

    private static func isHexDigit(_ byte: UInt8) -> Bool {
        switch byte {
        case 0x30...0x39, 0x41...0x46, 0x61...0x66: true
        default: false
        }
    }
}
