import Metering
import Timekeeping

// A tariff in `settings`, and the record `prices`, read; TariffCodec.swift writes them.

extension ByteReader {
    mutating func tariff() throws(RecordError) -> Tariff {
        var tariff = Tariff(
            name: "", currency: .euro, importPrice: .zero, validFrom: Timestamp(milliseconds: 0))
        try fields(required: 0b10_1100) { (tag, field) throws(RecordError) in
            switch tag {
            case 1: tariff.name = try field.wholeText(limit: 64)
            case 2: tariff.currency = try field.currency()
            case 3: tariff.importPrice = try field.price()
            case 4: tariff.exportPrice = try field.price()
            case 5: tariff.validFrom = try field.instant()
            case 6: try tariff.windows.append(field.window(), limit: Tariff.maximumWindows)
            case 7: try tariff.tiers.append(field.tier(), limit: Tariff.maximumTiers)
            case 8: tariff.tiersPerDay = try field.varint() != 0
            case 9: tariff.dynamic = try field.dynamic()
            case 10: try tariff.standing.append(field.standing(), limit: Tariff.maximumCharges)
            case 11: try tariff.levies.append(field.levy(), limit: Tariff.maximumLevies)
            case 12: try tariff.demands.append(field.demand(), limit: Tariff.maximumCharges)
            case 13: tariff.feedIn = try field.feedIn()
            case 14: tariff.holidays = try field.holidays()
            case 15: tariff.rounding = try field.code(Rounding.init(rawValue:))
            default: break
            }
        }
        return tariff
    }

    private mutating func window() throws(RecordError) -> TariffWindow {
        var window = TariffWindow(label: "", times: .always)
        try fields { (tag, field) throws(RecordError) in
            switch tag {
            case 1: window.label = try field.wholeText(limit: 64)
            case 2: window.importPrice = try field.price()
            case 3: window.exportPrice = try field.price()
            case 4: window.times = try field.times()
            default: break
            }
        }
        return window
    }

    private mutating func tier() throws(RecordError) -> TariffTier {
        var tier = TariffTier(upTo: nil, price: .zero)
        try fields(required: 0b100) { (tag, field) throws(RecordError) in
            switch tag {
            case 1: tier.upTo = try field.signed()
            case 2: tier.price = try field.price()
            default: break
            }
        }
        return tier
    }

    private mutating func times() throws(RecordError) -> TariffTimes {
        var times = TariffTimes.always
        try fields { (tag, field) throws(RecordError) in
            switch tag {
            case 1: times.days = UInt8(truncatingIfNeeded: try field.varint())
            case 2: times.months = UInt16(truncatingIfNeeded: try field.varint()) & TariffTimes.allMonths
            case 3:
                let low: UInt64 = try field.fixed()
                let high: UInt32 = try field.fixed()
                times.quarters = UInt128(low) | UInt128(high) << 64
            default: break
            }
        }
        return times
    }

    private mutating func dynamic() throws(RecordError) -> DynamicPrice {
        var dynamic = DynamicPrice(list: "")
        try fields(required: 0b10) { (tag, field) throws(RecordError) in
            switch tag {
            case 1: dynamic.list = try field.wholeText(limit: 64)
            case 2: dynamic.factor = try field.price()
            case 3: dynamic.surcharge = try field.price()
            case 4: dynamic.fallsBack = try field.varint() != 0
            default: break
            }
        }
        return dynamic
    }

    private mutating func standing() throws(RecordError) -> StandingCharge {
        var charge = StandingCharge(label: "", amount: .zero, per: .month)
        try fields(required: 0b1100) { (tag, field) throws(RecordError) in
            switch tag {
            case 1: charge.label = try field.wholeText(limit: 64)
            case 2: charge.amount = try field.price()
            case 3: charge.per = try field.code(ChargePeriod.init(rawValue:))
            default: break
            }
        }
        return charge
    }

