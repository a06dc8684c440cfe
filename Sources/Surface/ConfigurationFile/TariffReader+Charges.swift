import Metering
import TOML
import Timekeeping

extension TariffReader {
    // MARK: Charges and levies

    func readCharges(_ section: inout Section, _ tariff: inout Tariff) {
        for given in section.sections("standing", maximum: Tariff.maximumCharges) {
            var charge = given
            let label = charge.string("name", maximum: 64) ?? ""
            if charge.table["amount"] == nil { charge.complain("amount", "is missing") }
            let amount = charge.price("amount")
            let per = charge.choice("per", TariffReader.periods)
            if charge.table["per"] == nil { charge.complain("per", "is missing: day, month or year") }
            charge.finish()
            if let amount, let per { tariff.standing.append(StandingCharge(label: label, amount: amount, per: per)) }
        }
        for given in section.sections("demand", maximum: Tariff.maximumCharges) {
            var charge = given
            let label = charge.string("name", maximum: 64) ?? ""
            if charge.table["price"] == nil { charge.complain("price", "is missing: what a kW costs") }
            let price = charge.price("price")
            let per = charge.choice("per", TariffReader.periods) ?? .month
            let minimum = charge.kilo("minimum") ?? 0
            let times = readTimes(&charge)
            charge.finish()
            guard let price, let times else { continue }
            tariff.demands.append(
                DemandCharge(label: label, price: price, per: per, minimum: minimum, times: times))
        }
        for given in section.sections("levy", maximum: Tariff.maximumLevies) {
            if let levy = readLevy(given) { tariff.levies.append(levy) }
        }
    }

    private static let periods: [(String, ChargePeriod)] = ChargePeriod.allCases.map { ($0.name, $0) }

    private static let bases: [(String, Levy.Base)] = [
        ("energy", .energy), ("standing", .standing), ("demand", .demand), ("levies", .levies), ("export", .export),
    ]

    private func readLevy(_ given: Section) -> Levy? {
        var section = given
        let label = section.required("name", maximum: 64)
        let isPerKilowattHour = section.table["per_kwh"] != nil
        let (amount, rate) = (section.price("per_kwh"), section.price("percent"))
        guard isPerKilowattHour != (section.table["percent"] != nil) else {
            section.complain("per_kwh", "or percent has to be given, one of the two")
            return nil
        }
        var base = Levy.Base.usual
        if let words = section.texts("on", maximum: 8) {
            base = []
            for word in words {
                guard let found = TariffReader.bases.first(where: { $0.0 == word }) else {
                    let known = TariffReader.bases.map(\.0)
                    let hint = nearest(word, among: known).map { "; did you mean \"\($0)\"?" } ?? ""
                    section.complain(
                        "on", "holds \"\(word)\", which is none of \(known.joined(separator: ", "))\(hint)")
                    continue
                }
                base.formUnion(found.1)
            }
            if isPerKilowattHour { section.complain("on", "goes with percent only") }
        }
        let hasTimes = ["days", "hours", "months"].contains { section.table[$0] != nil }
        if hasTimes, !isPerKilowattHour {
            section.complain("percent", "holds at all times; hours go with per_kwh only")
        }
        let times = readTimes(&section)
        section.finish()
        guard let label, let times, let kind = amount.map(Levy.Kind.perKilowattHour) ?? rate.map(Levy.Kind.percent)
        else { return nil }
        return Levy(label: label, kind: kind, base: base, times: times)
    }

    // MARK: Times

    private static let dayNames = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
    private static let monthNames = [
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ]

    /// `days`, `hours` and `months` of a table; what is not given is always. Nil when one cannot be read.
    func readTimes(_ section: inout Section) -> TariffTimes? {
        let (days, hours, months) = (
            section.texts("days", maximum: 16), section.texts("hours", maximum: 48),
            section.texts("months", maximum: 16)
        )
        var times = TariffTimes.always
        if let days {
            times.days = 0
            for word in days {
                guard let bits = TariffReader.days(word) else {
                    section.complain(
                        "days",
                        "holds \"\(word)\", which is no day or range of days such as \"sat\", \"mon-fri\", "
                            + "\"weekdays\", \"weekend\" or \"holidays\"")
                    return nil
                }
                times.days |= bits
            }
        }
        if let hours {
            times.quarters = 0
            for word in hours {
                guard let bits = TariffReader.hours(word) else {
                    section.complain(
                        "hours", "holds \"\(word)\", which is no span of quarters of an hour such as \"22:00-06:00\"")
                    return nil
                }
                times.quarters |= bits
            }
        }
        if let months {
            times.months = 0
            for word in months {
                guard let bits = TariffReader.range(word, TariffReader.monthNames) else {
                    section.complain(
                        "months",
                        "holds \"\(word)\", which is no month or range of months such as \"jan\" or "
                            + "\"oct-mar\"")
                    return nil
                }
                times.months |= UInt16(bits)
            }
        }
        return times
    }

