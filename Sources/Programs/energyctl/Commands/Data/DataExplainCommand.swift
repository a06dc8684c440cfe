import ArgumentParser
import JSONScanner
import Timekeeping

struct DataExplainCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "explain", abstract: "Shows all that is known about a counter around an instant.",
        discussion: """
            The readings before and after, each decision about them and by which rule, the corrections in that hour, \
            and what was booked in the slots around. SERIES is device/channel/quantity, or as much of it as is plain.

              energyctl data explain washer 2026-03-01T10:25:00Z
              energyctl data explain meter/total/energy_export -2h
            """)

    @OptionGroup var connection: ConnectionOptions
    @Option(name: [.customShort("o"), .long], help: "How to print the answer: table or json.")
    var output: OutputFormat = .table

    @Argument(help: "device, device/channel or device/channel/quantity.") var series: String
    @Argument(help: "The instant: RFC 3339, or a span such as -2h.") var time: String

    func run() throws {
        guard output != .csv else { throw Failure(.usage, "an explanation is several lists: -o json has them all") }
        let now = SystemClock().now().wall
        let bytes = try DaemonClient(connection).get(
            "/v1/data/explain",
            [
                ("series", series), ("time", try TimeArgument.timestamp(time, option: "TIME", now: now)?.rfc3339()),
            ])
        if output == .json { return Terminal.write(bytes + [0x0A]) }
        let root = try JSONDocument(answer: bytes).root
        Terminal.write(Terminal.bold(Column.plain(root["series"])) + " around " + Column.plain(root["time"]) + "\n")
        try list(
            root["readings"], "No readings in that hour.",
            [
                Column(key: "time", title: "READ AT (UTC)") { Display.milliseconds($0) },
                Column(key: "value", title: "VALUE", alignsRight: true), Column(key: "unit", title: "UNIT"),
            ])
        try list(root["decisions"], "Nothing was decided about them: the counter only rose.", DecisionListing.columns)
        try list(root["commands"], "Nobody corrected anything here.", DataAuditCommand.columns)
        try list(
            root["slots"], "Nothing is booked here.",
            [
                Column(key: "from", title: "SLOT (UTC)") { Display.time($0, to: 16) },
                Column(key: "flow", title: "FLOW"),
                Column(key: "wh", title: "BOOKED Wh", alignsRight: true) { Display.thousandths($0) },
                Column(key: "quality", title: "QUALITY"),
            ])
    }

    private func list(_ value: JSONValue?, _ emptyMessage: String, _ columns: [Column]) throws {
        Terminal.write("\n")
        let rows = value.map { Array($0.elements) } ?? []
        guard !rows.isEmpty else { return Terminal.write(emptyMessage + "\n") }
        var table = Table(columns.map { Table.Column(title: $0.title, alignsRight: $0.alignsRight) })
        for row in rows { table.append(columns.map { $0.cell(of: row) }) }
        Terminal.write(table.render())
    }
}
