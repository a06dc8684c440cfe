import Metering

/// What is known of a meter besides the block in hand: registers read before, and what its owner said of it.
public struct RegisterContext: Hashable, Sendable {
    /// The current transformers' ratio, 40 for 200 A : 5 A; nil: what the meter says, else 1.
    public var currentRatio: Scale?
    /// The voltage transformers' ratio; as above.
    public var voltageRatio: Scale?
    /// The transformers are mounted the wrong way round: power changes its sign, import and export change places.
    public var isInverted: Bool

    /// Words of a request and where they stand.
    public struct Answer: Hashable, Sendable {
        public let function: UInt8
        public let address: UInt16
        public let words: [UInt16]

        public init(function: UInt8, address: UInt16, words: [UInt16]) {
            self.function = function
            self.address = address
            self.words = words
        }
    }

    public private(set) var answers: [Answer] = []

    public init(currentRatio: Scale? = nil, voltageRatio: Scale? = nil, isInverted: Bool = false) {
        self.currentRatio = currentRatio
        self.voltageRatio = voltageRatio
        self.isInverted = isInverted
    }

    /// Answers kept; the oldest goes.
    public static let maximumAnswers = 64

    /// Keeps what a meter answered, in place of an earlier answer to the same request.
    public mutating func note(_ answer: Answer) {
        answers.removeAll { $0.function == answer.function && $0.address == answer.address }
        if answers.count >= RegisterContext.maximumAnswers { answers.removeFirst() }
        answers.append(answer)
    }
}

/// The words that a decode may look at: those of one block, then those of the context.
struct RegisterWindow {
    let function: UInt8
    let first: Int
    let count: Int
    let words: [UInt16]
    let context: RegisterContext
    /// Functions that answer with the same registers; the first is the one that registers are written with.
    let sameFunctions: [UInt8]

    init(_ block: RegisterBlock, words: [UInt16], context: RegisterContext, sameFunctions: [UInt8]) {
        self.sameFunctions = sameFunctions
        self.words = words
        self.context = context
        first = Int(block.address)
        count = min(block.count, words.count)
        function = RegisterWindow.canonical(block.function, sameFunctions)
    }

    static func canonical(_ function: UInt8, _ same: [UInt8]) -> UInt8 {
        same.contains(function) ? same[0] : function
    }

    /// Nil when not all of the words are known.
    func raw(function: UInt8, address: Int, count: Int, order: WordOrder) -> UInt64? {
        if function == self.function, address >= first, address + count <= first + self.count {
            return order.raw(words, at: address - first, count: count)
        }
        for answer in context.answers.reversed() {
            let start = Int(answer.address)
            guard RegisterWindow.canonical(answer.function, sameFunctions) == function, address >= start,
                address + count <= start + answer.words.count
            else { continue }
            return order.raw(answer.words, at: address - start, count: count)
        }
        return nil
    }

    func word(_ place: RegisterPlace) -> UInt16? {
        raw(function: place.function, address: Int(place.address), count: 1, order: .highFirst)
            .map(UInt16.init(truncatingIfNeeded:))
    }
}

/// One register by function and address.
public struct RegisterPlace: Hashable, Sendable, Comparable, CustomStringConvertible {
    public let function: UInt8
    public let address: UInt16

    public var description: String { "function \(function), \(hexadecimal(address))" }

    public static func < (a: RegisterPlace, b: RegisterPlace) -> Bool {
        (a.function, a.address) < (b.function, b.address)
    }

    func moved(by offset: Int) -> RegisterPlace? {
        UInt16(exactly: Int(address) + offset).map { RegisterPlace(function: function, address: $0) }
    }
}

/// A register that decides about others: a unit code, a direction bit, a status.
struct RegisterCondition: Hashable, Sendable {
    let place: RegisterPlace
    /// The bits that count.
    let mask: UInt16
    /// What they may say.
    let values: [UInt16]

    /// Nil when the register is not known.
    func holds(_ window: RegisterWindow) -> Bool? {
        window.word(place).map { values.contains($0 & mask) }
    }

    func moved(by offset: Int) -> RegisterCondition? {
        place.moved(by: offset).map { RegisterCondition(place: $0, mask: mask, values: values) }
    }
}
