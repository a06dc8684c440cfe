import Billing
import JSONText
import Metering
import Timekeeping
import Usage

/// A bill, the same from the daemon and from a replay.
public struct BillAnswer: JSONEncodable {
    public var bill: Bill
    /// Whether it says how much of the period was measured.
    public var tellsCoverage: Bool

    public init(bill: Bill, tellsCoverage: Bool = false) {
        self.bill = bill
        self.tellsCoverage = tellsCoverage
    }

    public func encode(to json: inout JSONWriter) {
        let places = bill.currency.places
        json.object {
            $0.field("from", text: bill.from.rfc3339(offsetSeconds: bill.fromOffset))
            $0.field("to", text: bill.to.rfc3339(offsetSeconds: bill.toOffset))
            $0.field("tariff", text: bill.tariff)
            $0.field("currency", text: bill.currency.code)
            $0.key("lines")
            $0.array { json in
                for line in bill.lines {
                    json.object {
                        $0.field("kind", text: line.kind.rawValue)
                        $0.field("label", text: line.label)
                        $0.field("quantity", text: line.quantity.description)
                        $0.field("unit", text: line.unit)
                        $0.field("price", text: line.price.description)
                        $0.field("amount", text: line.amount.text(places: places, minimum: places))
                    }
                }
            }
            $0.field("total", text: bill.total.text(places: places, minimum: places))
            if tellsCoverage { $0.field("coverage", raw: UsageRow.share(bill.measuredTime, of: bill.span)) }
            // Energy whose price nobody knows is in no line, and is told.
            if bill.unpricedImport != 0 { $0.field("unpriced_import_wh", raw: Thousandths.text(bill.unpricedImport)) }
            if bill.unpricedExport != 0 { $0.field("unpriced_export_wh", raw: Thousandths.text(bill.unpricedExport)) }
        }
    }
}

/// A decision about a counter, with the names that people know.
public struct DecisionAnswer: JSONEncodable {
    public var decision: Decision
    public var deviceName: String

    public init(decision: Decision, deviceName: String) {
        self.decision = decision
        self.deviceName = deviceName
    }

    public func encode(to json: inout JSONWriter) {
        json.object {
            $0.field(
                "series", text: "\(deviceName)/\(decision.series.channel)/\(decision.series.quantity)")
            $0.field("time", text: decision.time.rfc3339())
            $0.field("decision", text: decision.kind.rawValue)
            $0.field("from", raw: decision.from.map(Thousandths.text))
            $0.field("to", raw: decision.to.map(Thousandths.text))
            $0.field("rule", text: decision.rule)
        }
    }
}
