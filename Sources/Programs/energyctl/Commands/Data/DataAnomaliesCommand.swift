import ArgumentParser
import JSONScanner
import Timekeeping

struct DataAnomaliesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "anomalies", abstract: "Lists what was decided about counters that did not simply rise.",
        discussion: """
            quarantined: more than the device can carry, not booked. new_segment: such a level held, the step is not \
            booked. reset: a fall that held. suspect: a fall that waits; cancelled: it came to nothing. late: worked \
            out again. corrected: by a person. Noise of a display (jitter) and registers that passed their end \
            (rollover) are shown with --all.

              energyctl data anomalies --since -7d --device washer
            """)

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var output: OutputOptions

    @Option(parsing: .unconditional, help: "From here on: RFC 3339, or a span such as -24h.") var since = "-30d"
    @Option(parsing: .unconditional, help: "Up to here, not including it.") var until: String?
    @Option(help: "Only this device.") var device: String?
    @Flag(help: "Also what needs nobody's eye.") var all = false

    func run() throws {
        let now = SystemClock().now().wall
        let bytes = try DaemonClient(connection).get(
            "/v1/data/anomalies",
            [
                ("device", device),
                ("since", try TimeArgument.timestamp(since, option: "--since", now: now)?.rfc3339()),
                ("until", try TimeArgument.timestamp(until, option: "--until", now: now)?.rfc3339()),
            ])
        let all = all
        try output.output.print(
            bytes, columns: DecisionListing.columns, noHeaders: output.noHeaders,
            emptyMessage: "No anomalies in that span: every counter only rose, and plausibly."
        ) { rows in
            let quiet: Set<String> = ["jitter", "rollover"]
            let shown = rows.filter { all || !quiet.contains(Column.machine($0["decision"])) }
            return TableView(columns: DecisionListing.columns, rows: shown)
        }
    }
}

/// How decisions about counters are listed: the same from the daemon and from a replay.
enum DecisionListing {
    static let columns = [
        Column(key: "time", title: "TIME (UTC)") { Display.milliseconds($0) },
        Column(key: "series", title: "SERIES"),
        Column(key: "decision", title: "DECISION"),
        Column(key: "from", title: "FROM", alignsRight: true),
        Column(key: "to", title: "TO", alignsRight: true),
        Column(key: "rule", title: "RULE"),
    ]
}
