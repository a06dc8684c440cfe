import Metering
import Testing
import Timekeeping

struct TariffTests {
    @Test func `quarters of an hour go over midnight`() throws {
        let night = try #require(TariffTimes.quarters(from: 22 * 60, to: 6 * 60))
        #expect(night.nonzeroBitCount == 32)
        #expect(night & 1 == 1 && night & (1 << 24) == 0 && night & (1 << 88) != 0)
        #expect(TariffTimes.quarters(from: 0, to: 1440) == TariffTimes.allQuarters)
        #expect(TariffTimes.quarters(from: 0, to: 0) == TariffTimes.allQuarters)
        #expect(TariffTimes.quarters(from: 7, to: 60) == nil && TariffTimes.quarters(from: 0, to: 1441) == nil)
    }

    @Test func `a holiday is none of the days of the week`() throws {
        let time = Zone.utc.local(at: try Timestamp(rfc3339: "2026-12-25T17:30:00Z"))
        #expect(time.date.weekday == 5)
        #expect(TariffTimes(days: 1 << 4).contains(time, isHoliday: false))
        #expect(!TariffTimes(days: 1 << 4).contains(time, isHoliday: true))
        #expect(TariffTimes(days: 0x80).contains(time, isHoliday: true))
        #expect(!TariffTimes(months: 1).contains(time, isHoliday: false))
        #expect(TariffTimes(months: 1 << 11, quarters: 1 << 70).contains(time, isHoliday: false))
    }

    @Test(arguments: [
        ("0.005", "0", "0.01"), ("0.015", "0.02", "0.02"), ("-0.005", "0", "-0.01"), ("-0.015", "-0.02", "-0.02"),
        ("0.025", "0.02", "0.03"), ("0.0249", "0.02", "0.02"), ("0.0251", "0.03", "0.03"), ("1.005", "1", "1.01"),
    ]) func `a half goes to the even cent, or up where a tariff says so`(text: String, even: String, up: String) throws
    {
        let amount = try #require(Decimal(price: text))
        #expect(amount.rounded(places: 2).description == even)
        #expect(amount.rounded(places: 2, .halfUp).description == up)
    }

    @Test func `products of decimals are exact to the eighteenth place`() throws {
        let a = try #require(Decimal(price: "123456789.123456789"))
        #expect(a.times(try #require(Decimal(price: "0.000000001"))).description == "0.123456789123456789")
        #expect(a.times(try #require(Decimal(price: "-2"))).description == "-246913578.246913578")
        // 15241578780673678.5155… × 10^0 is far within the range; its square is not.
        #expect(a.times(a).description == "15241578780673678.515622620750190521")
        #expect(a.times(a).times(a) == Decimal(atto: .max))
        #expect(Decimal(atto: 1).times(Decimal(atto: 500_000_000_000_000_000)) == .zero)
        #expect(Decimal(atto: 3).times(Decimal(atto: 500_000_000_000_000_000)) == Decimal(atto: 2))
        #expect(Decimal(10).times(1, dividedBy: 3).description == "3.333333333333333333")
        #expect(Decimal(nano: -5).description == "-0.000000005" && Decimal(atto: 1_500_000_000).nano == 2)
    }

    @Test func `currencies have the decimals of their smallest coin`() {
        #expect(["EUR", "JPY", "KWD", "USD"].compactMap { Currency($0)?.places } == [2, 0, 3, 2])
    }
}
