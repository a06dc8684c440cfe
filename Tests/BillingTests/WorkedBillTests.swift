import Metering
import Testing
import Timekeeping
import Usage

@testable import Billing

/// Bills that suppliers and cities publish as examples, to the cent. Numbers are theirs, words are ours.
struct WorkedBillTests {
    /// Energyplus, "Understanding Your UK Energy Bill" (energyplus.co.uk/GuidesFAQs/understanding-your-energy-bill):
    /// 350 kWh at 28 pence and 30 days at 52 pence make 98.00 and 15.60 pounds, 113.60 before VAT.
    @Test func `a flat tariff with a standing charge a day, as a British guide has it`() throws {
        let london = try zone("Europe/London")
        var tariff = Tariff(
            name: "fixed", currency: try #require(Currency("GBP")), importPrice: decimal("0.28"),
            validFrom: Timestamp(seconds: 0))
        tariff.standing = [StandingCharge(label: "", amount: decimal("0.52"), per: .day)]
        let days = 30 * 96
        var n = -1
        let all = try slots("2025-06-01", "2025-07-01", in: london) { _, _ in
            n += 1
            return (share(350_000_000, n, of: days), nil)
        }
        let bill = try #require(bills(all, [tariff], in: london).first)
        #expect(bill.printed == ["energy Energy, fixed: 98.00", "standing Standing charge, fixed: 15.60"])
        #expect(bill.lines.map { "\($0.quantity) \($0.unit) \($0.price)" } == ["350 kWh 0.28", "30 day 0.52"])
        #expect(bill.totalText == "113.60")
        // With the 5 % that its VAT is: 5.68.
        tariff.levies = [Levy(label: "VAT", kind: .percent(Decimal(5)))]
        #expect(bills(all, [tariff], in: london).first?.totalText == "119.28")
    }

    /// River Falls Municipal Utilities, "Time-of-Day Rates" as of 29 September 2020
    /// (wi-riverfalls.civicplus.com/606/Time-of-Day-Rates): standard 0.1110, on-peak 0.1910 from 7 to 19 on working
    /// days but for holidays, off-peak 0.0660 dollars. For 675.54 kWh a month, 45 % of it on-peak, the page has 88.98
    /// at the standard rate and 96.58 by time of day; with 10, 15 and 20 % of all shifted to off-peak 88.14, 83.92 and
    /// 79.70. The customer charge, 14.00 a month, is what its sums leave beside the energy.
    @Test(arguments: [(45, "96.58"), (35, "88.14"), (30, "83.92"), (25, "79.70")])
    func `a two-rate tariff, as a city in Wisconsin has it`(onPeak: Int64, total: String) throws {
        let chicago = try zone("America/Chicago")
        let customer = StandingCharge(label: "Customer charge", amount: decimal("14"), per: .month)
        let standard = try usd("standard", "0.1110") { $0.standing = [customer] }
        let byTime = try usd("time of day", "0.0660") {
            $0.standing = [customer]
            $0.holidays = [CivilDate("2020-11-26")!]
            $0.windows = [
                TariffWindow(
                    label: "on-peak",
                    times: TariffTimes(
                        days: 0b001_1111, quarters: TariffTimes.quarters(from: 7 * 60, to: 19 * 60)!),
                    importPrice: decimal("0.1910"))
            ]
        }
        // November 2020: the clocks go back on the 1st, Thanksgiving on the 26th is a Thursday.
        let kind = { (time: LocalTime) -> String in
            let isWorkingDay = time.date.weekday <= 5 && time.date.day != 26
            return isWorkingDay && (7..<19).contains(time.hour) ? "on" : "off"
        }
        let kinds = try slots("2020-11-01", "2020-12-01", in: chicago) { time, _ in
            (kind(time) == "on" ? 1 : 0, nil)
        }.map { $0.imported == 1 ? "on" : "off" }
        let whole: Int64 = 675_540_000
        var spread = Spread(["on": whole * onPeak / 100, "off": whole - whole * onPeak / 100], kinds: kinds)
        let all = try slots("2020-11-01", "2020-12-01", in: chicago) { time, _ in (spread.next(kind(time)), nil) }
        let bill = try #require(bills(all, [byTime], in: chicago).first)
        #expect(bill.lines.map(\.label).prefix(2) == ["Energy, time of day, on-peak", "Energy, time of day"])
        #expect(bill.lines[0].quantity == Decimal(1).times(milliwattHours: whole * onPeak / 100))
        #expect(bill.totalText == total)
        #expect(bills(all, [standard], in: chicago).first?.totalText == "88.98")
    }

