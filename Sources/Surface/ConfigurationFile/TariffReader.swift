import Metering
import Prices
import TOML
import Timekeeping

/// Reads `[[tariff]]` tables. `Billing.md` tells what they mean, `etc/energyd.toml` how they are written.
struct TariffReader {
    /// Parts of all tariffs together, so that settings fit into a frame of the log.
    private static let maximumParts = 4000
    private var parts = 0
    private let problems: Problems
    /// The price lists that are configured; a name close to one of them is most likely a slip.
    private let lists: [String]

    init(problems: Problems, lists: [String]) {
        self.problems = problems
        self.lists = lists
    }

    /// Nil when it cannot be used; why is told.
    mutating func read(_ given: Section) -> (tariff: Tariff, isCandidate: Bool)? {
        var section = given
        let name = section.string("name", maximum: 64) ?? "tariff"
        let currency = currency(&section)
        let hasImport = section.table["import"] != nil
        let price = section.price("import")
        var tariff = Tariff(
            name: name, currency: currency ?? .euro, importPrice: price ?? .zero, exportPrice: section.price("export"),
            validFrom: section.time("valid_from") ?? Timestamp(milliseconds: 0))
        let isCandidate = section.boolean("candidate") ?? false
        tariff.rounding =
            section.choice("rounding", [("half-even", Rounding.halfEven), ("half-up", .halfUp)]) ?? .halfEven
        tariff.holidays = holidays(&section)
        readPrices(&section, &tariff, hasImport: hasImport)
        readCharges(&section, &tariff)
        section.finish()
        parts +=
            tariff.windows.count + tariff.tiers.count + tariff.standing.count + tariff.demands.count
            + tariff.levies.count + tariff.holidays.count / 8
        if parts > TariffReader.maximumParts {
            problems.add(section.place, "all tariffs together have more than \(TariffReader.maximumParts) parts")
            return nil
        }
        settleHolidays(&tariff)
        if !hasImport { checkCover(section, tariff) }
        guard currency != nil, price != nil || !hasImport else { return nil }
        return (tariff, isCandidate)
    }

    private func currency(_ section: inout Section) -> Currency? {
        let text = section.string("currency") ?? "EUR"
        let currency = Currency(text)
        if currency == nil {
            section.complain("currency", "is \"\(text)\", not a code such as EUR, USD or GBP")
        }
        return currency
    }

    private func holidays(_ section: inout Section) -> [CivilDate] {
        guard let value = section.value("holidays") else { return [] }
        guard let values = value.array, values.count <= Tariff.maximumHolidays else {
            section.complain("holidays", "has to be a list of at most \(Tariff.maximumHolidays) dates")
            return []
        }
        var dates: Set<CivilDate> = []
        for value in values {
            var text = value.string
            if case .localDate(let date) = value.content { text = date }
            guard let date = text.flatMap({ CivilDate($0) }), (1970...9999).contains(date.year) else {
                problems.add(value.place, "\(section.name).holidays has to hold dates such as \"2026-12-25\"")
                continue
            }
            dates.insert(date)
        }
        return dates.sorted()
    }

    // MARK: The price of a kWh

    private func readPrices(_ section: inout Section, _ tariff: inout Tariff, hasImport: Bool) {
        for window in section.sections("window", maximum: Tariff.maximumWindows) {
            if let window = readWindow(window) { tariff.windows.append(window) }
        }
        readTiers(&section, &tariff)
        if let dynamic = section.table["dynamic"] {
            tariff.dynamic = readDynamic(section.section("dynamic"), fallsBack: hasImport)
            if !tariff.tiers.isEmpty { problems.add(dynamic.place, "a tariff has tiers or a dynamic price, not both") }
        } else {
            _ = section.value("dynamic")
        }
        if let window = tariff.windows.first(where: { $0.importPrice != nil }),
            !tariff.tiers.isEmpty || tariff.dynamic != nil
        {
            section.complain(
                "window",
                "\"\(window.label)\" has an import price, but the tariff's price is "
                    + (tariff.dynamic == nil
                        ? "tiered" : "dynamic; a surcharge at some hours is a tariff.levy with hours"))
        }
        readFeedIn(&section, &tariff)
    }

