import JSONScanner
import JSONText
import Timekeeping

/// `readings --step`: what each series did in each step of time.
extension ReadingsCommand {
    private static let stepColumns = [
        Column(key: "time", title: "FROM (UTC)") { Display.milliseconds($0) },
        Column(key: "device", title: "DEVICE"),
        Column(key: "channel", title: "CHANNEL"),
        Column(key: "quantity", title: "QUANTITY"),
        Column(key: "min", title: "MIN", alignsRight: true),
        Column(key: "average", title: "AVERAGE", alignsRight: true),
        Column(key: "max", title: "MAX", alignsRight: true),
        Column(key: "last", title: "LAST", alignsRight: true),
        Column(key: "count", title: "VALUES", alignsRight: true),
        Column(key: "unit", title: "UNIT"),
    ]

    func printSteps(
        _ client: DaemonClient, _ filter: [(String, String?)], since: Timestamp?, until: Timestamp?
    ) throws {
        let bytes = try client.get(
            "/v1/history",
            filter + [
                ("since", since?.rfc3339()), ("until", until?.rfc3339()), ("step", step),
                ("limit", limit.map(String.init)),
            ])
        try output.output.print(
            try ReadingsCommand.flattened(bytes), columns: ReadingsCommand.stepColumns, noHeaders: output.noHeaders,
            emptyMessage: "No readings in that span.",
            view: { TableView(columns: ReadingsCommand.stepColumns, rows: $0) })
    }

    /// One object a row, in place of one a series with rows of numbers.
    private static func flattened(_ bytes: [UInt8]) throws -> [UInt8] {
        let document: JSONDocument
        do {
            document = try JSONDocument(bytes: bytes)
        } catch {
            throw Failure(.failed, "energyd's answer is not JSON: \(error)")
        }
        var json = JSONWriter()
        json.array { json in
            for series in document.root.elements {
                guard let rows = series["rows"]?.elements else { continue }
                for row in rows {
                    json.object { write(row, of: series, to: &$0) }
                }
            }
        }
        return json.bytes
    }

    private static func write(_ row: JSONValue, of series: JSONValue, to json: inout JSONWriter) {
        let cells = Array(row.elements)
        guard cells.count == 6, let time = cells[0].integer else { return }
        func raw(_ i: Int) -> String? { cells[i].numberText.map { String(decoding: $0, as: UTF8.self) } }
        json.field("time", text: Timestamp(milliseconds: time).rfc3339())
        json.field("device", text: series["device"]?.string())
        json.field("channel", text: series["channel"]?.string())
        json.field("quantity", text: series["quantity"]?.string())
        json.field("min", raw: raw(1))
        json.field("average", raw: raw(2))
        json.field("max", raw: raw(3))
        json.field("last", raw: raw(4))
        json.field("count", raw: raw(5))
        json.field("unit", text: series["unit"]?.string())
    }
}
