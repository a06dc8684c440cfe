import Foundation
import Metering
import Testing
import Timekeeping
import Usage

@testable import Billing

/// A whole bill with a price for each hour, to the cent.
///
/// pvpcbill (github.com/azogue/pvpcbill, MIT) publishes what a Spanish household took in each hour from 18 February to
/// 18 March 2020, the prices of these hours (PVPC, as REE publishes them for tariff 2.0A) and the bill of both, line by
/// line: `elecbill_data_2020_02_18_to_2020_03_18_GEN_4_6_IVA.json`. The numbers are typed from there.
struct DynamicBillTests {
    private struct Hours {
        /// In the order of time.
        var energies: [Int64] = []
        /// Of the energy without the grid's share, billionths of a euro per kWh.
        var prices: [Int64] = []
    }

    /// The prices include the grid's 44.03 EUR/MWh, which the bill has in a line of its own.
    private func hours() throws -> Hours {
        let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent()
        let text = try String(contentsOf: folder.appendingPathComponent("Fixtures/pvpc-2020-02.csv"), encoding: .utf8)
        var hours = Hours()
        for line in text.split(separator: "\n") {
            let cells = line.split(separator: ",").map(String.init)
            #expect(cells.count == 26, "\(line)")
            if cells[1] == "Wh" {
                for cell in cells.dropFirst(2) { hours.energies.append(try #require(Int64(cell)) * 1000) }
            } else {
                hours.prices += try cells.dropFirst(2).map { cell in
                    let price = try #require(DecimalText(cell))
                    return try #require(Thousandths.from(price)) * 1000 - 44_030_000
                }
            }
        }
        return hours
    }

    @Test func `a bill with hourly prices, tax, VAT and standing charges, as Spain has it`() throws {
        let hours = try hours()
        #expect(hours.energies.count == 720 && hours.prices.count == 720)
        // What its bill by two periods has for both, so nothing was mistyped.
        #expect(hours.energies.reduce(0, +) == 472_931_000)
        let peak = hours.energies.enumerated().filter { (12..<22).contains($0.offset % 24) }
        #expect(peak.reduce(0) { $0 + $1.element } == 170_039_000)

        // A billing period of ours goes from a day of the month to the same one; these 30 days are those of an April.
        let madrid = try zone("Europe/Madrid")
        let first = Slot(containing: madrid.start(of: LocalDay("2020-04-01")!))
        var book = PriceBook()
        book.take(PriceRun(list: "pvpc", currency: .euro, first: first, slotsPerPrice: 4, prices: hours.prices))
        var n = -1
        let all = try slots("2020-04-01", "2020-05-01", in: madrid) { _, _ in
            n += 1
            return (share(hours.energies[n / 4], n % 4, of: 4), nil)
        }
        let bill = try #require(bills(all, [tariff], in: madrid, prices: book).first)
        #expect(
            bill.printed == [
                "energy Energy, 2.0A, dynamic: 23.51",
                "standing Equipo de medida, 2.0A: 0.80",
                "demand Potencia, peaje, 2.0A: 14.34",
                "demand Potencia, comercialización, 2.0A: 1.17",
                "levy Peaje de energía, 2.0A: 20.82",
                "tax Impuesto eléctrico, 2.0A: 3.06",
                "tax IVA, 2.0A: 13.38",
            ])
        #expect(bill.totalText == "77.08")
        #expect(bill.unpricedImport == 0)
    }

    private var tariff: Tariff {
        var tariff = Tariff(name: "2.0A", currency: .euro, importPrice: .zero, validFrom: Timestamp(seconds: 0))
        tariff.dynamic = DynamicPrice(list: "pvpc")
        // 4.6 kW are contracted, and no hour of theirs has more.
        tariff.demands = [("peaje", "0.103944"), ("comercialización", "0.008505")].map {
            DemandCharge(label: "Potencia, \($0.0)", price: decimal($0.1), per: .day, minimum: 4_600_000)
        }
        tariff.standing = [StandingCharge(label: "Equipo de medida", amount: decimal("0.026667"), per: .day)]
        tariff.levies = [
            Levy(label: "Peaje de energía", kind: .perKilowattHour(decimal("0.044027"))),
            Levy(
                label: "Impuesto eléctrico", kind: .percent(decimal("5.11269632")),
                base: [.energy, .demand, .levies]),
            Levy(label: "IVA", kind: .percent(Decimal(21))),
        ]
        return tariff
    }
}