    private static func days(_ word: String) -> UInt8? {
        switch word {
        case "weekdays": 0b001_1111
        case "weekend": 0b110_0000
        case "holidays": 0b1000_0000
        case "all": TariffTimes.allDays
        default: range(word, dayNames).map { UInt8($0) }
        }
    }

    /// `oct` or `oct-mar`, over the end of the list where it has to be.
    private static func range(_ word: String, _ names: [String]) -> Int? {
        let ends = word.lowercased().split(separator: "-", omittingEmptySubsequences: false)
        guard (1...2).contains(ends.count), let from = names.firstIndex(of: String(ends[0])),
            let to = names.firstIndex(of: String(ends[ends.count - 1]))
        else { return nil }
        var bits = 0
        var i = from
        while true {
            bits |= 1 << i
            if i == to { return bits }
            i = (i + 1) % names.count
        }
    }

    /// `22:00-06:00`, over midnight where it has to be.
    private static func hours(_ word: String) -> UInt128? {
        let ends = word.split(separator: "-", omittingEmptySubsequences: false)
        guard ends.count == 2, let from = minute(ends[0]), let to = minute(ends[1]), from != to else { return nil }
        return TariffTimes.quarters(from: from, to: to)
    }

    private static func minute(_ text: Substring) -> Int? {
        let parts = text.split(separator: ":", omittingEmptySubsequences: false)
        guard parts.count == 2, (1...2).contains(parts[0].count), parts[1].count == 2,
            text.utf8.allSatisfy({ (0x30...0x3A).contains($0) }), let hour = Int(parts[0]), let minute = Int(parts[1]),
            minute < 60
        else { return nil }
        return hour * 60 + minute
    }

    // MARK: What has to hold for the whole

    /// A tariff that does not speak of holidays has them as Sundays.
    func settleHolidays(_ tariff: inout Tariff) {
        let speaks = { (times: TariffTimes) in times.days & 0x80 != 0 && times.days != TariffTimes.allDays }
        guard
            !tariff.windows.contains(where: { speaks($0.times) }), !tariff.levies.contains(where: { speaks($0.times) }),
            !tariff.demands.contains(where: { speaks($0.times) })
        else { return }
        func settle(_ times: inout TariffTimes) {
            times.days = times.days & 0x40 != 0 ? times.days | 0x80 : times.days & 0x7F
        }
        for i in tariff.windows.indices { settle(&tariff.windows[i].times) }
        for i in tariff.levies.indices { settle(&tariff.levies[i].times) }
        for i in tariff.demands.indices { settle(&tariff.demands[i].times) }
    }

    /// Without a price for the rest the windows have to leave none.
    func checkCover(_ section: Section, _ tariff: Tariff) {
        guard tariff.tiers.isEmpty, tariff.dynamic == nil else { return }
        let windows = tariff.windows.filter { $0.importPrice != nil }
        guard !windows.isEmpty else {
            if section.table["window"] == nil {
                section.complain("import", "is missing: what a kWh from the grid costs")
            }
            return
        }
        for day in 0..<8 where day < 7 || !tariff.holidays.isEmpty {
            for month in 0..<12 {
                let covered = windows.filter { $0.times.days & (1 << day) != 0 && $0.times.months & (1 << month) != 0 }
                    .reduce(UInt128(0)) { $0 | $1.times.quarters }
                guard covered != TariffTimes.allQuarters else { continue }
                let quarter = (~covered).trailingZeroBitCount
                let (hour, minute) = (quarter / 4, quarter % 4 * 15)
                let clock = "\(hour < 10 ? "0" : "")\(hour):\(minute < 10 ? "0" : "")\(minute)"
                let name = day == 7 ? "a holiday" : TariffReader.dayNames[day]
                return section.complain(
                    "import",
                    "is missing, and no window has a price for \(name) at \(clock) in "
                        + "\(TariffReader.monthNames[month]); import says what the rest costs")
            }
        }
    }
}
