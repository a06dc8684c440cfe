import Metering
import Timekeeping

// The body of a tariff in `settings`, and of the record `prices`: tagged fields. Written here; TariffReading.swift
// reads.

extension ByteWriter {
    mutating func tariff(_ tariff: Tariff) {
        field(1, text: tariff.name, limit: 64)
        field(2, tariff.currency.code.utf8)
        price(3, tariff.importPrice)
        if let price = tariff.exportPrice { self.price(4, price) }
        field(5, signed: tariff.validFrom.valid.milliseconds)
        for window in tariff.windows.prefix(Tariff.maximumWindows) {
            field(6) {
                $0.field(1, text: window.label, limit: 64)
                if let price = window.importPrice { $0.price(2, price) }
                if let price = window.exportPrice { $0.price(3, price) }
                $0.times(4, window.times)
            }
        }
        for tier in tariff.tiers.prefix(Tariff.maximumTiers) {
            field(7) {
                if let upTo = tier.upTo { $0.field(1, signed: upTo) }
                $0.price(2, tier.price)
            }
        }
        if tariff.tiersPerDay { field(8, unsigned: 1) }
        if let dynamic = tariff.dynamic { field(9) { $0.dynamic(dynamic) } }
        for charge in tariff.standing.prefix(Tariff.maximumCharges) {
            field(10) {
                $0.field(1, text: charge.label, limit: 64)
                $0.price(2, charge.amount)
                $0.field(3, unsigned: UInt64(charge.per.rawValue))
            }
        }
        for levy in tariff.levies.prefix(Tariff.maximumLevies) { field(11) { $0.levy(levy) } }
        for demand in tariff.demands.prefix(Tariff.maximumCharges) {
            field(12) {
                $0.field(1, text: demand.label, limit: 64)
                $0.price(2, demand.price)
                $0.field(3, unsigned: UInt64(demand.per.rawValue))
                if demand.minimum != 0 { $0.field(4, signed: demand.minimum) }
                $0.times(5, demand.times)
            }
        }
        if let feedIn = tariff.feedIn {
            field(13) {
                if let dynamic = feedIn.dynamic { $0.field(1) { $0.dynamic(dynamic) } }
                $0.field(2, unsigned: UInt64(feedIn.negative.rawValue))
                if let list = feedIn.negativeList { $0.field(3, text: list, limit: 64) }
            }
        }
        if !tariff.holidays.isEmpty {
            field(14) {
                var last: Int64 = 0
                for day in tariff.holidays.prefix(Tariff.maximumHolidays) {
                    $0.signed(day.daysSinceEpoch - last)
                    last = day.daysSinceEpoch
                }
            }
        }
        if tariff.rounding != .halfEven { field(15, unsigned: UInt64(tariff.rounding.rawValue)) }
    }

    private mutating func price(_ tag: UInt64, _ price: Decimal) {
        field(tag, price.text(places: 9).utf8)
    }

    private mutating func times(_ tag: UInt64, _ times: TariffTimes) {
        guard times != .always else { return }
        field(tag) {
            $0.field(1, unsigned: UInt64(times.days))
            $0.field(2, unsigned: UInt64(times.months))
            let quarters = times.quarters
            $0.field(3) {
                $0.fixed(UInt64(truncatingIfNeeded: quarters))
                $0.fixed(UInt32(truncatingIfNeeded: quarters >> 64))
            }
        }
    }

    private mutating func dynamic(_ dynamic: DynamicPrice) {
        field(1, text: dynamic.list, limit: 64)
        price(2, dynamic.factor)
        price(3, dynamic.surcharge)
        if dynamic.fallsBack { field(4, unsigned: 1) }
    }

    private mutating func levy(_ levy: Levy) {
        field(1, text: levy.label, limit: 64)
        switch levy.kind {
        case .perKilowattHour(let price): self.price(2, price)
        case .percent(let rate): price(3, rate)
        }
        field(4, unsigned: UInt64(levy.base.rawValue))
        times(5, levy.times)
    }

    mutating func prices(_ run: PriceRun) {
        field(1, text: run.list, limit: 64)
        field(2, run.currency.code.utf8)
        field(3, signed: run.first.valid.index)
        field(4, unsigned: UInt64(max(1, min(run.slotsPerPrice, PriceRun.maximumSlotsPerPrice))))
        field(5) {
            for price in run.prices.prefix(PriceRun.maximumCount) {
                $0.signed(max(-PriceRun.maximumPrice, min(price, PriceRun.maximumPrice)))
            }
        }
    }
}

extension Slot {
    fileprivate var valid: Slot { max(.first, min(self, .last)) }
}
