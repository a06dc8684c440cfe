import Metering

/// What a family's samples need after a message was read, laid out as plain memory like `FieldTable`: which of them are
/// terms of combinations, only terms, or amounts that count once. Lives as long as its decoder, which frees it.
struct SettlingTable {
    enum Once: UInt8 {
        case no
        /// Told by the message's time, or by a key of its own.
        case byTime, byKey
    }

    struct Term {
        let combination: Int32
        let term: Int32
    }

    struct FieldEntry {
        let isHidden: Bool
        let once: Once
        /// Of `terms`.
        let firstTerm: Int32
        let termCount: Int32
    }

    struct CombinationEntry {
        let quantity: Quantity
        let channel: Channel
        /// Else one for each channel on which its terms come.
        let hasChannel: Bool
        let acrossMessages: Bool
        /// Terms stand in this order: those that are added, those taken away, those taken away once they are known.
        let added: Int
        let needed: Int
        let count: Int
    }

    /// By the index of the tree's field.
    let fields: UnsafeBufferPointer<FieldEntry>
    let terms: UnsafeBufferPointer<Term>
    let combinations: UnsafeBufferPointer<CombinationEntry>
    /// There is anything to do at all.
    let isNeeded: Bool

    init(_ profile: MessageProfile) {
        var terms: [Term] = []
        let fields = profile.fields.map { field in
            let first = terms.count
            for (index, combination) in profile.combinations.enumerated() where !field.name.isEmpty {
                for (term, name) in combination.terms.enumerated() where name == field.name {
                    terms.append(Term(combination: Int32(index), term: Int32(term)))
                }
            }
            let once: Once = field.once.map { $0 == .time ? .byTime : .byKey } ?? .no
            return FieldEntry(
                isHidden: field.isHidden, once: once, firstTerm: Int32(first), termCount: Int32(terms.count - first))
        }
        self.fields = SettlingTable.copy(fields)
        self.terms = SettlingTable.copy(terms)
        combinations = SettlingTable.copy(
            profile.combinations.map { combination in
                CombinationEntry(
                    quantity: combination.quantity, channel: combination.channel ?? .total,
                    hasChannel: combination.channel != nil, acrossMessages: combination.acrossMessages,
                    added: combination.plus.count, needed: combination.plus.count + combination.minus.count,
                    count: combination.terms.count)
            })
        isNeeded = !combinations.isEmpty || fields.contains { $0.isHidden || $0.once != .no }
    }

    func deallocate() {
        fields.deallocate()
        terms.deallocate()
        combinations.deallocate()
    }

    private static func copy<T>(_ elements: [T]) -> UnsafeBufferPointer<T> {
        let memory = UnsafeMutableBufferPointer<T>.allocate(capacity: elements.count)
        _ = memory.initialize(from: elements)
        return UnsafeBufferPointer(memory)
    }

    /// The field's places as a term.
    func terms(of field: Int) -> Slice<UnsafeBufferPointer<Term>> {
        let entry = fields[field]
        return terms[Int(entry.firstTerm)..<Int(entry.firstTerm + entry.termCount)]
    }
}

/// A term as one message has it.
struct HeardTerm {
    let term: Int
    let channel: Channel
    let value: Int64
}
