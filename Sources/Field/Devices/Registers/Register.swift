import Metering

/// One value of a meter: where it stands and what it means. Addresses count from 0, as on the wire.
public struct Register: Hashable, Sendable {
    public let function: UInt8
    public let address: UInt16
    public let type: RegisterType
    public let wordOrder: WordOrder
    public let quantity: Quantity
    public let channel: Channel
    public let conversion: Conversion
    /// Raw values, before any scaling, that mean "not available".
    public let sentinels: [UInt64]
    /// Index into the map's groups.
    public let group: Int
    /// Registers with the same number are read in one request: they belong to one instant.
    public let together: Int
    /// What few registers need; nil for most.
    let special: Special?

    /// How a number is written, where it is not simply the number.
    enum Form: String, Hashable, Sendable, CaseIterable {
        /// A power factor from −2 to 2: beyond ±1 it is folded back, which tells lead from lag.
        case fourQuadrant = "four-quadrant"
        /// A power factor in percent, or a ratio where the number is not above 1.
        case percentOrRatio = "percent-or-ratio"
    }

    /// Another register of the same type, added or taken away.
    struct Term: Hashable, Sendable {
        let address: UInt16
        let isSubtracted: Bool
    }

    struct Special: Hashable, Sendable {
        var form: Form?
        /// Its sign tells something else than the direction of the power.
        var isMagnitude = false
        /// Holds the power of ten of this register, as s16; 8000: not available.
        var scaleFactor: RegisterPlace?
        var terms: [Term] = []
        /// All must hold, else the register is something else.
        var when: [RegisterCondition] = []
        /// All hold: the value is negative.
        var negativeWhen: [RegisterCondition] = []
        /// The first conversion whose result lies in `plausible` counts; empty: the register's own.
        var conversions: [Conversion] = []
        /// In thousandths; outside is a fault.
        var plausible: ClosedRange<Int64>?
        /// A request of its own: as part of a longer one it means something else.
        var isAlone = false
        /// Says the same as another register, with less precision or on older devices: never asked for, and counts
        /// where the other one is not among the words.
        var isFallback = false
    }

    public var isFallback: Bool { special?.isFallback ?? false }

    /// Behind its last word.
    var end: Int { Int(address) + type.words }

    enum Value: Hashable {
        case thousandths(Int64)
        case noValue
        case outOfRange
        /// A register that this one needs is not known.
        case missing(RegisterPlace)
    }

    /// The usual case: words of the block, no other register involved.
    @inline(__always)
    func value(ofRaw raw: UInt64, ratio: Scale?) -> Value {
        if sentinels.contains(raw) { return .noValue }
        return value(of: type.number(ofRaw: raw), conversion, ratio, powerOfTen: 0)
    }

    private func value(
        of number: RegisterType.Number, _ conversion: Conversion, _ ratio: Scale?, powerOfTen: Int
    ) -> Value {
        var conversion = conversion
        if let ratio {
            guard let product = conversion.scaled(by: ratio) else { return .outOfRange }
            conversion = product
        }
        let result: Int64?
        switch number {
        case .noValue: return .noValue
        case .malformed: return .outOfRange
        case .decimal(let decimal):
            let shifted = DecimalText(mantissa: decimal.mantissa, exponent: decimal.exponent + powerOfTen)
            result = conversion.thousandths(shifted)
        case .float(let value):
            guard powerOfTen != 0 else {
                result = conversion.thousandths(value)
                break
            }
            result = conversion.scaled(by: Register.power(powerOfTen))?.thousandths(value)
        }
        return result.map(Value.thousandths) ?? .outOfRange
    }

    /// `exponent` within ±10.
    private static func power(_ exponent: Int) -> Scale {
        var power: Int64 = 1
        for _ in 0..<exponent.magnitude { power *= 10 }
        return exponent < 0 ? Scale(1, per: power) : Scale(power)
    }
}

extension Register {
    /// A register that others have a say in.
    func value(_ special: Special, in window: RegisterWindow, ratio: Scale?) -> Value? {
        for condition in special.when {
            guard let holds = condition.holds(window) else { return .missing(condition.place) }
            if !holds { return nil }
        }
        var powerOfTen = 0
        if let place = special.scaleFactor {
            guard let word = window.word(place) else { return .missing(place) }
            guard word != 0x8000 else { return .noValue }
            powerOfTen = Int(Int16(bitPattern: word))
            guard (-10...10).contains(powerOfTen) else { return .outOfRange }
        }
        var sum: Int64 = 0
        for term in [Term(address: address, isSubtracted: false)] + special.terms {
            let place = (Int(term.address), type.words)
            // One half of a pair says nothing, and is no fault: the other half comes in another answer.
            guard let raw = window.raw(function: function, address: place.0, count: place.1, order: wordOrder) else {
                return nil
            }
            let value = single(raw, special, ratio, powerOfTen)
            guard case .thousandths(let amount) = value else { return value }
            let (next, overflow) =
                term.isSubtracted ? sum.subtractingReportingOverflow(amount) : sum.addingReportingOverflow(amount)
            if overflow { return .outOfRange }
            sum = next
        }
        if special.isMagnitude { sum = sum == .min ? .max : abs(sum) }
        if !special.negativeWhen.isEmpty {
            for condition in special.negativeWhen where condition.holds(window) == nil {
                return .missing(condition.place)
            }
            if special.negativeWhen.allSatisfy({ $0.holds(window) == true }) { sum = 0 &- sum }
        }
        if let plausible = special.plausible, !plausible.contains(sum), sum != 0 { return .outOfRange }
        return .thousandths(sum)
    }

    private func single(_ raw: UInt64, _ special: Special, _ ratio: Scale?, _ powerOfTen: Int) -> Value {
        if sentinels.contains(raw) { return .noValue }
        var number = type.number(ofRaw: raw)
        if special.form == .fourQuadrant, case .float(let code) = number {
            number = .float(code > 1 ? 2 - code : code < -1 ? -2 - code : code)
        }
        guard !special.conversions.isEmpty else {
            let result = value(of: number, conversion, ratio, powerOfTen: powerOfTen)
            guard special.form == .percentOrRatio, case .thousandths(let ratioValue) = result,
                ratioValue.magnitude > 1000, let percent = conversion.scaled(by: Scale(1, per: 100))
            else { return result }
            return value(of: number, percent, ratio, powerOfTen: powerOfTen)
        }
        for conversion in special.conversions {
            let result = value(of: number, conversion, ratio, powerOfTen: powerOfTen)
            guard case .thousandths(let value) = result else { continue }
            if value == 0 || special.plausible?.contains(value) ?? true { return result }
        }
        return .outOfRange
    }
}
