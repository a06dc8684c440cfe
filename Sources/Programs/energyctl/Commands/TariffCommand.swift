import ArgumentParser
import JSONScanner
import Timekeeping

struct TariffCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "tariff", abstract: "Shows what energy costs, compares tariffs on one's own past, imports prices.",
        subcommands: [List.self, Show.self, TariffCompareCommand.self, TariffPricesCommand.self],
        defaultSubcommand: List.self)

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "Lists the versions of the tariffs, and candidates for a comparison.",
            discussion: """
                Tariffs are [[tariff]] tables of the configuration. The one in force has a * before it.

                  energyctl tariff list
                """)

        @OptionGroup var connection: ConnectionOptions
        @OptionGroup var output: OutputOptions

        func run() throws {
            let bytes = try DaemonClient(connection).get("/v1/tariffs")
            try output.output.print(
                bytes, columns: TariffCommand.columns, noHeaders: output.noHeaders,
                emptyMessage: "No tariff is configured; [[tariff]] in energyd.toml says what energy costs.",
                view: { TableView(columns: TariffCommand.columns.filter { $0.key != "candidate" }, rows: $0) })
        }
    }

    private static let columns = [
        Column(key: "in_force", title: " ") { Column.machine($0) == "true" ? "*" : "" },
        Column(key: "name", title: "TARIFF"),
        Column(key: "model", title: "MODEL"),
        Column(key: "valid_from", title: "FROM") { Display.time($0, to: 16) },
        Column(key: "valid_to", title: "TO") { Display.time($0, to: 16) },
        Column(key: "import", title: "IMPORT", alignsRight: true),
        Column(key: "export", title: "EXPORT", alignsRight: true),
        Column(key: "currency", title: "CURRENCY"),
        Column(key: "candidate", title: "CANDIDATE"),
    ]

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show", abstract: "Shows all that a tariff says, by default the one in force.",
            discussion: "  energyctl tariff show basic")

        @OptionGroup var connection: ConnectionOptions
        @OptionGroup var output: OutputOptions
        @Argument(help: "Its name.") var name: String?

        func run() throws {
            let bytes = try DaemonClient(connection).get("/v1/tariffs")
            let all = Array(try JSONDocument(answer: bytes).root.elements)
            let rows = all.filter { row in
                guard let name else { return Column.machine(row["in_force"]) == "true" }
                return Column.machine(row["name"]) == name
            }
            guard !rows.isEmpty else {
                let names = Set(all.map { Column.machine($0["name"]) }).sorted().joined(separator: ", ")
                throw Failure(
                    .notFound,
                    name.map { "no tariff is called \($0); there are \(names.isEmpty ? "none" : names)" }
                        ?? "no tariff is in force now; energyctl tariff list shows all")
            }
            switch output.output {
            case .json:
                let lines = rows.map { String(decoding: $0.text, as: UTF8.self) }
                Terminal.write("[\n" + lines.joined(separator: ",\n") + "\n]\n")
            case .csv:
                if !output.noHeaders { Terminal.write(CSV.line(["tariff", "key", "value"])) }
                for row in rows {
                    for (key, value) in TariffText.lines(row) {
                        Terminal.write(CSV.line([Column.machine(row["name"]), key, value]))
                    }
                }
            case .table: Terminal.write(rows.map(TariffText.text).joined(separator: "\n"))
            }
        }
    }
}

/// A tariff as a person reads it.
enum TariffText {
    static func text(_ tariff: JSONValue) -> String {
        let state = Column.machine(tariff["in_force"]) == "true" ? ", in force" : ""
        let name = Terminal.visible(Column.plain(tariff["name"]))
        var table = Table([.init(title: ""), .init(title: "")])
        for (key, value) in lines(tariff) { table.append([key, value]) }
        return Terminal.bold("\(name), \(Column.plain(tariff["model"]))\(state)") + "\n" + table.render(noHeaders: true)
    }

    /// What it says, one thing a line; what it does not say is left out.
    static func lines(_ tariff: JSONValue) -> [(String, String)] {
        let currency = Column.plain(tariff["currency"])
        var lines: [(String, String)] = []
        func add(_ key: String, _ value: String) { lines.append((key, value)) }
        func text(_ value: JSONValue?) -> String? { value.flatMap { $0.isNull ? nil : Column.machine($0) } }
        func each(_ key: StaticString, _ body: (JSONValue) -> Void) { tariff[key]?.elements.forEach(body) }
        let candidate = Column.machine(tariff["candidate"]) == "true"
        let to = text(tariff["valid_to"]).map { " to \($0)" } ?? ""
        add(
            "valid",
            candidate ? "candidate, not in force" : "from \(text(tariff["valid_from"]) ?? "the beginning")\(to)")
        if let price = text(tariff["import"]) { add("import", "\(price) \(currency)/kWh") }
        each("windows") { window in
            let prices = [("import", window["import"]), ("export", window["export"])].compactMap { name, value in
                text(value).map { "\(name) \($0)" }
            }
            add(
                "window \(text(window["name"]) ?? "")",
                "\(prices.joined(separator: ", ")): \(Column.plain(window["when"]))")
        }
        each("tiers") { tier in
            let border = text(tier["up_to_kwh"]).map { "up to \($0) kWh a \(Column.plain(tariff["tiers_per"]))" }
            add("tier", "\(Column.plain(tier["price"])) \(currency)/kWh \(border ?? "beyond")")
        }
        for (key, value) in [("dynamic", tariff["dynamic"]), ("feed-in", tariff["feed_in"])] {
            guard let value else { continue }
            add(
                key,
                "\(Column.plain(value["factor"])) × \(Column.plain(value["prices"])) + "
                    + "\(Column.plain(value["surcharge"])) \(currency)/kWh")
        }
        if let price = text(tariff["export"]) { add("export", "\(price) \(currency)/kWh") }
        if text(tariff["when_negative"]) == "zero" {
            add("negative", "nothing is paid while \(text(tariff["negative_in"]) ?? "the price") is negative")
        }
        each("standing") { charge in
            add(
                "standing",
                "\(Column.plain(charge["amount"])) \(currency)/\(Column.plain(charge["per"])) "
                    + (text(charge["name"]) ?? ""))
        }
        each("demand") { charge in
            add(
                "demand",
                "\(Column.plain(charge["price"])) \(currency)/kW/\(Column.plain(charge["per"])): "
                    + Column.plain(charge["when"]))
        }
        each("levies") { levy in
            let amount = text(levy["per_kwh"]).map { "\($0) \(currency)/kWh: \(Column.plain(levy["when"]))" }
            let rate = text(levy["percent"]).map { "\($0) % of \(Column.plain(levy["on"]))" }
            add("levy \(Column.plain(levy["name"]))", amount ?? rate ?? "-")
        }
        if let days = text(tariff["holidays"]) { add("holidays", days) }
        add("rounding", Column.plain(tariff["rounding"]))
        return lines
    }
}
