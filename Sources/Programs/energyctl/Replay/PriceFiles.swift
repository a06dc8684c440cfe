import Billing
import ConfigurationFile
import Metering
import Prices
import Timekeeping

/// Prices for a replay: of the files that the configuration names, and of those that an option does.
struct PriceFiles {
    private let configuration: Configuration
    private let zone: Zone

    init(_ configuration: Configuration, zone: Zone) {
        self.configuration = configuration
        self.zone = zone
    }

    /// `options`: `list=file`; they come last, so that what they say counts.
    func book(_ options: [String]) throws -> PriceBook {
        var book = PriceBook()
        var given: Set<String> = []
        for option in options { given.insert(String(option.prefix { $0 != "=" })) }
        for source in configuration.priceSources where !given.contains(source.name) {
            switch source.place {
            case .file(let path): try take(path, source, into: &book)
            case .url:
                Terminal.complain(
                    "prices of \(source.name) come from the network, which a replay does not ask: --prices "
                        + "\(source.name)=FILE gives them")
            case nil: continue
            }
        }
        for option in options {
            let parts = option.split(separator: "=", maxSplits: 1).map(String.init)
            guard parts.count == 2 else {
                throw Failure(.usage, "--prices \(option) is not a list and a file, such as spot=prices.csv")
            }
            let currency = configuration.tariffs.first?.currency ?? .euro
            let source =
                configuration.priceSources.first { $0.name == parts[0] }
                ?? PriceSource(name: parts[0], currency: currency)
            try take(parts[1], source, into: &book)
        }
        return book
    }

    private func take(_ path: String, _ source: PriceSource, into book: inout PriceBook) throws {
        let bytes = try WholeFile.read(path, maximum: PriceReader.maximumBytes + 1)
        // What we wrote ourselves has our own titles and is per kWh, whatever the list is like at its source.
        let isOurs = bytes.starts(with: "from,to,price,currency".utf8)
        let layout = isOurs ? PriceLayout(time: "from", price: "price") : source.layout
        do throws(PriceError) {
            let reader = PriceReader(layout: layout, zone: zone)
            for run in try reader.runs(bytes, list: source.name, currency: source.currency) { book.take(run) }
        } catch {
            throw Failure(.failed, "the prices in \(path) cannot be read: \(error)")
        }
    }
}
