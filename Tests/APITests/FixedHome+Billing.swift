import API
import APITypes
import Metering
import Timekeeping

@testable import Billing

extension FixedHome {
    func bills(since: Timestamp?, until: Timestamp?, under choice: TariffChoice) async throws -> [BillAnswer] {
        let name: String
        switch choice {
        case .inForce: name = "basic"
        case .named(let given):
            guard given == "night" else { throw Problem.notFound("no tariff is called \(given)") }
            name = given
        case .file(let bytes, let file): name = "\(file) of \(bytes.count) bytes"
        }
        let line = Bill.Line(
            kind: .energy, label: "Energy, \(name)", quantity: Decimal(2), unit: "kWh",
            price: Decimal(price: "0.3")!, amount: Decimal(price: "0.6")!)
        let bill = Bill(
            from: FixedHome.start, to: FixedHome.start + Span.day, fromOffset: 0, toOffset: 0, tariff: name,
            currency: .euro, lines: [line], total: line.amount, measuredTime: Span.hour)
        return [BillAnswer(bill: bill, tellsCoverage: true)]
    }

    func tariffs() async throws -> [TariffAnswer] {
        var tariff = Tariff(
            name: "night", currency: .euro, importPrice: Decimal(price: "0.3")!, validFrom: FixedHome.start)
        tariff.windows = [
            TariffWindow(
                label: "low",
                times: TariffTimes(days: 0b1001_1111, quarters: TariffTimes.quarters(from: 1320, to: 360)!),
                importPrice: Decimal(price: "0.2"))
        ]
        tariff.levies = [Levy(label: "VAT", kind: .percent(Decimal(19)))]
        return [
            TariffAnswer(
                tariff: tariff, validTo: nil, isInForce: true, isCandidate: false, fromOffset: 3600, toOffset: 0)
        ]
    }

    func priceLists() async throws -> [PriceListAnswer] {
        [PriceListAnswer(name: "spot", currency: "EUR", from: FixedHome.start, to: nil, place: nil, state: "ok")]
    }

    func prices(list: String, since: Timestamp?, until: Timestamp?) async throws -> [PriceAnswer] {
        [
            PriceAnswer(
                from: FixedHome.start, to: FixedHome.start + Span.hour, offset: 3600, price: Decimal(price: "-0.01")!,
                currency: .euro)
        ]
    }

    func take(_ prices: PriceImport) async throws -> PriceImportAnswer {
        PriceImportAnswer(
            list: prices.list, prices: prices.text.count, new: prices.per == "MWh" ? 1 : 0, from: FixedHome.start,
            to: FixedHome.start)
    }

    func compare(_ period: ComparedPeriod, to other: ComparedTo, device: String?) async throws -> [UsageComparison] {
        func row(_ energy: Int64) -> UsageRow {
            UsageRow(
                device: DeviceID(high: 0, low: 1), name: "\(period) \(other)", channel: .total, from: FixedHome.start,
                to: FixedHome.start + Span.hour, fromOffset: 0, toOffset: 0, imported: energy, estimated: 0,
                measuredTime: Span.hour, filledTime: 0)
        }
        return [UsageComparison(this: row(2000), other: row(3000)), UsageComparison(this: nil, other: row(1))]
    }
}
