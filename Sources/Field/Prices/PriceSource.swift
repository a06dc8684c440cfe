import Metering
import Timekeeping

/// Where a price list comes from and how it is written. `[[prices]]` of the configuration.
public struct PriceSource: Hashable, Sendable {
    public enum Place: Hashable, Sendable {
        /// `{today}`, `{tomorrow}` and `{yesterday}` stand for the home's local dates, such as 2026-03-29.
        case url(String)
        case file(String)
    }

    /// Name of the list, as tariffs name it; at most 64 bytes.
    public var name: String
    public var currency: Currency
    /// Nil: only what somebody imports.
    public var place: Place?
    /// ms between two looks.
    public var interval: Int64
    public var layout: PriceLayout

    public static let defaultInterval: Int64 = Span.hour

    public init(
        name: String, currency: Currency, place: Place? = nil, interval: Int64 = PriceSource.defaultInterval,
        layout: PriceLayout = PriceLayout()
    ) {
        self.name = name
        self.currency = currency
        self.place = place
        self.interval = interval
        self.layout = layout
    }

    /// The address for a local date.
    public static func address(_ url: String, today: LocalDay) -> String {
        url.replacing("{today}", with: today.description).replacing("{tomorrow}", with: today.next.description)
            .replacing("{yesterday}", with: today.previous.description)
    }
}

/// How prices stand in a text; what is nil is found by the names that are usual.
public struct PriceLayout: Hashable, Sendable {
    /// Name of the column or member that holds the start of each price.
    public var time: String?
    public var price: String?
    public var unit = PriceUnit.kilowattHour

    public init(time: String? = nil, price: String? = nil, unit: PriceUnit = .kilowattHour) {
        self.time = time
        self.price = price
        self.unit = unit
    }
}

/// What a price in a text is stated for.
public enum PriceUnit: String, Hashable, Sendable, CaseIterable {
    case kilowattHour = "kWh"
    /// As exchanges state it: a thousandth of it is per kWh.
    case megawattHour = "MWh"
    /// Hundredths of the currency per kWh.
    case centPerKilowattHour = "ct/kWh"

    /// Power of ten from a text's number to the currency per kWh.
    var exponent: Int {
        switch self {
        case .kilowattHour: 0
        case .megawattHour: -3
        case .centPerKilowattHour: -2
        }
    }
}

/// Why prices cannot be read: a sentence that names the place in the text.
public struct PriceError: Error, Hashable, Sendable, CustomStringConvertible {
    public let description: String

    init(_ description: String) {
        self.description = description
    }
}
