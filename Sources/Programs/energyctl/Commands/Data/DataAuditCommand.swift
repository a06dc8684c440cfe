import ArgumentParser
import JSONScanner

struct DataAuditCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "audit", abstract: "Lists who corrected what, and when.",
        discussion: """
            The newest stands first. What was undone does not count any more.

              energyctl data audit -o csv
            """)

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var output: OutputOptions
    @Option(help: "At most this many.") var limit = 100

    func run() throws {
        let bytes = try DaemonClient(connection).get("/v1/data/audit", [("limit", String(limit))])
        try output.output.print(
            bytes, columns: DataAuditCommand.columns, noHeaders: output.noHeaders,
            emptyMessage: "Nobody has corrected anything yet."
        ) { rows in
            TableView(
                columns: DataAuditCommand.columns.filter {
                    $0.key != "reason" || rows.contains { $0["reason"]?.isNull == false }
                }, rows: rows)
        }
    }

    static let columns = [
        Column(key: "time", title: "DECIDED (UTC)") { Display.time($0) },
        Column(key: "actor", title: "BY"),
        Column(key: "command", title: "COMMAND"),
        Column(key: "target", title: "TARGET"),
        Column(key: "from", title: "FROM") { Display.time($0) },
        Column(key: "to", title: "TO") { Display.time($0) },
        Column(key: "action", title: "ACTION"),
        Column(key: "active", title: "COUNTS") { $0?.bool == true ? "yes" : "undone" },
        Column(key: "reason", title: "REASON"),
        Column(key: "id", title: "ID"),
    ]
}
