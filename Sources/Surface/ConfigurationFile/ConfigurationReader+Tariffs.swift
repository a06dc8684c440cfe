import Metering
import Prices
import TOML
import Timekeeping

extension ConfigurationReader {
    /// `[[prices]]` and `[[tariff]]`.
    mutating func readTariffs(_ root: inout Section, _ configuration: inout Configuration) {
        for section in root.sections("prices", maximum: 64) {
            if let source = readPrices(section) { configuration.priceSources.append(source) }
        }
        var reader = TariffReader(problems: problems, lists: configuration.priceSources.map(\.name))
        var currency: Currency?
        for section in root.sections("tariff", maximum: HomeSettings.maximumTariffs) {
            let read = reader.read(section)
            if read?.isCandidate != true {
                let from = read?.tariff.validFrom ?? Timestamp(milliseconds: 0)
                if read != nil || section.table["valid_from"] != nil {
                    take("\(from.milliseconds)", as: "valid_from", of: section, "valid_from", "is \(from.rfc3339())")
                }
            }
            guard let read else { continue }
            if let first = currency, first != read.tariff.currency {
                section.complain(
                    "currency",
                    "is \(read.tariff.currency), but other tariffs are in \(first); a home has one currency")
            }
            currency = currency ?? read.tariff.currency
            if read.isCandidate {
                configuration.candidates.append(read.tariff)
            } else {
                configuration.tariffs.append(read.tariff)
            }
        }
        configuration.tariffs.sort { $0.validFrom < $1.validFrom }
        configuration.candidates.sort { $0.validFrom < $1.validFrom }
    }

    private mutating func readPrices(_ given: Section) -> PriceSource? {
        var section = given
        let name = section.required("name", maximum: 64)
        if let name { take(name, as: "price list", of: section, "name", "is \"\(name)\"") }
        let text = section.string("currency") ?? "EUR"
        let currency = Currency(text)
        if currency == nil { section.complain("currency", "is \"\(text)\", not a code such as EUR, USD or GBP") }
        let url = section.string("url", maximum: 2048)
        let file = section.string("file", maximum: 4096)
        if let url, !url.hasPrefix("https://"), !url.hasPrefix("http://") {
            section.complain("url", "is \"\(url.prefix(64))\", but has to begin with https:// or http://")
        }
        if url != nil, file != nil { section.complain("file", "and url are given; a list has one place") }
        let interval = section.duration("interval", (5 * Span.minute)...(7 * Span.day))
        let layout = PriceLayout(
            time: section.string("time", maximum: 64), price: section.string("price", maximum: 64),
            unit: section.choice("per", PriceUnit.allCases.map { ($0.rawValue, $0) }) ?? .kilowattHour)
        section.finish()
        guard let name, let currency else { return nil }
        return PriceSource(
            name: name, currency: currency, place: url.map(PriceSource.Place.url) ?? file.map(PriceSource.Place.file),
            interval: interval ?? PriceSource.defaultInterval, layout: layout)
    }

    func readBillingDay(_ home: inout Section, _ configuration: inout Configuration) {
        guard let value = home.value("billing_day") else { return }
        let number = value.integer ?? (value.string == "last" ? 31 : value.string.flatMap { Int64($0) })
        guard let number, let day = BillingDay(Int(clamping: number)), number != 31 || value.integer == nil else {
            home.complain("billing_day", "has to be a day that every month has, 1 to 28, or \"last\"")
            return
        }
        configuration.home.billingDay = day
    }
}

/// Tariffs in a file or a request of their own, to be compared: `[[tariff]]` and `[[prices]]`, nothing else.
public struct TariffFile: Sendable {
    /// In the order of `validFrom`; `candidate` makes no difference here.
    public let tariffs: [Tariff]
    public let priceSources: [PriceSource]

    /// `file` is only a name for messages; nothing is read from it.
    public init(bytes: [UInt8], file: String) throws(ConfigurationError) {
        let problems = Problems()
        var configuration = Configuration()
        do throws(TOMLError) {
            let table = try TOMLDocument(bytes: bytes, file: file).root
            var root = Section(table, name: "", place: nil, problems: problems)
            var reader = ConfigurationReader(problems: problems, profileNames: nil)
            reader.readTariffs(&root, &configuration)
            root.finish()
            if configuration.tariffs.isEmpty, configuration.candidates.isEmpty, problems.list.isEmpty {
                problems.add(nil, "\(file) has no [[tariff]]")
            }
        } catch {
            problems.add(error.place, error.reason)
        }
        guard problems.list.isEmpty else { throw ConfigurationError(problems.list) }
        tariffs = (configuration.tariffs + configuration.candidates).sorted { $0.validFrom < $1.validFrom }
        priceSources = configuration.priceSources
    }
}
