import ArgumentParser
import JSONScanner

struct UsageCompareCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "compare",
        abstract: "Shows a running day, week, month, billing period or year beside another one.",
        discussion: """
            As much of the other period is taken as has passed of this one: the same days, up to the same time. A week \
            is compared to one of the same days of the week, 52 weeks ago for last-year.

              energyctl usage compare --this month --to last-year
              energyctl usage compare --this week
            """)

    enum Span: String, ExpressibleByArgument, CaseIterable {
        case day, week, month, bill, year
    }

    enum Other: String, ExpressibleByArgument, CaseIterable {
        case previous
        case lastWeek = "last-week"
        case lastMonth = "last-month"
        case lastYear = "last-year"
    }

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var output: OutputOptions

    @Option(help: "The running day, week, month, bill (billing period) or year.") var this: Span = .month
    @Option(help: "The previous one, or that of last-week, last-month, last-year.") var to: Other = .previous
    @Option(help: "Only this device; home and unmetered are devices here.") var device: String?

    func run() throws {
        let bytes = try DaemonClient(connection).get(
            "/v1/usage/compare", [("this", this.rawValue), ("to", to.rawValue), ("device", device)])
        try output.output.print(
            bytes, columns: UsageCompareCommand.columns, noHeaders: output.noHeaders,
            emptyMessage: "No usage in either span yet.", view: view)
    }

    /// The spans stand in a line above; the table has what differs.
    private func view(_ all: [JSONValue]) -> TableView {
        let totals = all.filter { Column.machine($0.member("channel")) == "total" }
        let rows = totals.isEmpty ? all : totals
        func span(_ from: String, _ to: String) -> String {
            let row = rows.first { $0.member(from)?.isNull == false }
            return "\(Display.time(row?.member(from), to: 16)) – \(Display.time(row?.member(to), to: 16))"
        }
        if output.output == .table, !output.noHeaders {
            Terminal.write("this   \(span("from", "to"))\nother  \(span("other_from", "other_to"))\n\n")
        }
        let hidden: Set<String> = ["from", "to", "other_from", "other_to", "channel"]
        let columns = UsageCompareCommand.columns.filter { column in
            if hidden.contains(column.key) { return false }
            let isExport = column.key == "export_wh" || column.key == "other_export_wh"
            return !isExport || rows.say("export_wh") || rows.say("other_export_wh")
        }
        return TableView(columns: columns, rows: rows)
    }

    private static let columns = [
        Column(key: "device", title: "DEVICE"),
        Column(key: "channel", title: "CHANNEL"),
        Column(key: "from", title: "FROM") { Display.time($0, to: 16) },
        Column(key: "to", title: "TO") { Display.time($0, to: 16) },
        Column(key: "import_wh", title: "THIS kWh", alignsRight: true) { Display.kilowattHours($0) },
        Column(key: "other_from", title: "OTHER FROM") { Display.time($0, to: 16) },
        Column(key: "other_to", title: "OTHER TO") { Display.time($0, to: 16) },
        Column(key: "other_import_wh", title: "OTHER kWh", alignsRight: true) { Display.kilowattHours($0) },
        Column(key: "change_percent", title: "CHANGE", alignsRight: true) { value in
            let text = Column.plain(value)
            return text == "-" ? text : (text.hasPrefix("-") ? text : "+" + text) + " %"
        },
        Column(key: "export_wh", title: "THIS OUT kWh", alignsRight: true) { Display.kilowattHours($0) },
        Column(key: "other_export_wh", title: "OTHER OUT kWh", alignsRight: true) { Display.kilowattHours($0) },
        Column(key: "cost", title: "THIS COST", alignsRight: true) { Display.money($0) },
        Column(key: "other_cost", title: "OTHER COST", alignsRight: true) { Display.money($0) },
        Column(key: "currency", title: "CURRENCY"),
        Column(key: "coverage", title: "COVERAGE", alignsRight: true) { Display.percent($0) },
        Column(key: "other_coverage", title: "OTHER COVERAGE", alignsRight: true) { Display.percent($0) },
    ]
}
