import JSONScanner
import Metering

/// A `value_template` of Home Assistant's discovery, in the part of Jinja that entities of energy use: `value`,
/// `value_json` with names and elements, the filters float, int, round, default, abs and is_defined, and arithmetic.
struct Template: Hashable, Sendable {
    indirect enum Expression: Hashable, Sendable {
        case number(ExactRatio)
        case text(String)
        case value
        /// Members, and elements as `[0]`.
        case json([String])
        case sum(Expression, Expression)
        case difference(Expression, Expression)
        case product(Expression, Expression)
        case quotient(Expression, Expression)
        case negated(Expression)
        case filtered(Expression, Filter)
    }

    enum Filter: Hashable, Sendable {
        /// With the number that stands where there is none.
        case float(ExactRatio?), int(ExactRatio?)
        case round(Int)
        /// Nil stands for `none`, or for a text that is no number.
        case fallback(ExactRatio?)
        case abs
        case isDefined
    }

    /// What an expression gives. Texts of the payload lie where it lies.
    enum Value {
        case number(ExactRatio)
        /// The same, as long as nothing was reckoned with it.
        case decimal(DecimalText)
        case text(UnsafeRawBufferPointer)
        /// Of the template's own.
        case word(String)
        /// A member that is not there, unlike a null.
        case undefined
        case none
    }

    /// Why a template gives no value where one was due.
    struct Failure: Error {
        let reason: String
    }

    let expression: Expression

    static let maximumLength = 1024

    /// Whether the payload has to be JSON.
    var needsJSON: Bool { Template.needsJSON(expression) }

    private static func needsJSON(_ expression: Expression) -> Bool {
        switch expression {
        case .json: true
        case .number, .text, .value: false
        case .sum(let a, let b), .difference(let a, let b), .product(let a, let b), .quotient(let a, let b):
            needsJSON(a) || needsJSON(b)
        case .negated(let a), .filtered(let a, _): needsJSON(a)
        }
    }

    /// `root` is the payload as JSON; nil where it was not needed.
    func value(of payload: UnsafeRawBufferPointer, _ root: JSONValue?) throws(Failure) -> Value {
        try Template.evaluate(expression, payload, root)
    }

    private static func evaluate(
        _ expression: Expression, _ payload: UnsafeRawBufferPointer, _ root: JSONValue?
    ) throws(Failure) -> Value {
        switch expression {
        case .number(let number): return .number(number)
        case .text(let text): return .word(text)
        case .value: return .text(trimmed(payload))
        case .json(let path):
            guard let found = root?.descendant(path) else { return .undefined }
            switch found.kind {
            case .null: return .none
            case .number, .string: return .text(found.text)
            case .boolean, .object, .array: throw Failure(reason: "leads to no number")
            }
        case .negated(let inner):
            guard let number = try number(inner, payload, root) else { return .none }
            return .number(try exact(number.negated))
        case .sum(let a, let b): return try both(a, b, payload, root) { $0.adding($1) }
        case .difference(let a, let b):
            return try both(a, b, payload, root) { a, b in b.negated.flatMap { a.adding($0) } }
        case .product(let a, let b): return try both(a, b, payload, root) { $0.multiplied(by: $1) }
        case .quotient(let a, let b): return try both(a, b, payload, root) { $0.divided(by: $1) }
        case .filtered(let inner, let filter):
            return try apply(filter, to: try evaluate(inner, payload, root))
        }
    }

    /// Nil where there is no value.
    private static func number(
        _ expression: Expression, _ payload: UnsafeRawBufferPointer, _ root: JSONValue?
    ) throws(Failure) -> ExactRatio? {
        try number(try evaluate(expression, payload, root))
    }

    private static func number(_ value: Value) throws(Failure) -> ExactRatio? {
        switch value {
        case .number(let number): return number
        case .decimal(let decimal): return try exact(ExactRatio(decimal))
        case .undefined, .none: return nil
        case .text(let bytes): return try number(NumberText(bytes), String(decoding: bytes.prefix(64), as: UTF8.self))
        case .word(let word): return try number(Array(word.utf8).withUnsafeBytes { NumberText($0) }, word)
        }
    }

    private static func number(
        _ number: NumberText, _ text: @autoclosure () -> String
    ) throws(Failure) -> ExactRatio? {
        switch number {
        case .noValue: return nil
        case .number(let decimal): return try exact(ExactRatio(decimal))
        case .notANumber: throw Failure(reason: "gives `\(text())`")
        }
    }

    private static func exact(_ number: ExactRatio?) throws(Failure) -> ExactRatio {
        guard let number else { throw Failure(reason: "gives a number out of range") }
        return number
    }

    private static func both(
        _ a: Expression, _ b: Expression, _ payload: UnsafeRawBufferPointer, _ root: JSONValue?,
        _ operation: (ExactRatio, ExactRatio) -> ExactRatio?
    ) throws(Failure) -> Value {
        guard let left = try number(a, payload, root), let right = try number(b, payload, root) else { return .none }
        return .number(try exact(operation(left, right)))
    }

    private static func apply(_ filter: Filter, to value: Value) throws(Failure) -> Value {
        switch filter {
        case .isDefined: return value
        case .fallback(let fallback):
            guard case .undefined = value else { return value }
            return fallback.map { .number($0) } ?? .none
        case .float(let fallback), .int(let fallback):
            // Nothing is reckoned with most values: they need no fraction.
            if case .float = filter, case .text(let bytes) = value, case .number(let decimal) = NumberText(bytes),
                decimal.isHandy
            {
                return .decimal(decimal)
            }
            var number: ExactRatio?
            do throws(Failure) { number = try self.number(value) } catch {
                if fallback == nil { throw error }
            }
            guard let number = number ?? fallback else { return .none }
            if case .int = filter { return .number(try exact(number.truncated)) }
            return .number(number)
        case .abs:
            guard let number = try number(value) else { return .none }
            return .number(try exact(number.magnitude))
        case .round(let digits):
            guard let number = try number(value) else { return .none }
            return .number(try exact(number.rounded(to: digits)))
        }
    }
}

extension Template.Value {
    /// What it is as a reading.
    func thousandths(_ conversion: Conversion) -> FieldValue {
        switch self {
        case .undefined, .none: return .noValue
        case .number(let ratio): return ratio.thousandths(conversion).map { .value($0) } ?? .wrong(.outOfRange)
        case .decimal(let decimal): return conversion.thousandths(decimal).map { .value($0) } ?? .wrong(.outOfRange)
        case .text(let bytes): return FieldValue(plain: bytes, conversion)
        case .word(let word): return Array(word.utf8).withUnsafeBytes { FieldValue(plain: $0, conversion) }
        }
    }
}

extension DecimalText {
    /// Of a size at which a conversion is as exact as a fraction.
    fileprivate var isHandy: Bool { (-18...3).contains(exponent) && mantissa.magnitude < 1 << 62 }
}
