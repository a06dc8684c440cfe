import Metering

/// What one named value of a payload, or of a topic, becomes.
public struct Field: Hashable, Sendable {
    /// A word that stands for a number: `ON` for 1.
    struct Word: Hashable, Sendable {
        let text: [UInt8]
        /// In thousandths, after conversion.
        let value: Int64
    }

    /// A sibling whose word tells the direction of a magnitude.
    struct Sign: Hashable, Sendable {
        let sibling: String
        let negative: [[UInt8]]
        let positive: [[UInt8]]
    }

    /// A sibling whose word tells what a value is.
    struct Condition: Hashable, Sendable {
        let sibling: String
        let words: [[UInt8]]
    }

    /// What says that a value is new, for amounts that must count once.
    enum Once: Hashable, Sendable {
        /// The message's own time, as it is written.
        case time
        /// A member of the same object.
        case sibling(String)
    }

    /// What `[[combine]]` calls it; empty: it is in none.
    var name = ""
    var path: [String]
    var quantity: Quantity
    /// Only a term of combinations: no sample of its own.
    var isHidden = false
    var conversion: Conversion
    /// The channel of a single value; nil: what the path's `*` stands for, the topic's, or `total`.
    var channel: Channel?
    /// Arrays give one sample per element; else an array is a wrong type.
    var takesArrays = true
    /// Adds the elements of an array up to a derived value of channel `total`.
    var sums = false
    /// Source values that mean "no value", in thousandths after conversion.
    var noValue: [Int64] = []
    /// A member of the root that names the unit.
    var unitPath: [String] = []
    var words: [Word] = []
    /// A text that is none of `words` says nothing, and is no mistake.
    var hasOnlyWords = false
    /// Holds only where one of these stands in the same object, or with `/` before it in the root …
    var beside: [String] = []
    /// … and none of these.
    var without: [String] = []
    /// … and, if there is one, where this sibling says one of its words.
    var when: Condition?
    /// A member of the same object that says with `false` that this is no value.
    var validIf = ""
    var sign: Sign?
    var once: Once?
    /// Firmwares disagree on ratio and percent: above 1.2 it is percent.
    var mayBePercent = false
    /// `231,4` is a number.
    var takesComma = false
    /// `231.4 V` is a number and its unit.
    var takesUnit = false

    /// The path as an author writes it.
    var pathText: String { Field.text(path) }

    static func text(_ path: [String]) -> String {
        path.reduce(into: "") { text, name in
            if name.hasPrefix("[") || text.isEmpty { text += name } else { text += "." + name }
        }
    }

    var hasConditions: Bool { !beside.isEmpty || !without.isEmpty || when != nil }

    init(path: [String], quantity: Quantity, conversion: Conversion) {
        self.path = path
        self.quantity = quantity
        self.conversion = conversion
    }
}

/// A value made of others: the power of a meter that tells import and export apart, a counter's sum over tariffs.
public struct Combination: Hashable, Sendable {
    let quantity: Quantity
    /// Nil: one for each channel on which its terms come.
    let channel: Channel?
    /// Names of fields.
    let plus: [String]
    let minus: [String]
    /// Taken away once the device has sent it: not every device of the family has it.
    let minusIfKnown: [String]
    /// Terms may come in different messages; the last of each counts.
    let acrossMessages: Bool

    /// All terms, in the order in which their values are kept.
    var terms: [String] { plus + minus + minusIfKnown }
}