    private func readWindow(_ given: Section) -> TariffWindow? {
        var section = given
        let label = section.string("name", maximum: 64) ?? ""
        let times = readTimes(&section)
        let (bought, sold) = (section.price("import"), section.price("export"))
        if section.table["import"] == nil, section.table["export"] == nil {
            problems.add(section.place, "\(section.name) has neither an import nor an export price")
        }
        section.finish()
        guard let times else { return nil }
        return TariffWindow(label: label, times: times, importPrice: bought, exportPrice: sold)
    }

    private func readTiers(_ section: inout Section, _ tariff: inout Tariff) {
        tariff.tiersPerDay = section.choice("tiers_per", [("period", false), ("day", true)]) ?? false
        let sections = section.sections("tier", maximum: Tariff.maximumTiers)
        for (i, given) in sections.enumerated() {
            var tier = given
            let upTo = tier.kilo("up_to")
            if tier.table["price"] == nil { tier.complain("price", "is missing: what a kWh of this tier costs") }
            let price = tier.price("price")
            if i + 1 < sections.count, tier.table["up_to"] == nil {
                tier.complain("up_to", "is missing: only the last tier has no end")
            } else if i + 1 == sections.count, tier.table["up_to"] != nil {
                tier.complain("up_to", "has no place in the last tier: it says what all the rest costs")
            }
            if let upTo, let before = tariff.tiers.last?.upTo, upTo <= before {
                tier.complain("up_to", "is not above that of the tier before it")
            }
            tier.finish()
            if let price { tariff.tiers.append(TariffTier(upTo: i + 1 == sections.count ? nil : upTo, price: price)) }
        }
    }

    private func readDynamic(_ given: Section, fallsBack: Bool) -> DynamicPrice? {
        var section = given
        let list = section.required("prices", maximum: 64)
        check(list, section, "prices")
        let factor = section.price("factor") ?? Decimal(1)
        let surcharge = section.price("surcharge") ?? .zero
        section.finish()
        return list.map { DynamicPrice(list: $0, factor: factor, surcharge: surcharge, fallsBack: fallsBack) }
    }

    private func check(_ list: String?, _ section: Section, _ key: String) {
        guard let list, !lists.isEmpty, !lists.contains(list), let near = nearest(list, among: lists) else { return }
        section.complain(key, "is \"\(list)\", but no [[prices]] is called so; did you mean \"\(near)\"?")
    }

    private func readFeedIn(_ section: inout Section, _ tariff: inout Tariff) {
        guard section.table["feed_in"] != nil else {
            _ = section.value("feed_in")
            return
        }
        var feedIn = section.section("feed_in")
        var result = FeedIn()
        if feedIn.table["prices"] != nil {
            let list = feedIn.required("prices", maximum: 64)
            check(list, feedIn, "prices")
            let factor = feedIn.price("factor") ?? Decimal(1)
            let surcharge = feedIn.price("surcharge") ?? .zero
            result.dynamic = list.map {
                DynamicPrice(
                    list: $0, factor: factor, surcharge: surcharge, fallsBack: tariff.exportPrice != nil)
            }
        } else {
            _ = feedIn.value("prices")
        }
        result.negative = feedIn.choice("when_negative", [("pay", FeedIn.Negative.pay), ("zero", .zero)]) ?? .pay
        result.negativeList = feedIn.string("negative_in", maximum: 64)
        check(result.negativeList, feedIn, "negative_in")
        if result.negativeList != nil, result.negative == .pay {
            feedIn.complain("negative_in", "needs when_negative = \"zero\"")
        }
        feedIn.finish()
        tariff.feedIn = result
    }
}
