import JSONScanner

/// How usage rows are listed: the same from the daemon and from a replay.
enum UsageListing {
    /// All that CSV has.
    static func columns(_ by: UsageBy) -> [Column] {
        let length =
            switch by {
            case .slot, .hour: 16
            case .day, .week, .bill: 10
            case .month: 7
            case .year: 4
            }
        return [
            Column(key: "from", title: by.rawValue.uppercased()) { Display.time($0, to: length) },
            Column(key: "device", title: "DEVICE"),
            Column(key: "channel", title: "CHANNEL"),
            Column(key: "import_wh", title: "IMPORT kWh", alignsRight: true) { Display.kilowattHours($0) },
            Column(key: "export_wh", title: "EXPORT kWh", alignsRight: true) { Display.kilowattHours($0) },
            Column(key: "produced_wh", title: "PRODUCED kWh", alignsRight: true) { Display.kilowattHours($0) },
            Column(key: "cost", title: "COST", alignsRight: true) { Display.money($0) },
            Column(key: "currency", title: "CURRENCY"),
            Column(key: "coverage", title: "COVERAGE", alignsRight: true) { Display.percent($0) },
            Column(key: "estimated_wh", title: "ESTIMATED kWh", alignsRight: true) { Display.kilowattHours($0) },
            Column(key: "quality", title: "QUALITY"),
            Column(key: "to", title: "TO"),
            Column(key: "charged_wh", title: "CHARGED kWh", alignsRight: true) { Display.kilowattHours($0) },
            Column(key: "discharged_wh", title: "DISCHARGED kWh", alignsRight: true) { Display.kilowattHours($0) },
            Column(key: "self_consumption", title: "SELF-USED", alignsRight: true) { Display.percent($0) },
            Column(key: "autarky", title: "AUTARKY", alignsRight: true) { Display.percent($0) },
            Column(key: "power_min_w", title: "MIN W", alignsRight: true) { Display.watts($0) },
            Column(key: "power_avg_w", title: "AVG W", alignsRight: true) { Display.watts($0) },
            Column(key: "power_max_w", title: "MAX W", alignsRight: true) { Display.watts($0) },
        ]
    }

    /// What a person wants to see of it: no phases beside a total, no column that says nothing.
    static func view(_ all: [JSONValue], _ by: UsageBy, allChannels: Bool) -> TableView {
        let rows = allChannels ? all : totals(all)
        let currencies = Set(rows.map { Column.machine($0.member("currency")) }).subtracting([""])
        let columns = columns(by).compactMap { column -> Column? in
            var column = column
            switch column.key {
            case "to": return nil
            case "produced_wh", "charged_wh", "discharged_wh", "self_consumption", "autarky":
                return rows.contains { $0.member(column.key)?.isNull == false } ? column : nil
            case "power_min_w", "power_avg_w", "power_max_w":
                // Of a day or longer they are for files.
                return by == .slot || by == .hour ? rows.contains { $0.member(column.key) != nil } ? column : nil : nil
            case "estimated_wh": return rows.say(column.key) ? column : nil
            case "channel": return rows.allSatisfy { channel($0) == "total" } ? nil : column
            case "currency": return currencies.count > 1 ? column : nil
            case "cost":
                if currencies.count == 1, let currency = currencies.first { column.title += " " + currency }
            case "from": column.display = clock(rows, column.display)
            default: break
            }
            return column
        }
        return TableView(columns: columns, rows: rows)
    }

    /// The rows of a device's total, where it has one; else those of all its channels.
    private static func totals(_ rows: [JSONValue]) -> [JSONValue] {
        let haveTotal = Set(rows.filter { channel($0) == "total" }.map { Column.machine($0.member("device")) })
        return rows.filter { row in
            channel(row) == "total" || !haveTotal.contains(Column.machine(row.member("device")))
        }
    }

    private static func channel(_ row: JSONValue) -> String { Column.machine(row.member("channel")) }

    /// The local clock, with its offset only where two instants would look the same, as in the hour that autumn
    /// repeats.
    private static func clock(
        _ rows: [JSONValue], _ display: @escaping @Sendable (JSONValue?) -> String
    ) -> @Sendable (JSONValue?) -> String {
        var texts: [String: Set<String>] = [:]
        for row in rows {
            let from = row.member("from")
            texts[display(from), default: []].insert(Column.machine(from))
        }
        let repeated = Set(texts.filter { $0.value.count > 1 }.keys)
        return { value in
            let text = display(value)
            guard repeated.contains(text) else { return text }
            let instant = Column.machine(value)
            return text + " " + (instant.hasSuffix("Z") ? "Z" : String(instant.suffix(6)))
        }
    }
}
