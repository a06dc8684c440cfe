import Foundation
import Metering
import Prices
import Simulation
import Testing
import Timekeeping

struct PriceReaderTests {
    private func berlin() throws -> Zone { try ZoneDirectory().zone(named: "Europe/Berlin") }

    private func runs(_ text: String, _ layout: PriceLayout = PriceLayout()) throws -> [PriceRun] {
        try PriceReader(layout: layout, zone: berlin()).runs(Array(text.utf8), list: "spot", currency: .euro)
    }

    private func complaint(_ text: String, _ layout: PriceLayout = PriceLayout()) throws -> String {
        do {
            let runs = try runs(text, layout)
            return "read: \(runs)"
        } catch let error as PriceError {
            return error.description
        }
    }

    private func slot(_ text: String) throws -> Slot { Slot(containing: try Timestamp(rfc3339: text)) }

    @Test func `CSV with a line a price`() throws {
        let found = try runs(
            """
            # a comment
            time,price
            2026-03-29T00:00:00+01:00,0.1234
            2026-03-29T01:00:00+01:00,-0.00010

            2026-03-29T03:00:00+02:00,1e-3
            """)
        #expect(found.count == 1)
        #expect(found[0].first == (try slot("2026-03-28T23:00:00Z")) && found[0].slotsPerPrice == 4)
        #expect(found[0].prices == [123_400_000, -100_000, 1_000_000])
        #expect(found[0].list == "spot" && found[0].currency == .euro)
    }

    @Test func `CSV as spreadsheets write it: semicolons, decimal commas, quotes, a mark at its start`() throws {
        let layout = PriceLayout(time: "Beginn", price: "Preis (ct/kWh)", unit: .centPerKilowattHour)
        let found = try runs(
            "\u{FEFF}Beginn;Ende;\"Preis (ct/kWh)\"\r\n2026-10-25 00:00;2026-10-25 00:15;8,25\r\n"
                + "2026-10-25 00:15;2026-10-25 00:30;-\r\n2026-10-25 00:30;2026-10-25 00:45;\"9,5\"\r\n", layout)
        #expect(found.map(\.prices) == [[82_500_000], [95_000_000]])
        #expect(found.map(\.first) == [try slot("2026-10-24T22:00:00Z"), try slot("2026-10-24T22:30:00Z")])
    }

    @Test func `local times go through both hours that autumn repeats`() throws {
        let clock = ["00:00", "01:00", "02:00", "02:00", "03:00"]
        let found = try runs("time,price\n" + clock.enumerated().map { "2026-10-25 \($1),0.\($0)1\n" }.joined())
        #expect(found.count == 1 && found[0].prices.count == 5)
        #expect(found[0].prices == [10_000_000, 110_000_000, 210_000_000, 310_000_000, 410_000_000])
    }

