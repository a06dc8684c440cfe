import JSONText
import Metering
import Timekeeping

/// One version of a tariff, with all that it says.
public struct TariffAnswer: JSONEncodable {
    public var tariff: Tariff
    /// Until the next version; nil: without end. Of a candidate neither counts.
    public var validTo: Timestamp?
    public var isInForce: Bool
    public var isCandidate: Bool
    /// Seconds east of UTC, for printing.
    public var fromOffset: Int
    public var toOffset: Int

    public init(
        tariff: Tariff, validTo: Timestamp?, isInForce: Bool, isCandidate: Bool, fromOffset: Int, toOffset: Int
    ) {
        self.tariff = tariff
        self.validTo = validTo
        self.isInForce = isInForce
        self.isCandidate = isCandidate
        self.fromOffset = fromOffset
        self.toOffset = toOffset
    }

    public func encode(to json: inout JSONWriter) {
        let hasBeginning = tariff.validFrom.milliseconds > 0
        json.object {
            $0.field("name", text: tariff.name)
            $0.field("model", text: tariff.model)
            $0.field("currency", text: tariff.currency.code)
            $0.field(
                "valid_from", text: hasBeginning ? tariff.validFrom.rfc3339(offsetSeconds: fromOffset) : nil)
            $0.field("valid_to", text: validTo?.rfc3339(offsetSeconds: toOffset))
            $0.field("in_force", bool: isInForce)
            $0.field("candidate", bool: isCandidate)
            // A price that is never used is none.
            let hasImport =
                tariff.model == "flat" || tariff.importPrice != .zero || tariff.dynamic?.fallsBack == true
            $0.field("import", text: hasImport && tariff.tiers.isEmpty ? tariff.importPrice.description : nil)
            $0.field("export", text: tariff.exportPrice?.description)
            encodePrices(to: &$0)
            encodeCharges(to: &$0)
            $0.field("rounding", text: tariff.rounding == .halfUp ? "half-up" : "half-even")
            if !tariff.holidays.isEmpty {
                $0.key("holidays")
                $0.array { json in for day in tariff.holidays { json.text(day.description) } }
            }
        }
    }

    private func encodePrices(to json: inout JSONWriter) {
        list("windows", tariff.windows, &json) {
            $1.field("name", text: $0.label)
            $1.field("when", text: $0.times.description)
            $1.field("import", text: $0.importPrice?.description)
            $1.field("export", text: $0.exportPrice?.description)
        }
        list("tiers", tariff.tiers, &json) {
            $1.field("up_to_kwh", text: $0.upTo.map { Decimal(1).times(milliwattHours: $0).description })
            $1.field("price", text: $0.price.description)
        }
        if !tariff.tiers.isEmpty { json.field("tiers_per", text: tariff.tiersPerDay ? "day" : "period") }
        if let dynamic = tariff.dynamic { encode(dynamic, "dynamic", &json) }
        if let feedIn = tariff.feedIn {
            if let dynamic = feedIn.dynamic { encode(dynamic, "feed_in", &json) }
            json.field("when_negative", text: feedIn.negative == .zero ? "zero" : "pay")
            if let list = feedIn.negativeList { json.field("negative_in", text: list) }
        }
    }

    private func encode(_ dynamic: DynamicPrice, _ key: String, _ json: inout JSONWriter) {
        json.key(text: key)
        json.object {
            $0.field("prices", text: dynamic.list)
            $0.field("factor", text: dynamic.factor.description)
            $0.field("surcharge", text: dynamic.surcharge.description)
        }
    }

    private func encodeCharges(to json: inout JSONWriter) {
        list("standing", tariff.standing, &json) {
            $1.field("name", text: $0.label)
            $1.field("amount", text: $0.amount.description)
            $1.field("per", text: $0.per.name)
        }
        list("demand", tariff.demands, &json) {
            $1.field("name", text: $0.label)
            $1.field("price", text: $0.price.description)
            $1.field("per", text: $0.per.name)
            $1.field("minimum_kw", text: Decimal(1).times(milliwattHours: $0.minimum).description)
            $1.field("when", text: $0.times.description)
        }
        list("levies", tariff.levies, &json) {
            $1.field("name", text: $0.label)
            switch $0.kind {
            case .perKilowattHour(let price):
                $1.field("per_kwh", text: price.description)
                $1.field("when", text: $0.times.description)
            case .percent(let rate):
                $1.field("percent", text: rate.description)
                $1.field("on", text: $0.base.description)
            }
        }
    }

    /// `"key":[{…},…]`, left out where there is nothing.
    private func list<T>(
        _ key: String, _ elements: [T], _ json: inout JSONWriter, _ body: (T, inout JSONWriter) -> Void
    ) {
        guard !elements.isEmpty else { return }
        json.key(text: key)
        json.array { json in
            for element in elements { json.object { body(element, &$0) } }
        }
    }
}

extension TariffTimes {
    /// As a person writes it: `mon-fri 07:00-10:00 17:00-20:00 oct-mar`; `always`.
    var description: String {
        guard self != .always else { return "always" }
        var parts: [String] = []
        let dayNames = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
        if days != TariffTimes.allDays {
            var names = TariffTimes.runs(UInt128(days & 0x7F), 7).map { from, to in
                from == to ? dayNames[from] : "\(dayNames[from])-\(dayNames[to])"
            }
            if days & 0x80 != 0 { names.append("holidays") }
            parts.append(names.joined(separator: " "))
        }
        if quarters != TariffTimes.allQuarters {
            func clock(_ quarter: Int) -> String {
                let (hour, minute) = (quarter / 4, quarter % 4 * 15)
                return "\(hour < 10 ? "0" : "")\(hour):\(minute < 10 ? "0" : "")\(minute)"
            }
            parts += TariffTimes.runs(quarters, 96).map { "\(clock($0))-\(clock($1 + 1))" }
        }
        if months != TariffTimes.allMonths {
            let names = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"]
            parts += TariffTimes.runs(UInt128(months), 12).map { $0 == $1 ? names[$0] : "\(names[$0])-\(names[$1])" }
        }
        return parts.joined(separator: " ")
    }

    /// First and last of each run of set bits.
    private static func runs(_ bits: UInt128, _ count: Int) -> [(Int, Int)] {
        var runs: [(Int, Int)] = []
        for i in 0..<count where bits & (1 << UInt128(i)) != 0 {
            if let last = runs.last, last.1 == i - 1 {
                runs[runs.count - 1].1 = i
            } else {
                runs.append((i, i))
            }
        }
        return runs
    }
}

extension Levy.Base {
    /// As the configuration writes it.
    var description: String {
        let words: [(Levy.Base, String)] = [
            (.energy, "energy"), (.standing, "standing"), (.demand, "demand"), (.levies, "levies"), (.export, "export"),
        ]
        return words.filter { contains($0.0) }.map(\.1).joined(separator: " ")
    }
}
