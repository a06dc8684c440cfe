import JSONScanner
import Metering
import Timekeeping

/// How bills are shown: the same from the daemon and from a replay.
enum BillListing {
    /// One bill a line.
    static let columns = [
        Column(key: "from", title: "BILL FROM") { Display.time($0, to: 10) },
        Column(key: "to", title: "TO") { BillListing.lastDay($0) },
        Column(key: "tariff", title: "TARIFF"),
        Column(key: "total", title: "TOTAL", alignsRight: true),
        Column(key: "currency", title: "CURRENCY"),
        Column(key: "coverage", title: "COVERAGE", alignsRight: true) { Display.percent($0) },
        Column(key: "unpriced_import_wh", title: "WITHOUT PRICE kWh", alignsRight: true) { Display.kilowattHours($0) },
    ]

    /// Without the column that says nothing.
    static func view(_ rows: [JSONValue]) -> TableView {
        let optional = ["unpriced_import_wh", "coverage"]
        let columns = columns.filter { !optional.contains($0.key) || rows.say($0.key) }
        return TableView(columns: columns, rows: rows)
    }

    /// The last day of a period, as bills print it; the end itself is the first moment after.
    static func lastDay(_ value: JSONValue?) -> String {
        guard let text = value?.string(), let end = CivilDate(text.prefix(10)) else { return "-" }
        return end.previous.description
    }

    /// A bill with its lines.
    static func text(_ bill: JSONValue) -> String {
        func plain(_ key: String) -> String { Terminal.visible(Column.plain(bill.member(key))) }
        let span = "\(Display.time(bill.member("from"), to: 10)) – \(lastDay(bill.member("to")))"
        var text = Terminal.bold("\(span)  \(plain("tariff"))") + "\n"
        var table = Table([
            .init(title: ""), .init(title: "", alignsRight: true), .init(title: ""),
            .init(title: ""), .init(title: "", alignsRight: true), .init(title: "", alignsRight: true),
        ])
        for line in bill["lines"].map({ Array($0.elements) }) ?? [] {
            let unit = Column.plain(line["unit"])
            let isTax = Column.machine(line["kind"]) == "tax"
            table.append([
                Column.plain(line["label"]), number(line["quantity"], places: isTax ? 2 : 3), unit,
                "×", isTax ? percent(line["price"]) : Column.plain(line["price"]), Column.plain(line["amount"]),
            ])
        }
        table.append(["Total \(plain("currency"))", "", "", "", "", plain("total")])
        text += table.render(noHeaders: true)
        if let coverage = bill["coverage"]?.numberText, String(decoding: coverage, as: UTF8.self) != "1.0" {
            text += "Measured: \(Display.percent(bill["coverage"])) of the period.\n"
        }
        for (key, what) in [("unpriced_import_wh", "taken"), ("unpriced_export_wh", "delivered")] {
            guard let energy = bill.member(key) else { continue }
            let sentence =
                "\(Display.kilowattHours(energy)) kWh \(what) at times whose price is not known are not in it."
            text += Terminal.warning(sentence) + "\n"
        }
        return text
    }

    private static func number(_ value: JSONValue?, places: Int) -> String {
        guard let text = value?.string(), let decimal = DecimalText(text).flatMap({ _ in Decimal(price: text) }) else {
            return Column.plain(value)
        }
        return decimal.text(places: places, minimum: places == 2 ? 2 : 0)
    }

    private static func percent(_ value: JSONValue?) -> String {
        guard let text = value?.string(), let share = Decimal(price: text) else { return "-" }
        return share.times(Decimal(100)).text(places: 4) + " %"
    }
}