    private mutating func demand() throws(RecordError) -> DemandCharge {
        var charge = DemandCharge(label: "", price: .zero, per: .month)
        try fields(required: 0b1100) { (tag, field) throws(RecordError) in
            switch tag {
            case 1: charge.label = try field.wholeText(limit: 64)
            case 2: charge.price = try field.price()
            case 3: charge.per = try field.code(ChargePeriod.init(rawValue:))
            case 4: charge.minimum = try field.signed()
            case 5: charge.times = try field.times()
            default: break
            }
        }
        return charge
    }

    private mutating func levy() throws(RecordError) -> Levy {
        var levy = Levy(label: "", kind: .percent(.zero))
        var hasKind = false
        try fields { (tag, field) throws(RecordError) in
            switch tag {
            case 1: levy.label = try field.wholeText(limit: 64)
            case 2: (levy.kind, hasKind) = (.perKilowattHour(try field.price()), true)
            case 3: (levy.kind, hasKind) = (.percent(try field.price()), true)
            case 4: levy.base = Levy.Base(rawValue: UInt8(truncatingIfNeeded: try field.varint()))
            case 5: levy.times = try field.times()
            default: break
            }
        }
        // A levy of a kind that a later version has is not left out in silence.
        if !hasKind { throw RecordError(.unknownCode, at: 0) }
        return levy
    }

    private mutating func feedIn() throws(RecordError) -> FeedIn {
        var feedIn = FeedIn()
        try fields { (tag, field) throws(RecordError) in
            switch tag {
            case 1: feedIn.dynamic = try field.dynamic()
            case 2: feedIn.negative = try field.code(FeedIn.Negative.init(rawValue:))
            case 3: feedIn.negativeList = try field.wholeText(limit: 64)
            default: break
            }
        }
        return feedIn
    }

    private mutating func holidays() throws(RecordError) -> [CivilDate] {
        var holidays: [CivilDate] = []
        var day: Int64 = 0
        while !isAtEnd {
            day &+= try signed()
            guard CivilDate.fileRange.contains(day) else { throw RecordError(.badValue, at: position) }
            try holidays.append(CivilDate(daysSinceEpoch: day), limit: Tariff.maximumHolidays)
        }
        return holidays
    }

    mutating func prices() throws(RecordError) -> PriceRun {
        var run = PriceRun(list: "", currency: .euro, first: Slot(index: 0), slotsPerPrice: 1, prices: [])
        try fields(required: 0b11_1110) { (tag, field) throws(RecordError) in
            switch tag {
            case 1: run.list = try field.wholeText(limit: 64)
            case 2: run.currency = try field.currency()
            case 3:
                run.first = Slot(index: try field.signed())
                guard run.first >= .first, run.first <= .last else { throw RecordError(.badValue, at: 0) }
            case 4:
                let count = try field.varint()
                guard count >= 1, count <= UInt64(PriceRun.maximumSlotsPerPrice) else {
                    throw RecordError(.badValue, at: 0)
                }
                run.slotsPerPrice = Int(count)
            case 5:
                while !field.isAtEnd {
                    let price = try field.signed()
                    guard price.magnitude <= UInt64(PriceRun.maximumPrice) else {
                        throw RecordError(.badValue, at: field.position)
                    }
                    try run.prices.append(price, limit: PriceRun.maximumCount)
                }
            default: break
            }
        }
        return run
    }

    private mutating func currency() throws(RecordError) -> Currency {
        guard let currency = Currency(try wholeText(limit: 3)) else { throw RecordError(.badValue, at: 0) }
        return currency
    }

    private mutating func price() throws(RecordError) -> Decimal {
        guard let price = Decimal(price: try wholeText(limit: 64)) else { throw RecordError(.badValue, at: 0) }
        return price
    }

    private mutating func code<T>(_ make: (UInt8) -> T?) throws(RecordError) -> T {
        guard let value = UInt8(exactly: try varint()).flatMap(make) else { throw RecordError(.unknownCode, at: 0) }
        return value
    }
}

extension Array {
    fileprivate mutating func append(_ element: Element, limit: Int) throws(RecordError) {
        guard count < limit else { throw RecordError(.tooLong, at: 0) }
        append(element)
    }
}

extension CivilDate {
    /// 1970 to the end of the year 9999, as all times of a log.
    fileprivate static let fileRange: ClosedRange<Int64> = 0...2_932_896
}
