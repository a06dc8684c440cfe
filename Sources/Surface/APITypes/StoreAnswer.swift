import JSONText
import Metering
import Timekeeping
import Upkeep

/// `GET /v1/store`: what the store takes on its disk and writes there.
public struct StoreAnswer: JSONEncodable {
    public var directory: String
    public var figures: StoreFigures
    /// Bytes a day that this process has had written, as the kernel counts them; nil where it has not run for long.
    public var measuredPerDay: Double?

    public init(directory: String, figures: StoreFigures, measuredPerDay: Double? = nil) {
        self.directory = directory
        self.figures = figures
        self.measuredPerDay = measuredPerDay
    }

    public func encode(to json: inout JSONWriter) {
        let perDay = measuredPerDay ?? figures.writtenPerDay
        json.object { json in
            json.field("directory", text: directory)
            json.field("files", number: figures.files)
            json.field("bytes", number: figures.bytes)
            json.field("series", number: figures.series)
            json.key("parts")
            json.array { json in
                for part in figures.parts { StoreAnswer.encode(part, to: &json) }
            }
            json.field("written_bytes_per_day", number: perDay.map(StoreAnswer.whole))
            json.field(
                "written_basis",
                text: perDay == nil
                    ? "not known yet: the log spans less than ten minutes"
                    : measuredPerDay != nil ? "all that energyd wrote since it started" : figures.basis)
            json.key("wear")
            guard let perDay else { return json.null() }
            let wear = CardWear(writtenPerDay: perDay)
            json.object { json in
                json.field("written_bytes_per_year", number: StoreAnswer.whole(wear.bytesPerYear))
                json.field("fills_of_32_gb_per_year", raw: StoreAnswer.decimal(wear.fillsPerYear))
                json.field("percent_of_rating_per_year", raw: StoreAnswer.decimal(wear.share * 100))
                json.field("percent_of_rating_per_year_at_worst", raw: StoreAnswer.decimal(wear.worstShare * 100))
                json.field("assumption", text: CardWear.assumption)
            }
        }
    }

    private static func encode(_ part: StoreFigures.Part, to json: inout JSONWriter) {
        json.object {
            $0.field("part", text: part.name)
            $0.field("files", number: part.files)
            $0.field("bytes", number: part.bytes)
            $0.field("items", number: part.items)
            $0.field("unit", text: part.unit.isEmpty ? nil : part.unit)
            $0.field("bytes_per_item", raw: part.bytesPerItem.map(decimal))
            $0.field("first", text: part.first?.rfc3339())
            $0.field("last", text: part.last?.rfc3339())
            $0.field("written_bytes_per_day", number: part.writtenPerDay.map(whole))
        }
    }

    private static func whole(_ value: Double) -> Int64 { Int64(exactly: value.rounded()) ?? .max }

    /// With three decimals at most.
    private static func decimal(_ value: Double) -> String { Thousandths.from(value).map(Thousandths.text) ?? "null" }
}

/// `POST /v1/store/import`: what became of the lines of one request.
public struct ImportAnswer: JSONEncodable {
    public let outcome: ImportOutcome

    public init(_ outcome: ImportOutcome) {
        self.outcome = outcome
    }

    public func encode(to json: inout JSONWriter) {
        json.object { json in
            json.field("taken", number: outcome.taken)
            json.field("known", number: outcome.known)
            json.field("differing", number: outcome.differing)
            json.field("older", number: outcome.older)
            json.field("refused", number: outcome.refused)
            json.key("refusals")
            json.array { json in
                for refusal in outcome.refusals {
                    json.object {
                        $0.field("line", number: refusal.line)
                        $0.field("reason", text: refusal.reason)
                    }
                }
            }
            json.key("new_devices")
            json.array { json in
                for name in outcome.newDevices { json.text(name) }
            }
        }
    }
}
