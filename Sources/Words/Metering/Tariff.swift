import Timekeeping

/// What energy costs from an instant on. A changed price is a new tariff with a later `validFrom`.
package struct Tariff: Hashable, Sendable {
    /// At most 64 bytes.
    package var name: String
    package var currency: Currency
    /// Per kWh taken from the grid, taxes and levies included.
    package var importPrice: Decimal
    /// Per kWh delivered to the grid; nil when nothing is paid for it.
    package var exportPrice: Decimal?
    package var validFrom: Timestamp

    package init(
        name: String, currency: Currency, importPrice: Decimal, exportPrice: Decimal? = nil, validFrom: Timestamp
    ) {
        self.name = name
        self.currency = currency
        self.importPrice = importPrice
        self.exportPrice = exportPrice
        self.validFrom = validFrom
    }
}

/// What holds for the whole home from an instant on: its zone and its tariffs.
package struct HomeSettings: Hashable, Sendable {
    package var name: String
    /// Name in the tz database, such as `Europe/Berlin`.
    package var zone: String
    /// Every tariff version, in the order of `validFrom`.
    package var tariffs: [Tariff]
    package var validFrom: Timestamp

    package static let maximumTariffs = 1024

    package init(name: String, zone: String, tariffs: [Tariff], validFrom: Timestamp) {
        self.name = name
        self.zone = zone
        self.tariffs = tariffs
        self.validFrom = validFrom
    }

    /// The tariff in force at `time`: the last one whose `validFrom` is not after it.
    package func tariff(at time: Timestamp) -> Tariff? {
        tariffs.last { $0.validFrom <= time }
    }
}
