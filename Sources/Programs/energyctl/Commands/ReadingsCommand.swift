import ArgumentParser
import JSONScanner
import Timekeeping

struct ReadingsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "readings",
        abstract: "Shows the newest reading of each series, a span of readings, or new ones live.",
        discussion: """
            Without --since and --follow: the newest reading of each series. Values are in the unit beside them; \
            energy counters are in Wh. Times are UTC.

              energyctl readings --device washer --since -2h
              energyctl readings --follow --quantity power
              energyctl readings --device washer --since -24h --step 15m
            """)

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var output: OutputOptions

    @Option(help: "Only this device.") var device: String?
    @Option(help: "Only this channel, such as total or l1.") var channel: String?
    @Option(help: "Only this quantity, such as power or energy_import.") var quantity: String?
    @Option(parsing: .unconditional, help: "From here on: RFC 3339, or a span such as -24h.") var since: String?
    @Option(parsing: .unconditional, help: "Up to here, not including it.") var until: String?
    @Option(help: "At most so many readings, the newest ones (default: 10000).") var limit: Int?
    @Option(help: "Minimum, average, maximum and last value of each step, such as 15m or 1h.") var step: String?
    @Flag(name: [.customShort("f"), .long], help: "Show readings as they come in, until Ctrl-C.") var follow = false

    static let columns = [
        Column(key: "time", title: "TIME (UTC)") { Display.milliseconds($0) },
        Column(key: "device", title: "DEVICE"),
        Column(key: "channel", title: "CHANNEL"),
        Column(key: "quantity", title: "QUANTITY"),
        Column(key: "value", title: "VALUE", alignsRight: true),
        Column(key: "unit", title: "UNIT"),
        Column(key: "flags", title: "FLAGS") { $0?.string() ?? "" },
    ]

    func validate() throws {
        if follow, since != nil || until != nil || limit != nil || step != nil {
            throw ValidationError(
                "--follow shows what comes from now on; --since, --until, --step and --limit do not go with it.")
        }
        if step != nil, since == nil {
            throw ValidationError("--step needs --since, as in --since -24h --step 15m.")
        }
        if until != nil, since == nil {
            throw ValidationError("--until needs --since.")
        }
    }

    func run() throws {
        let client = try DaemonClient(connection)
        let filter: [(String, String?)] = [("device", device), ("channel", channel), ("quantity", quantity)]
        if follow { return try follow(client, filter) }
        let now = SystemClock().now().wall
        let since = try TimeArgument.timestamp(since, option: "--since", now: now)
        let until = try TimeArgument.timestamp(until, option: "--until", now: now)
        if step != nil { return try printSteps(client, filter, since: since, until: until) }
        let bytes = try client.get(
            "/v1/readings",
            filter + [
                ("since", since?.rfc3339()), ("until", until?.rfc3339()), ("limit", limit.map(String.init)),
                ("latest", since == nil ? "1" : nil),
            ])
        try output.output.print(
            bytes, columns: ReadingsCommand.columns, noHeaders: output.noHeaders,
            emptyMessage: since == nil ? "No readings yet." : "No readings in that span.",
            view: { rows in
                let columns = ReadingsCommand.columns.filter { $0.key != "flags" || rows.say("flags") }
                return TableView(columns: columns, rows: rows)
            })
    }

    /// Fixed widths, because what will come is not known.
    private func follow(_ client: DaemonClient, _ filter: [(String, String?)]) throws {
        let widths = [23, 16, 8, 22, 14, 4, 0]
        func pad(_ cells: [String]) -> String {
            var line = zip(zip(cells, widths), ReadingsCommand.columns).map { cell, column in
                let space = String(repeating: " ", count: max(0, cell.1 - cell.0.count))
                return column.alignsRight ? space + cell.0 : cell.0 + space
            }.joined(separator: "  ")
            while line.last == " " { line.removeLast() }
            return line
        }
        var titles: String? = nil
        switch output.output {
        case .table where !output.noHeaders:
            titles = Terminal.bold(pad(ReadingsCommand.columns.map(\.title))) + "\n"
        case .csv where !output.noHeaders: titles = CSV.line(ReadingsCommand.columns.map(\.key))
        default: break
        }
        try client.follow("/v1/readings/follow", filter) { line in
            // Not before there is something under them: energyd may have refused.
            if let first = titles { Terminal.write(first) }
            titles = nil
            guard output.output != .json else { return Terminal.write(Array(line) + [0x0A]) }
            guard let row = try? JSONDocument(bytes: Array(line)).root else { return }
            if output.output == .csv {
                Terminal.write(CSV.line(ReadingsCommand.columns.map { Column.machine(row.member($0.key)) }))
            } else {
                Terminal.write(pad(ReadingsCommand.columns.map { Terminal.visible($0.cell(of: row)) }) + "\n")
            }
        }
        throw Failure(.unreachable, "energyd ended the stream")
    }
}
