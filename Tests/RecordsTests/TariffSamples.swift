import Metering
import Records
import Simulation
import Timekeeping

/// What the golden files of tariffs and prices hold. Never changed, as `Samples`.
enum TariffSamples {
    static let peak = TariffTimes(
        days: 0b001_1111, months: 0b1100_0000_0011, quarters: TariffTimes.quarters(from: 17 * 60, to: 20 * 60)!)

    static let full: Tariff = {
        var tariff = Tariff(
            name: "Zeit & Börse", currency: .euro, importPrice: Decimal(price: "0.25")!,
            exportPrice: Decimal(price: "0.0811"), validFrom: Samples.wall)
        tariff.windows = [
            TariffWindow(
                label: "peak", times: peak, importPrice: Decimal(price: "0.41"), exportPrice: Decimal(price: "0.12")),
            TariffWindow(label: "night", times: .always, importPrice: Decimal(price: "0.19")),
        ]
        tariff.tiers = [
            TariffTier(upTo: 250_000_000, price: Decimal(price: "0.064")!),
            TariffTier(upTo: nil, price: Decimal(price: "0.0446")!),
        ]
        tariff.tiersPerDay = true
        tariff.dynamic = DynamicPrice(
            list: "spot", factor: Decimal(price: "1.03")!, surcharge: Decimal(price: "0.015")!, fallsBack: true)
        tariff.feedIn = FeedIn(
            dynamic: DynamicPrice(list: "spot", factor: Decimal(1), surcharge: Decimal(price: "-0.004")!),
            negative: .zero, negativeList: "de-lu")
        tariff.standing = [
            StandingCharge(label: "Grundpreis", amount: Decimal(price: "12.50")!, per: .month),
            StandingCharge(label: "Messstelle", amount: Decimal(price: "20")!, per: .year),
        ]
        tariff.demands = [
            DemandCharge(
                label: "Spitze", price: Decimal(price: "3.5")!, per: .month, minimum: 2_500_000, times: peak)
        ]
        tariff.levies = [
            Levy(label: "Stromsteuer", kind: .perKilowattHour(Decimal(price: "0.0205")!)),
            Levy(label: "Netzentgelt HT", kind: .perKilowattHour(Decimal(price: "0.12")!), times: peak),
            Levy(label: "USt", kind: .percent(Decimal(19)), base: [.energy, .standing, .levies, .export]),
        ]
        tariff.holidays = [CivilDate("2026-01-01")!, CivilDate("2026-12-25")!, CivilDate("2026-12-26")!]
        tariff.rounding = .halfUp
        return tariff
    }()

    static let settings = Record.settings(
        HomeSettings(
            name: "Home", zone: "Europe/Berlin", tariffs: [full], validFrom: Samples.wall, billingDay: .last))
    static let prices = Record.prices(
        PriceRun(
            list: "spot", currency: .euro, first: Slot(containing: Samples.wall), slotsPerPrice: 4,
            prices: [82_340_000, 0, -10_580_000, PriceRun.maximumPrice]))
}

extension RandomRecords {
    mutating func tariff() -> Tariff {
        var tariff = Tariff(
            name: text(64), currency: flag() ? .euro : Currency("USD")!, importPrice: price(),
            exportPrice: flag() ? price() : nil, validFrom: time())
        guard flag() else { return tariff }
        for _ in 0..<number(5) {
            tariff.windows.append(
                TariffWindow(
                    label: text(64), times: times(), importPrice: flag() ? price() : nil,
                    exportPrice: flag() ? price() : nil))
            tariff.tiers.append(TariffTier(upTo: flag() ? Int64(number(1 << 40)) : nil, price: price()))
            tariff.standing.append(
                StandingCharge(label: text(64), amount: price(), per: ChargePeriod.allCases[number(3)]))
            tariff.demands.append(
                DemandCharge(
                    label: text(64), price: price(), per: ChargePeriod.allCases[number(3)],
                    minimum: Int64(number(1 << 30)), times: times()))
            tariff.levies.append(
                Levy(
                    label: text(64), kind: flag() ? .percent(price()) : .perKilowattHour(price()),
                    base: Levy.Base(rawValue: UInt8(number(32))), times: times()))
        }
        tariff.tiersPerDay = flag()
        if flag() { tariff.dynamic = dynamic() }
        if flag() {
            tariff.feedIn = FeedIn(
                dynamic: flag() ? dynamic() : nil, negative: flag() ? .pay : .zero,
                negativeList: flag() ? text(64) : nil)
        }
        tariff.holidays = (0..<number(20)).map { _ in CivilDate(daysSinceEpoch: Int64(number(2_932_897))) }
        tariff.rounding = flag() ? .halfEven : .halfUp
        return tariff
    }

    private mutating func dynamic() -> DynamicPrice {
        DynamicPrice(list: text(64), factor: price(), surcharge: price(), fallsBack: flag())
    }

    private mutating func times() -> TariffTimes {
        guard flag() else { return .always }
        return TariffTimes(
            days: UInt8(number(256)), months: UInt16(number(4096)),
            quarters: UInt128(generator.next()) << 64 | UInt128(generator.next()))
    }

    mutating func prices() -> PriceRun {
        PriceRun(
            list: text(64), currency: .euro, first: Slot(containing: time()), slotsPerPrice: 1 + number(96),
            prices: (0..<number(100)).map { _ in
                Int64.random(in: -PriceRun.maximumPrice...PriceRun.maximumPrice, using: &generator)
            })
    }
}
