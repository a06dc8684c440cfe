import Billing
import JSONText
import Metering
import Timekeeping

/// One channel in two spans, as `usage compare` prints it.
public struct UsageComparison: JSONEncodable {
    /// The span asked for, and the one it is compared to; nil: nothing was measured in it.
    public var this: UsageRow?
    public var other: UsageRow?

    public init(this: UsageRow?, other: UsageRow?) {
        self.this = this
        self.other = other
    }

    public func encode(to json: inout JSONWriter) {
        guard let row = this ?? other else { return }
        json.object {
            $0.field("device", text: row.name)
            $0.field("channel", text: row.channel.name)
            $0.field("from", text: this.map { $0.from.rfc3339(offsetSeconds: $0.fromOffset) })
            $0.field("to", text: this.map { $0.to.rfc3339(offsetSeconds: $0.toOffset) })
            $0.field("import_wh", raw: this?.imported.map(Thousandths.text))
            $0.field("export_wh", raw: this?.exported.map(Thousandths.text))
            $0.field("cost", text: this?.cost.map { $0.text(places: 9) })
            $0.field("coverage", raw: this?.coverageText)
            $0.field("other_from", text: other.map { $0.from.rfc3339(offsetSeconds: $0.fromOffset) })
            $0.field("other_to", text: other.map { $0.to.rfc3339(offsetSeconds: $0.toOffset) })
            $0.field("other_import_wh", raw: other?.imported.map(Thousandths.text))
            $0.field("other_export_wh", raw: other?.exported.map(Thousandths.text))
            $0.field("other_cost", text: other?.cost.map { $0.text(places: 9) })
            $0.field("other_coverage", raw: other?.coverageText)
            $0.field("change_percent", raw: change)
            $0.field("currency", text: (this?.currency ?? other?.currency)?.code)
        }
    }

    /// Per cent of the other span's import, with one decimal; nil where either is not known or the other is nothing.
    private var change: String? {
        guard let new = this?.imported, let old = other?.imported, old > 0 else { return nil }
        let tenths = Thousandths.divideTiesToEven((Int128(new) - Int128(old)) * 1000, Int128(old))
        let sign = tenths < 0 ? "-" : ""
        return "\(sign)\(tenths.magnitude / 10).\(tenths.magnitude % 10)"
    }
}
