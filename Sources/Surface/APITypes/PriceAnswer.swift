import JSONText
import Metering
import Timekeeping

/// One price list: what is known of it.
package struct PriceListAnswer: JSONEncodable {
    package var name: String
    package var currency: String?
    package var from: Timestamp?
    package var to: Timestamp?
    /// Where it is fetched or read; nil: it is imported by hand.
    package var place: String?
    /// What the last look at it came to; nil: no look yet.
    package var state: String?

    package init(
        name: String, currency: String?, from: Timestamp?, to: Timestamp?, place: String?, state: String?
    ) {
        self.name = name
        self.currency = currency
        self.from = from
        self.to = to
        self.place = place
        self.state = state
    }

    package func encode(to json: inout JSONWriter) {
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
package struct PriceAnswer: JSONEncodable {
    package var from: Timestamp
    package var to: Timestamp
    package var offset: Int
    package var price: Decimal
    package var currency: Currency

    package init(from: Timestamp, to: Timestamp, offset: Int, price: Decimal, currency: Currency) {
        self.from = from
        self.to = to
        self.offset = offset
        self.price = price
        self.currency = currency
    }

    package func encode(to json: inout JSONWriter) {
        json.object {
            $0.field("from", text: from.rfc3339(offsetSeconds: offset))
            $0.field("to", text: to.rfc3339(offsetSeconds: offset))
            $0.field("price", text: price.description)
            $0.field("currency", text: currency.code)
        }
    }
}

/// What an import of prices came to.
package struct PriceImportAnswer: JSONEncodable {
    package var list: String
    /// Prices in the text, and those of them that say something new.
    package var prices: Int
    package var new: Int
    package var from: Timestamp
    package var to: Timestamp

    package init(list: String, prices: Int, new: Int, from: Timestamp, to: Timestamp) {
        self.list = list
        self.prices = prices
        self.new = new
        self.from = from
        self.to = to
    }

    package func encode(to json: inout JSONWriter) {
        json.object {
            $0.field("list", text: list)
            $0.field("prices", number: prices)
            $0.field("new", number: new)
            $0.field("from", text: from.rfc3339())
            $0.field("to", text: to.rfc3339())
        }
    }
}
