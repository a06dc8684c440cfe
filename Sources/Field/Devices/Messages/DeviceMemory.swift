import Metering

/// What is kept of one device between its messages: terms of combinations, and which amounts were counted.
struct DeviceMemory {
    private struct Term {
        let combination: Int
        let term: Int
        let channel: Channel
        var value: Int64
    }

    private struct Amount {
        let quantity: Quantity
        let channel: Channel
        var key: UInt64
    }

    private var terms: [Term] = []
    private var amounts: [Amount] = []

    /// More than any family combines.
    static let maximumTerms = 256
    static let maximumAmounts = 64

    /// False when there is no room for one more.
    mutating func keep(_ value: Int64, combination: Int, term: Int, channel: Channel) -> Bool {
        for i in terms.indices
        where terms[i].combination == combination && terms[i].term == term && terms[i].channel == channel {
            terms[i].value = value
            return true
        }
        guard terms.count < DeviceMemory.maximumTerms else { return false }
        terms.append(Term(combination: combination, term: term, channel: channel, value: value))
        return true
    }

    func value(combination: Int, term: Int, channel: Channel) -> Int64? {
        terms.first { $0.combination == combination && $0.term == term && $0.channel == channel }?.value
    }

    /// False when the last amount had the same key: it is the same amount.
    mutating func isNew(_ quantity: Quantity, _ channel: Channel, key: UInt64) -> Bool {
        for i in amounts.indices where amounts[i].quantity == quantity && amounts[i].channel == channel {
            if amounts[i].key == key { return false }
            amounts[i].key = key
            return true
        }
        if amounts.count < DeviceMemory.maximumAmounts {
            amounts.append(Amount(quantity: quantity, channel: channel, key: key))
        }
        return true
    }
}
