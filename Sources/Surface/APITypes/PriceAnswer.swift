import JSONText
import Metering
import Timekeeping

/// One price list: what is known of it.
public struct PriceListAnswer: JSONEncodable {
    public var name: String
    public var currency: String?
    public var from: Timestamp?
    public var to: Timestamp?
    /// Where it is fetched or read; nil: it is imported by hand.
    public var place: String?
    /// What the last look at it came to; nil: no look yet.
    public var state: String?

    public init(
        name: String, currency: String?, from: Timestamp?, to: Timestamp?, place: String?, state: String?
    ) {
        self.name = name
        self.currency = currency
        self.from = from
        self.to = to
        self.place = place
        self.state = state
    }

    public func encode(to json: inout JSONWriter) {
        json.object {
            $0.field("name", text: name)
            $0.field("currency", text: currency)
            $0.field("from", text: from?.rfc3339())
            $0.field("to", text: to?.rfc3339())
            $0.field("place", text: place)
            $0.field("state", text: state)
        }
    }
}

/// Prices of a list that are the same in slots that follow each other.
public struct PriceAnswer: JSONEncodable {
    public var from: Timestamp
    public var to: Timestamp
    public var offset: Int
    public var price: Decimal
    public var currency: Currency

    public init(from: Timestamp, to: Timestamp, offset: Int, price: Decimal, currency: Currency) {
        self.from = from
        self.to = to
        self.offset = offset
        self.price = price
        self.currency = currency
    }

    public func encode(to json: inout JSONWriter) {
        json.object {
            $0.field("from", text: from.rfc3339(offsetSeconds: offset))
            $0.field("to", text: to.rfc3339(offsetSeconds: offset))
            $0.field("price", text: price.description)
            $0.field("currency", text: currency.code)
        }
    }
}

/// What an import of prices came to.
public struct PriceImportAnswer: JSONEncodable {
    public var list: String
    /// Prices in the text, and those of them that say something new.
    public var prices: Int
    public var new: Int
    public var from: Timestamp
    public var to: Timestamp

    public init(list: String, prices: Int, new: Int, from: Timestamp, to: Timestamp) {
        self.list = list
        self.prices = prices
        self.new = new
        self.from = from
        self.to = to
    }

    public func encode(to json: inout JSONWriter) {
        json.object {
            $0.field("list", text: list)
            $0.field("prices", number: prices)
            $0.field("new", number: new)
            $0.field("from", text: from.rfc3339())
            $0.field("to", text: to.rfc3339())
        }
    }
}
