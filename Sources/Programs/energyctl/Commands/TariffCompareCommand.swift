import ArgumentParser
import JSONScanner
import JSONText
import Metering
import Timekeeping

struct TariffCompareCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare", abstract: "Says what one's own past would have cost under other tariffs.",
        discussion: """
            Each candidate prices the same slots, bill by bill, as if it had always been in force. A candidate is the \
            name of a [[tariff]] of the configuration, also one with candidate = true, or a file of [[tariff]] tables \
            (with a . or / in its name). Whole billing periods are compared: from the one that --since is in. Without \
            candidates: all tariffs of the configuration.

              energyctl tariff compare basic night-saver --since -365d
              energyctl tariff compare ./dynamic.toml
            """)

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var output: OutputOptions
    @Argument(help: "Names of tariffs, or files.") var candidates: [String] = []
    @Option(parsing: .unconditional, help: "From here on: RFC 3339, or a span such as -365d; default: a year.")
    var since: String?
    @Option(parsing: .unconditional, help: "Up to here.") var until: String?

    /// What one candidate makes of one billing period.
    private struct Cell {
        var total: Decimal
        var currency: String
        var unpriced: Bool
    }

    func run() throws {
        let now = SystemClock().now().wall
        let client = try DaemonClient(connection)
        let span = [
            ("since", try TimeArgument.timestamp(since, option: "--since", now: now)?.rfc3339()),
            ("until", try TimeArgument.timestamp(until, option: "--until", now: now)?.rfc3339()),
        ]
        let names = try candidates.isEmpty ? configured(client) : candidates
        // What was paid stands first, where tariffs changed in the span.
        var columns: [(name: String, bills: [String: Cell])] = [
            ("in force", try bills(client.get("/v1/bills", span)))
        ]
        for name in names {
            let isFile = name.contains("/") || name.contains(".")
            let answer =
                try isFile
                ? client.post("/v1/bills", span + [("file", name)], body: WholeFile.read(name, maximum: (1 << 20) + 1))
                : client.get("/v1/bills", span + [("tariff", name)])
            columns.append((name, try bills(answer)))
        }
        let periods = Set(columns.flatMap { $0.bills.keys }).sorted()
        guard !periods.isEmpty else {
            return Terminal.complain(
                raw: "No bills to compare: nothing was measured in that span, or no price is known.")
        }
        print(columns, periods)
        if columns.contains(where: { $0.bills.values.contains(where: \.unpriced) }) {
            Terminal.complain("some energy has no price in a list (* in the table); its cost is not in the totals")
        }
    }

    private func configured(_ client: DaemonClient) throws -> [String] {
        var names: [String] = []
        for row in try JSONDocument(answer: client.get("/v1/tariffs")).root.elements {
            let name = Column.machine(row["name"])
            if !names.contains(name) { names.append(name) }
        }
        return names
    }

    private func bills(_ bytes: [UInt8]) throws -> [String: Cell] {
        var cells: [String: Cell] = [:]
        for bill in try JSONDocument(answer: bytes).root.elements {
            guard let from = bill["from"]?.string(), let total = bill["total"]?.string().flatMap({ Decimal(price: $0) })
            else { continue }
            let cell = Cell(
                total: total, currency: Column.machine(bill["currency"]), unpriced: bill["unpriced_import_wh"] != nil)
            // A period may have one bill a currency; the first is shown, and two are not added.
            if cells[from] == nil { cells[from] = cell }
        }
        return cells
    }

    private func print(_ columns: [(name: String, bills: [String: Cell])], _ periods: [String]) {
        let base = columns[0]
        let hasBase = !base.bills.isEmpty
        switch output.output {
        case .json: Terminal.write(json(columns, periods))
        case .csv:
            if !output.noHeaders { Terminal.write(CSV.line(["from", "tariff", "total", "difference", "currency"])) }
            for period in periods {
                for column in columns {
                    guard let cell = column.bills[period] else { continue }
                    Terminal.write(
                        CSV.line([
                            period, column.name, money(cell.total, cell.currency),
                            difference(cell, base.bills[period]), cell.currency,
                        ]))
                }
            }
        case .table:
            let shown = hasBase ? columns : Array(columns.dropFirst())
            let currency = shown.flatMap { $0.bills.values }.first?.currency ?? ""
            var table = Table(
                [.init(title: "BILL FROM")] + shown.map { .init(title: $0.name, alignsRight: true) })
            for period in periods {
                table.append([String(period.prefix(10))] + shown.map { text($0.bills[period]) })
            }
            // Only periods that all have: else the cheapest would be the one with the fewest.
            let common = periods.filter { period in shown.allSatisfy { $0.bills[period] != nil } }
            let totals = shown.map { column in common.reduce(Decimal.zero) { $0 + (column.bills[$1]?.total ?? .zero) } }
            // A total that lacks what some energy costs says nothing about which is cheaper.
            let lacking = shown.map { column in common.contains { column.bills[$0]?.unpriced == true } }
            table.append(
                ["total \(currency)"] + zip(totals, lacking).map { money($0, currency) + ($1 ? "*" : "") })
            let first = totals.first ?? .zero
            table.append(
                ["difference"]
                    + totals.enumerated().map { i, total in
                        i == 0 ? "" : lacking[i] || lacking[0] ? "-" : signed(total - first, currency)
                    })
            Terminal.write(table.render(noHeaders: output.noHeaders))
            if common.count < periods.count {
                Terminal.write("The total has the \(common.count) of \(periods.count) periods that all can price.\n")
            }
        }
    }

    private func json(_ columns: [(name: String, bills: [String: Cell])], _ periods: [String]) -> [UInt8] {
        var json = JSONWriter()
        json.array { json in
            for column in columns {
                for period in periods {
                    guard let cell = column.bills[period] else { continue }
                    json.object {
                        $0.field("tariff", text: column.name)
                        $0.field("from", text: period)
                        $0.field("total", text: money(cell.total, cell.currency))
                        $0.field("difference", text: difference(cell, columns[0].bills[period]))
                        $0.field("currency", text: cell.currency)
                        $0.field("complete", bool: !cell.unpriced)
                    }
                }
            }
        }
        return json.bytes + [0x0A]
    }

    private func text(_ cell: Cell?) -> String {
        guard let cell else { return "-" }
        return money(cell.total, cell.currency) + (cell.unpriced ? "*" : "")
    }

    private func difference(_ cell: Cell, _ base: Cell?) -> String {
        guard let base, base.currency == cell.currency else { return "" }
        return money(cell.total - base.total, cell.currency)
    }

    private func money(_ amount: Decimal, _ currency: String) -> String {
        let places = Currency(currency)?.places ?? 2
        return amount.text(places: places, minimum: places)
    }

    private func signed(_ amount: Decimal, _ currency: String) -> String {
        (amount > .zero ? "+" : "") + money(amount, currency)
    }
}
