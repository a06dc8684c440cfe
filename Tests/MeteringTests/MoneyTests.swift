import Metering
import Testing

@Suite struct MoneyTests {
    private func price(_ text: String) throws -> Decimal { try #require(Decimal(price: text), "\(text)") }

    @Test func `prices are read and printed without loss`() throws {
        for (text, printed) in [
            ("0.3215", "0.3215"), ("-0.05", "-0.05"), ("0", "0"), ("-0", "0"), ("1e2", "100"),
            ("0.000000001", "0.000000001"),
            ("999999999.999999999", "999999999.999999999"), ("0.32150000000000", "0.3215"), ("0.00000000000000", "0"),
            ("12", "12"), ("1.10", "1.1"),
        ] { #expect(try price(text).description == printed) }
        for bad in [
            "", "x", "1,5", "0.0000000001", "1000000000", "1e9", "-1000000000", "123456789012345678e9",
            "999999999999999999999999e9", "1e99999", "1e-99999", "nan",
        ] { #expect(Decimal(price: bad) == nil, "\(bad)") }
    }

    @Test func `a price times an energy is exact to the last place`() throws {
        #expect(try price("0.3215").times(milliwattHours: 1_234_567).description == "0.3969132905")
        #expect(try price("0.000000001").times(milliwattHours: 1).description == "0.000000000000001")
        #expect(try price("-0.05").times(milliwattHours: 1_000_000).description == "-0.05")
        #expect(try price("0.3").times(milliwattHours: -1_000_000).description == "-0.3")
        #expect(try price("999999999.999999999").times(milliwattHours: .max).atto == .max)
        #expect(try price("-999999999.999999999").times(milliwattHours: .max).atto == .min)
        #expect(try price("999999999.999999999").times(milliwattHours: .min).atto == .min)
        #expect(Decimal.zero.times(milliwattHours: .min) == .zero)
    }

    @Test func `rounding is half to even, both signs`() throws {
        for (text, rounded) in [
            ("0.125", "0.12"), ("0.135", "0.14"), ("-0.125", "-0.12"), ("-0.135", "-0.14"), ("0.1250001", "0.13"),
            ("0.005", "0"), ("-0.005", "0"), ("0.015", "0.02"), ("2.5", "2.5"), ("0.999", "1"),
        ] { #expect(try price(text).rounded(places: 2).description == rounded, "\(text)") }
        #expect(try price("2.5").rounded(places: 0).description == "2")
        #expect(try price("3.5").rounded(places: 0).description == "4")
        #expect(try price("0.5").text(places: 2, minimum: 2) == "0.50")
        #expect(try price("-0.001").text(places: 2, minimum: 2) == "0.00")
        #expect(Decimal(7).text(places: 9, minimum: 0) == "7")
    }

    @Test func `sums saturate instead of trapping`() {
        let most = Decimal(atto: .max)
        let least = Decimal(atto: .min)
        #expect(most + Decimal(1) == most && least - Decimal(1) == least)
        #expect(least + Decimal(-1) == least && most - Decimal(-1) == most)
        #expect(most.rounded(places: 0) == most || most.rounded(places: 0) < most)
        #expect(least.rounded(places: 2).atto <= 0)
        #expect(!least.description.isEmpty && !most.text(places: 0).isEmpty)
        #expect(Decimal(.max).description == "9223372036854775807")
        #expect(Decimal(1) < Decimal(2) && Decimal(-1) < .zero)
    }

    @Test func `a currency is three capitals`() {
        #expect(Currency("CHF")?.code == "CHF")
        for bad in ["", "EU", "EURO", "eur", "E1R", "€UR"] { #expect(Currency(bad) == nil) }
    }
}
