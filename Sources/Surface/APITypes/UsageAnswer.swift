import Billing
import JSONText
import Metering
import Timekeeping
import Usage

/// One row of usage: what one device took and gave in one period, and what that cost. The same from daemon and replay.
public struct UsageAnswer: JSONEncodable {
    public var row: UsageRow

    public init(row: UsageRow) {
        self.row = row
    }

    public func encode(to json: inout JSONWriter) {
        json.object {
            $0.field("device", text: row.name)
            $0.field("channel", text: row.channel.name)
            $0.field("from", text: row.from.rfc3339(offsetSeconds: row.fromOffset))
            $0.field("to", text: row.to.rfc3339(offsetSeconds: row.toOffset))
            $0.field("import_wh", raw: row.imported.map(Thousandths.text))
            $0.field("export_wh", raw: row.exported.map(Thousandths.text))
            // Only inverters and batteries have these.
            if let produced = row.produced { $0.field("produced_wh", raw: Thousandths.text(produced)) }
            if let charged = row.charged { $0.field("charged_wh", raw: Thousandths.text(charged)) }
            if let discharged = row.discharged { $0.field("discharged_wh", raw: Thousandths.text(discharged)) }
            if row.device == HomeBalance.home,
                let own = SelfSupply(
                    imported: row.imported, exported: row.exported, produced: row.produced, charged: row.charged,
                    discharged: row.discharged)
            {
                $0.field("self_consumption", raw: own.selfConsumption.map(SelfSupply.text))
                $0.field("autarky", raw: own.autarky.map(SelfSupply.text))
            }
            $0.field("cost", text: row.cost.map { $0.text(places: 9) })
            $0.field("currency", text: row.currency?.code)
            $0.field("coverage", raw: row.coverageText)
            $0.field("estimated_wh", raw: Thousandths.text(row.estimated))
            $0.field("quality", text: row.quality.rawValue)
            if let power = row.power {
                $0.field("power_min_w", raw: Thousandths.text(power.least))
                $0.field("power_avg_w", raw: Thousandths.text(power.mean))
                $0.field("power_max_w", raw: Thousandths.text(power.greatest))
            }
        }
    }
}
