import ConfigurationFile
import Metering
import Prices
import Testing
import Timekeeping

struct TariffConfigurationTests {
    private func tariff(_ text: String) throws -> Tariff {
        try #require(try Folder(["t.toml": "[[tariff]]\n" + text]).load().tariffs.first)
    }

    @Test func `a tariff by time of use reads days, hours and months`() throws {
        let tariff = try tariff(
            """
            import = 0.25
            holidays = [2026-12-25, "2026-01-01"]
            [[tariff.window]]
            name = "peak"
            days = "mon-fri"
            hours = ["07:00-10:00", "17:00-20:00"]
            months = ["oct-mar", "jul"]
            import = "0.41"
            export = 0.12
            [[tariff.window]]
            name = "night"
            hours = "22:00-06:00"
            days = ["weekend", "fri"]
            import = 0.19
            """)
        #expect(tariff.model == "time of use")
        #expect(tariff.holidays == [CivilDate("2026-01-01")!, CivilDate("2026-12-25")!])
        let peak = tariff.windows[0]
        #expect(
            peak.label == "peak" && peak.importPrice?.description == "0.41" && peak.exportPrice?.description == "0.12")
        // Holidays are Sundays where no window names them: not in the first, in the second.
        #expect(peak.times.days == 0b0001_1111 && tariff.windows[1].times.days == 0b1111_0000)
        #expect(peak.times.months == 0b1110_0100_0111)
        #expect(
            peak.times.quarters == TariffTimes.quarters(from: 420, to: 600)! | TariffTimes.quarters(
                from: 1020, to: 1200)!)
        #expect(tariff.windows[1].times.quarters == TariffTimes.quarters(from: 1320, to: 360)!)
    }

    @Test func `a window that names holidays makes them days of their own`() throws {
        let tariff = try tariff(
            "import = 1\n[[tariff.window]]\ndays = \"sun\"\nimport = 2\n"
                + "[[tariff.window]]\ndays = [\"holidays\"]\nimport = 3")
        #expect(tariff.windows.map(\.times.days) == [0b0100_0000, 0b1000_0000])
    }

    @Test func `tiers, charges, levies, a dynamic price and feed-in are read`() throws {
        let tiered = try tariff(
            """
            rounding = "half-up"
            tiers_per = "day"
            [[tariff.tier]]
            up_to = 22.1918
            price = "0.1097"
            [[tariff.tier]]
            price = "0.1408"
            [[tariff.standing]]
            amount = "0.2253"
            per = "day"
            [[tariff.demand]]
            name = "peak"
            price = 3.5
            minimum = "2.5"
            hours = "17:00-20:00"
            """)
        #expect(
            tiered.tiers == [
                TariffTier(upTo: 22_191_800, price: Decimal(price: "0.1097")!),
                TariffTier(upTo: nil, price: Decimal(price: "0.1408")!),
            ])
        #expect(tiered.tiersPerDay && tiered.rounding == .halfUp && tiered.model == "tiered")
        #expect(tiered.standing == [StandingCharge(label: "", amount: Decimal(price: "0.2253")!, per: .day)])
        #expect(tiered.demands[0].minimum == 2_500_000 && tiered.demands[0].per == .month)
        #expect(tiered.demands[0].times.quarters == TariffTimes.quarters(from: 1020, to: 1200)!)
        let dynamic = try tariff(
            """
            export = "0.08"
            [tariff.dynamic]
            prices = "spot"
            factor = 1.03
            surcharge = "0.015"
            [tariff.feed_in]
            when_negative = "zero"
            negative_in = "spot"
            [[tariff.levy]]
            name = "grid"
            per_kwh = "0.12"
            hours = "16:00-19:00"
            [[tariff.levy]]
            name = "VAT"
            percent = 19
            on = ["energy", "levies", "export"]
            """)
        #expect(
            dynamic.dynamic
                == DynamicPrice(
                    list: "spot", factor: Decimal(price: "1.03")!, surcharge: Decimal(price: "0.015")!))
        #expect(dynamic.feedIn == FeedIn(negative: .zero, negativeList: "spot"))
        #expect(dynamic.levies[0].kind == .perKilowattHour(Decimal(price: "0.12")!))
        #expect(dynamic.levies[1].base == [.energy, .levies, .export])
        #expect(try tariff("import = 1\n[tariff.dynamic]\nprices = \"x\"").dynamic?.fallsBack == true)
    }

    @Test func `windows that leave no hour need no price for the rest`() throws {
        let tariff = try tariff(
            "[[tariff.window]]\nhours = \"06:00-22:00\"\nimport = 2\n[[tariff.window]]\nhours = \"22:00-06:00\"\nimport = 1"
        )
        #expect(tariff.windows.count == 2 && tariff.importPrice == .zero)
    }

    @Test func `price lists, candidates and the billing day are read`() throws {
        let configuration = try Folder([
            "t.toml": """
            [home]
            billing_day = "last"
            [[prices]]
            name = "spot"
            url = "https://example.org/prices?day={tomorrow}"
            interval = "6h"
            per = "MWh"
            price = "marketprice"
            [[prices]]
            name = "own"
            file = "/tmp/x.csv"
            [[tariff]]
            name = "now"
            import = 0.3
            [[tariff]]
            name = "other"
            candidate = true
            import = 0.2
            """
        ]).load()
        #expect(configuration.home.billingDay == .last)
        #expect(configuration.tariffs.map(\.name) == ["now"] && configuration.candidates.map(\.name) == ["other"])
        let spot = configuration.priceSources[0]
        #expect(spot.place == .url("https://example.org/prices?day={tomorrow}") && spot.interval == 6 * Span.hour)
        #expect(spot.layout == PriceLayout(price: "marketprice", unit: .megawattHour))
        #expect(configuration.priceSources[1].place == .file("/tmp/x.csv"))
        #expect(configuration.settings(zone: "UTC", validFrom: Timestamp(seconds: 0)).billingDay == .last)
        #expect(try Folder(["t.toml": "[home]\nbilling_day = 15"]).load().home.billingDay == BillingDay(15)!)
    }

    @Test func `a file of tariffs has nothing else`() throws {
        let file = try TariffFile(bytes: Array("[[tariff]]\nname = \"a\"\nimport = 1\n".utf8), file: "a.toml")
        #expect(file.tariffs.map(\.name) == ["a"])
        func complaint(_ text: String) -> String {
            do throws(ConfigurationError) {
                _ = try TariffFile(bytes: Array(text.utf8), file: "a.toml")
                return ""
            } catch {
                return error.description
            }
        }
        #expect(complaint("") == "a.toml has no [[tariff]]")
        #expect(complaint("[[tarif]]\n").contains("did you mean tariff?"))
        #expect(
            complaint("[[tariff]]\nimport = 1\nexprt = 2\n")
                == "a.toml:3:1: unknown key tariff.exprt; did you mean export?")
    }

    static let mistakes: [Mistake] = [
        Mistake(
            "[home]\nbilling_day = 29",
            "2:15: home.billing_day has to be a day that every month has, 1 to 28, or \"last\""),
        Mistake(
            "[[tariff]]\nimport = 1\n[[tariff.window]]\nhours = \"7-19\"\nimport = 2",
            "4:9: tariff.window.hours holds \"7-19\", which is no span of quarters of an hour such as \"22:00-06:00\""),
        Mistake(
            "[[tariff]]\nimport = 1\n[[tariff.window]]\nhours = \"07:05-19:00\"\nimport = 2",
            "4:9: tariff.window.hours holds \"07:05-19:00\", which is no span of quarters of an hour such as "
                + "\"22:00-06:00\""),
        Mistake(
            "[[tariff]]\nimport = 1\n[[tariff.window]]\ndays = \"montag\"\nimport = 2",
            "4:8: tariff.window.days holds \"montag\", which is no day or range of days such as \"sat\", \"mon-fri\", "
                + "\"weekdays\", \"weekend\" or \"holidays\""),
        Mistake(
            "[[tariff]]\nimport = 1\n[[tariff.window]]\nmonths = [\"13\"]\nimport = 2",
            "4:10: tariff.window.months holds \"13\", which is no month or range of months such as \"jan\" or \"oct-mar\""
        ),
        Mistake(
            "[[tariff]]\nimport = 1\n[[tariff.window]]\nname = \"x\"",
            "3:1: tariff.window has neither an import nor an export price"),
        Mistake(
            "[[tariff]]\n[[tariff.window]]\nhours = \"06:00-21:45\"\nimport = 2",
            "1:1: tariff.import is missing, and no window has a price for mon at 00:00 in jan; import says what the rest "
                + "costs"),
        Mistake(
            "[[tariff]]\n[[tariff.tier]]\nprice = 1\n[[tariff.tier]]\nprice = 2",
            "2:1: tariff.tier.up_to is missing: only the last tier has no end"),
        Mistake(
            "[[tariff]]\n[[tariff.tier]]\nup_to = 5\nprice = 1",
            "3:9: tariff.tier.up_to has no place in the last tier: it says what all the rest costs"),
        Mistake(
            "[[tariff]]\n[[tariff.tier]]\nup_to = 5\nprice = 1\n[[tariff.tier]]\nup_to = 5\nprice = 1\n"
                + "[[tariff.tier]]\nprice = 1", "6:9: tariff.tier.up_to is not above that of the tier before it"),
        Mistake(
            "[[tariff]]\nimport = 1\n[[tariff.standing]]\namount = 1",
            "3:1: tariff.standing.per is missing: day, month or year"
        ),
        Mistake(
            "[[tariff]]\nimport = 1\n[[tariff.standing]]\namount = 1\nper = \"mont\"",
            "5:7: tariff.standing.per is \"mont\", but has to be one of day, month, year; did you mean \"month\"?"),
        Mistake(
            "[[tariff]]\nimport = 1\n[[tariff.levy]]\nname = \"x\"",
            "3:1: tariff.levy.per_kwh or percent has to be given, one of the two"),
        Mistake(
            "[[tariff]]\nimport = 1\n[[tariff.levy]]\nname = \"x\"\npercent = 1\non = [\"enery\"]",
            "6:6: tariff.levy.on holds \"enery\", which is none of energy, standing, demand, levies, export; "
                + "did you mean \"energy\"?"),
        Mistake(
            "[[tariff]]\nimport = 1\n[[tariff.levy]]\nname = \"x\"\npercent = 1\nhours = \"00:00-06:00\"",
            "5:11: tariff.levy.percent holds at all times; hours go with per_kwh only"),
        Mistake(
            "[[prices]]\nname = \"spot\"\n[[tariff]]\n[tariff.dynamic]\nprices = \"sopt\"",
            "5:10: tariff.dynamic.prices is \"sopt\", but no [[prices]] is called so; did you mean \"spot\"?"),
        Mistake(
            "[[tariff]]\nimport = 1\n[tariff.dynamic]\nprices = \"s\"\n[[tariff.window]]\nname = \"n\"\nimport = 2",
            "5:1: tariff.window \"n\" has an import price, but the tariff's price is dynamic; a surcharge at some hours is "
                + "a tariff.levy with hours"),
        Mistake(
            "[[tariff]]\nimport = 1\nholidays = [\"christmas\"]",
            "3:13: tariff.holidays has to hold dates such as \"2026-12-25\""),
        Mistake(
            "[[tariff]]\nimport = 1\n[tariff.feed_in]\nnegative_in = \"spot\"",
            "4:15: tariff.feed_in.negative_in needs when_negative = \"zero\""),
        Mistake(
            "[[prices]]\nname = \"s\"\nurl = \"ftp://x\"",
            "3:7: prices.url is \"ftp://x\", but has to begin with https:// or http://"),
        Mistake(
            "[[prices]]\nname = \"s\"\nurl = \"http://x\"\nfile = \"y\"",
            "4:8: prices.file and url are given; a list has one place"
        ),
        Mistake(
            "[[prices]]\nname = \"s\"\n[[prices]]\nname = \"s\"",
            "4:8: prices.name is \"s\", already taken at t.toml:2:8"),
        Mistake(
            "[[prices]]\nname = \"s\"\nper = \"kwh\"",
            "3:7: prices.per is \"kwh\", but has to be one of kWh, MWh, ct/kWh; did you mean \"kWh\"?"),
    ]

    @Test(arguments: mistakes) func `a mistake in a tariff is told with file, line and a way out`(mistake: Mistake)
        throws
    {
        #expect(try Folder(["t.toml": mistake.text]).problems() == ["t.toml:" + mistake.problem])
    }
}