    /// City of Seymour, "Billing Calculation Examples" for residential electricity
    /// (cityofseymour.org/departments/utilities/residential-electricity/bill-comparison/). Winter: 1,200 kWh in blocks
    /// of 250, 450 and the rest, a power cost of 0.085 a kWh, 7.50 a month, and 1 % sales tax: 171.55. Summer: 2,000
    /// kWh with a fourth block. It rounds halves up: 26.125 is 26.13 there, and 2.7513 is 2.75.
    @Test func `a tiered tariff with a levy and a tax, as a city has it`() throws {
        let chicago = try zone("America/Chicago")
        func tariff(_ tiers: [(Int64?, String)]) throws -> Tariff {
            try usd("residential", "0") {
                $0.tiers = tiers.map { TariffTier(upTo: $0.map { $0 * 1_000_000 }, price: decimal($1)) }
                $0.standing = [StandingCharge(label: "Base customer charge", amount: decimal("7.5"), per: .month)]
                $0.levies = [
                    Levy(label: "Power cost", kind: .perKilowattHour(decimal("0.085"))),
                    Levy(label: "City sales tax", kind: .percent(Decimal(1))),
                ]
                $0.rounding = .halfUp
            }
        }
        func bill(_ kilowattHours: Int64, _ month: (String, String), _ tariff: Tariff) throws -> Bill {
            let count = try slots(month.0, month.1, in: chicago) { _, _ in (0, nil) }.count
            var n = -1
            let all = try slots(month.0, month.1, in: chicago) { _, _ in
                n += 1
                return (share(kilowattHours * 1_000_000, n, of: count), nil)
            }
            return try #require(bills(all, [tariff], in: chicago).first)
        }
        let winter = try bill(
            1200, ("2026-01-01", "2026-02-01"), tariff([(250, "0.064"), (700, "0.049"), (nil, "0.0446")]))
        #expect(
            winter.printed == [
                "tier Energy, residential, tier 1: 16.00", "tier Energy, residential, tier 2: 22.05",
                "tier Energy, residential, tier 3: 22.30", "standing Base customer charge, residential: 7.50",
                "levy Power cost, residential: 102.00", "tax City sales tax, residential: 1.70",
            ])
        #expect(winter.totalText == "171.55")
        let summer = try bill(
            2000, ("2026-07-01", "2026-08-01"),
            tariff([(250, "0.064"), (700, "0.049"), (1250, "0.0475"), (nil, "0.0446")]))
        #expect(
            summer.lines.map { $0.amount.text(places: 2, minimum: 2) } == [
                "16.00", "22.05", "26.13", "33.45", "7.50", "170.00", "2.75",
            ])
        #expect(summer.totalText == "277.88")
    }

    /// BC Hydro, "Residential tiered rate" (bchydro.com, rate schedule 1101): 10.97 cents up to 22.1918 kWh a day of
    /// the billing period, 14.08 beyond; for a period of 30 days that is 665.754 kWh. Basic charge 22.53 cents a day.
    @Test func `tiers per day of the period, as BC Hydro has them`() throws {
        let vancouver = try zone("America/Vancouver")
        var tariff = Tariff(
            name: "1101", currency: try #require(Currency("CAD")), importPrice: .zero, validFrom: Timestamp(seconds: 0))
        tariff.tiers = [
            TariffTier(upTo: 22_191_800, price: decimal("0.1097")), TariffTier(upTo: nil, price: decimal("0.1408")),
        ]
        tariff.tiersPerDay = true
        tariff.standing = [StandingCharge(label: "Basic charge", amount: decimal("0.2253"), per: .day)]
        var n = -1
        let all = try slots("2025-06-01", "2025-07-01", in: vancouver) { _, _ in
            n += 1
            return (share(1_000_000_000, n, of: 30 * 96), nil)
        }
        let bill = try #require(bills(all, [tariff], in: vancouver).first)
        #expect(bill.lines.map(\.quantity.description) == ["665.754", "334.246", "30"])
        // 665.754 × 0.1097 = 73.0332…, 334.246 × 0.1408 = 47.0618…, 30 × 0.2253 = 6.759.
        #expect(bill.lines.map { $0.amount.text(places: 2, minimum: 2) } == ["73.03", "47.06", "6.76"])
    }

    /// Stadtwerke Hamm, "hammerstrom dynamik" (stadtwerke-hamm.de): net cents a kWh of 2.2 for the service, 6.76 grid,
    /// 1.99 concession, 2.050 electricity tax, 0.816 offshore, 0.277 KWKG, 1.558 StromNEV beside the exchange's price,
    /// 15.651 together and 18.62 with 19 % VAT; net euros a year of 34.45, 100.00 and 16.81, 151.26 together and 180.00
    /// with VAT. The exchange's prices here are of our own making: 1,000 kWh of each of −1, 5 and 9 cents.
    @Test func `a dynamic tariff with levies, tax and standing charges, as a German utility has it`() throws {
        let berlin = try zone("Europe/Berlin")
        var tariff = Tariff(
            name: "dynamik", currency: .euro, importPrice: .zero, validFrom: Timestamp(seconds: 0))
        tariff.dynamic = DynamicPrice(list: "epex", surcharge: decimal("0.022"))
        tariff.standing = [
            StandingCharge(label: "Dienstleistung", amount: decimal("34.45"), per: .year),
            StandingCharge(label: "Netz", amount: Decimal(100), per: .year),
            StandingCharge(label: "Messstellenbetrieb", amount: decimal("16.81"), per: .year),
        ]
        tariff.levies = [
            ("Netznutzung", "0.0676"), ("Konzessionsabgabe", "0.0199"), ("Stromsteuer", "0.0205"),
            ("Offshore-Netzumlage", "0.00816"), ("KWKG-Umlage", "0.00277"), ("StromNEV-Umlage", "0.01558"),
        ].map { Levy(label: $0.0, kind: .perKilowattHour(decimal($0.1))) }
        tariff.levies.append(Levy(label: "USt", kind: .percent(Decimal(19))))
        let cents: [Int64] = [-1, 5, 9]
        var book = PriceBook()
        var first = Slot(containing: berlin.start(of: LocalDay("2025-01-01")!))
        let end = berlin.start(of: LocalDay("2026-01-01")!)
        var n = 0
        while first.start < end {
            let price = cents[n % 3] * 10_000_000
            book.take(PriceRun(list: "epex", currency: .euro, first: first, slotsPerPrice: 4, prices: [price]))
            first = Slot(index: first.index + 4)
            n += 1
        }
        #expect(n == 8760)
        var i = -1
        // 3,000 kWh in a year; each third of the hours has 1,000.
        let all = try slots("2025-01-01", "2026-01-01", in: berlin) { _, _ in
            i += 1
            return (share(3_000_000_000, i, of: 8760 * 4), nil)
        }
        // No month is a year, so a billing period of a year is put together of twelve.
        let year = bills(all, [tariff], in: berlin, prices: book)
        #expect(year.count == 12 && year.allSatisfy { $0.unpricedImport == 0 })
        let dynamic = year.flatMap(\.lines).filter { $0.kind == .energy }
        #expect(dynamic.reduce(.zero) { $0 + $1.quantity } == Decimal(3000))
        // Exactly: 1,000 × (−1 + 5 + 9) cents and 3,000 × 2.2 cents are 130 and 66 euros, to a cent a month.
        let energy = dynamic.reduce(Decimal.zero) { $0 + $1.amount }
        #expect(energy > decimal("195.9") && energy < decimal("196.1"))
        // January by hand: 31 days, 744 hours, 248 of each price. Standing 34.45 × 31/365 = 2.9258…, 8.4931…, 1.4276….
        let january = try #require(year.first)
        #expect(
            january.lines.filter { $0.kind == .standing }.map { $0.amount.text(places: 2, minimum: 2) }
                == ["2.93", "8.49", "1.43"])
        let net = january.lines.dropLast().reduce(Decimal.zero) { $0 + $1.amount }
        #expect(january.lines.last?.amount == net.times(decimal("0.19")).rounded(places: 2))
        #expect(january.total == net + (january.lines.last?.amount ?? .zero))
        let standing = year.flatMap(\.lines).filter { $0.kind == .standing }.reduce(Decimal.zero) { $0 + $1.amount }
        // 151.26 net; twelve months of three lines may round by half a cent each.
        #expect(standing > decimal("151.08") && standing < decimal("151.44"))
        // What usage says of one kWh: (price + 15.651) × 1.19, the utility's 18.62 + price × 1.19.
        let pricing = Pricing(settings: home([tariff]), zone: berlin, prices: book)
        let slot = try #require(all.first?.slot)
        #expect(pricing.price(of: slot)?.energy == .dynamic(decimal("0.012")))
        #expect(tariff.withLevies(decimal("0.022"), holding: .max).rounded(places: 4).description == "0.1862")
    }

    /// Octopus Energy, "Agile pricing explained" (octopus.energy/blog/agile-pricing-explained): 2.20 × the wholesale
    /// price, and 12 pence more from 16 to 19 o'clock, before 5 % VAT.
    @Test func `a dynamic price with a surcharge at some hours, as Agile has it`() throws {
        let london = try zone("Europe/London")
        var tariff = Tariff(
            name: "agile", currency: try #require(Currency("GBP")), importPrice: .zero, validFrom: Timestamp(seconds: 0)
        )
        tariff.dynamic = DynamicPrice(list: "n2ex", factor: decimal("2.2"))
        let peak = TariffTimes(quarters: TariffTimes.quarters(from: 16 * 60, to: 19 * 60)!)
        tariff.levies = [
            Levy(label: "Peak premium", kind: .perKilowattHour(decimal("0.12")), times: peak),
            Levy(label: "VAT", kind: .percent(Decimal(5))),
        ]
        let day = Slot(containing: try time("2022-01-11T00:00:00Z"))
        var book = PriceBook()
        book.take(
            PriceRun(
                list: "n2ex", currency: tariff.currency, first: day, slotsPerPrice: 2,
                prices: (0..<48).map { $0 < 24 ? 50_000_000 : -20_000_000 }))
        let pricing = Pricing(settings: home([tariff]), zone: london, prices: book)
        func rate(_ clock: String) throws -> String {
            let price = try #require(pricing.price(of: Slot(containing: try time("2022-01-11T\(clock):00Z"))))
            guard case .dynamic(let energy) = price.energy else { return "none" }
            return tariff.withLevies(energy, holding: price.levies).description
        }
        // 2.2 × 5 × 1.05; 2.2 × −2 × 1.05; (2.2 × −2 + 12) × 1.05 pence.
        #expect(try rate("11:30") == "0.1155" && rate("12:00") == "-0.0462")
        #expect(try rate("15:45") == "-0.0462" && rate("16:00") == "0.0798" && rate("18:45") == "0.0798")
        #expect(try rate("19:00") == "-0.0462")
    }
}