    @Test func `lists of objects at any depth, with the names that suppliers use`() throws {
        // As aWATTar answers: milliseconds, euros per MWh.
        let awattar = #"""
            {"object":"list","data":[
            {"start_timestamp":1774738800000,"end_timestamp":1774742400000,"marketprice":94.09,"unit":"Eur/MWh"},
            {"start_timestamp":1774742400000,"end_timestamp":1774746000000,"marketprice":-3.5,"unit":"Eur/MWh"}]}
            """#
        let found = try runs(awattar, PriceLayout(unit: .megawattHour))
        #expect(found.map(\.prices) == [[94_090_000, -3_500_000]] && found[0].slotsPerPrice == 4)
        // As Octopus answers: newest first, half hours, two prices.
        let octopus = #"""
            {"count":2,"results":[
            {"value_exc_vat":18.4,"value_inc_vat":19.32,"valid_from":"2026-03-29T00:30:00Z","valid_to":null},
            {"value_exc_vat":16.0,"value_inc_vat":16.80,"valid_from":"2026-03-29T00:00:00Z","valid_to":null}]}
            """#
        let cents = PriceLayout(price: "value_inc_vat", unit: .centPerKilowattHour)
        #expect(try runs(octopus, cents).map(\.prices) == [[168_000_000, 193_200_000]])
        #expect(try runs(octopus, cents)[0].slotsPerPrice == 2)
        #expect(
            try complaint(octopus)
                == "is value_exc_vat or value_inc_vat the price? Say it with price = \"…\"")
    }

    @Test func `two lists of one length, and an object whose keys are times`() throws {
        // As energy-charts answers.
        let charts = #"{"license":"CC","unix_seconds":[1774738800,1774739700],"price":[90.1,null],"unit":"EUR / MWh"}"#
        #expect(try runs(charts, PriceLayout(unit: .megawattHour)).map(\.prices) == [[90_100_000]])
        let keyed = #"{"prices":{"2026-03-29T00:00:00Z":"0.12","2026-03-29T00:15:00Z":0.13}}"#
        let found = try runs(keyed)
        #expect(found.map(\.prices) == [[120_000_000, 130_000_000]] && found[0].slotsPerPrice == 1)
        #expect(
            try complaint(#"{"time":[1774738800,1774739700],"price":[90.1]}"#) == "time has 2 elements, price 1")
    }

    @Test func `what cannot be read is told with its place`() throws {
        #expect(try complaint("") == "there is nothing in it")
        #expect(try complaint("time,price\n") == "there is no price in it")
        #expect(try complaint("time,price\nyesterday,1\n") == "line 2: \"yesterday\" is no time")
        #expect(try complaint("time,price\n2026-03-29T00:00:00Z,dear\n") == "line 2: \"dear\" is no price")
        #expect(try complaint("time,price\n2026-03-29T00:00:00Z\n") == "line 2 has too few columns")
        #expect(
            try complaint("time,price\n2026-03-29T00:07:00Z,1\n")
                == "line 2: 2026-03-29T00:07:00Z is no quarter of an hour")
        #expect(try complaint("when,price\n").hasPrefix("which of when, price is the time?"))
        #expect(
            try complaint("time,price\n", PriceLayout(price: "cost"))
                == "there is no price called cost; there are time, price")
        #expect(try complaint(#"{"error":"quota"}"#) == "no list of objects with a time and a price was found")
        #expect(try complaint(#"[{"time":"x","price":1}]"#) == "element 0: \"x\" is no time")
        // An hour that the clocks skip is none.
        #expect(try complaint("time,price\n2026-03-29 02:30,1\n") == "line 2: \"2026-03-29 02:30\" is no time")
        #expect(try complaint("time,price\n2026-03-29T00:00:00Z,99999999999\n").hasSuffix("is no price"))
    }

    @Test func `a hole ends a run, and what is said twice counts once`() throws {
        let found = try runs(
            """
            time,price
            2026-03-29T03:00:00Z,4
            2026-03-29T00:00:00Z,1
            2026-03-29T01:00:00Z,2
            2026-03-29T01:00:00Z,3
            """)
        #expect(found.map(\.prices) == [[1_000_000_000, 3_000_000_000], [4_000_000_000]])
        #expect(found.map(\.slotsPerPrice) == [4, 4])
    }

    @Test func `no bytes do more than fail`() throws {
        let seed: UInt64 = 0x7072_6963
        var generator = SplitMix64(seed: seed)
        let seeds = [
            "time,price\n2026-03-29T00:00:00Z,1\n2026-03-29T01:00:00Z,2\n",
            #"{"data":[{"start":1774738800000,"price":94.09},{"start":1774742400000,"price":1}]}"#,
        ].map { Array($0.utf8) }
        let reader = PriceReader(layout: PriceLayout(), zone: try berlin())
        for n in 0..<4000 {
            var bytes = seeds[n % 2]
            for _ in 0...Int.random(in: 0..<4, using: &generator) {
                bytes[Int.random(in: 0..<bytes.count, using: &generator)] = UInt8.random(in: 0...255, using: &generator)
            }
            let runs = try? reader.runs(bytes, list: "x", currency: .euro)
            for run in runs ?? [] { #expect((1...4).contains(run.slotsPerPrice), "seed \(seed), round \(n)") }
        }
    }

    @Test func `an address has the home's dates`() throws {
        let day = try #require(LocalDay("2026-12-31"))
        #expect(
            PriceSource.address("https://x/{today}?to={tomorrow}&from={yesterday}", today: day)
                == "https://x/2026-12-31?to=2027-01-01&from=2026-12-30")
    }
}
