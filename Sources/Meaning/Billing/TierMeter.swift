import Metering
import Timekeeping

/// How far a home has come in the tiers of its billing period.
///
/// Borders are stated per period or per day of it. A tariff that begins or ends within a period has its borders by the
/// share of the period's days that are its own, and begins at its first tier.
struct TierMeter {
    private var period: Period?
    private var tariff: Int?
    private var used: Int64 = 0
    /// mWh at which each tier ends; nil: never.
    private var borders: [Int64?] = []
    /// The tier that the next mWh falls into.
    private(set) var current = 0

    /// To be called for each slot, in order, before what is taken in it.
    mutating func enter(_ slot: Slot, tariff index: Int, _ pricing: Pricing) {
        if let period, period.contains(slot.start), tariff == index { return }
        let period = pricing.billingPeriod(containing: slot.start)
        self.period = period
        tariff = index
        used = 0
        current = 0
        let tariff = pricing.tariffs[index]
        guard !tariff.tiers.isEmpty else { return borders = [] }
        let days = pricing.days(of: period)
        let own = Int64(days.count { $0.tariff == index })
        borders = tariff.tiers.map { tier in
            guard let upTo = tier.upTo else { return nil }
            let whole = Int128(upTo) * Int128(max(own, 1))
            let border = tariff.tiersPerDay ? whole : Thousandths.divideTiesToEven(whole, Int128(max(days.count, 1)))
            return Int64(clamping: border)
        }
        skipFull()
    }

    /// Splits what is taken over the tiers that it falls into. What lies beyond the last border stays in the last tier.
    mutating func take(_ milliwattHours: Int64) -> [(tier: Int, milliwattHours: Int64)] {
        var parts: [(tier: Int, milliwattHours: Int64)] = []
        var rest = max(0, milliwattHours)
        while rest > 0, !borders.isEmpty {
            let room = current + 1 < borders.count ? borders[current].map { max(0, $0 - used) } ?? .max : .max
            let part = min(rest, room)
            parts.append((current, part))
            used = used.addingReportingOverflow(part).partialValue
            rest -= part
            skipFull()
        }
        return parts
    }

    private mutating func skipFull() {
        while current + 1 < borders.count, let border = borders[current], used >= border { current += 1 }
    }
}

extension Pricing {
    /// The local days of a period that have any length, with the tariff that each belongs to.
    func days(of period: Period) -> [(day: LocalDay, tariff: Int?)] {
        var days: [(day: LocalDay, tariff: Int?)] = []
        var day = zone.day(containing: period.from)
        while zone.start(of: day) < period.to {
            if zone.end(of: day) > zone.start(of: day) { days.append((day, index(of: day))) }
            day = day.next
        }
        return days
    }
}
