import ArgumentParser
import JSONScanner
import Timekeeping

/// How usage is summed.
enum UsageBy: String, ExpressibleByArgument, CaseIterable {
    case slot, hour, day, week, month, bill, year
}

struct UsageCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "usage",
        abstract: "Shows energy and cost by slot of 15 minutes, hour, local day, week, month, billing period or year.",
        discussion: """
            home is the whole home, from its grid meter; unmetered is what no device of its own explains. A - means \
            not known, which is not zero. COVERAGE is the measured share of the period, and QUALITY sums it up: \
            measured, estimated (filled over a gap, the total exact), partial, missing.

            Without --since: today by slot and hour, the last 7 days by day, 8 weeks, 12 months or billing periods, \
            5 years. Times are the home's, with their offset where a clock time comes twice. COST is energy with its \
            levies and taxes, less what export is paid; standing charges are in energyctl bill. MIN, AVG and MAX W are \
            what the power was, of readings in the period; JSON and CSV have them of longer periods too.

              energyctl usage --by hour --since -24h --device home
              energyctl usage --by month -o csv
              energyctl usage --chart
              energyctl usage compare --this month --to last-year
            """, subcommands: [UsageCompareCommand.self])

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var output: OutputOptions

    @Option(help: "Sum by slot, hour, day, week, month, bill (billing period) or year.") var by: UsageBy = .day
    @Option(parsing: .unconditional, help: "From here on: RFC 3339, or a span such as -24h.") var since: String?
    @Option(parsing: .unconditional, help: "Up to here, not including it.") var until: String?
    @Option(help: "Only this device; home and unmetered are devices here.") var device: String?
    @Flag(help: "Show phases and outputs too where a device has a total (CSV and JSON always have all).")
    var allChannels = false
    @Flag(help: "Draw bars as wide as the terminal in place of the table: of home, or of --device.")
    var chart = false

    func validate() throws {
        if chart, output.output != .table { throw ValidationError("--chart does not go with -o \(output.output)") }
    }

    func run() throws {
        let now = SystemClock().now().wall
        let bytes = try DaemonClient(connection).get(
            "/v1/usage",
            [
                ("by", by.rawValue), ("device", device),
                ("since", try TimeArgument.timestamp(since, option: "--since", now: now)?.rfc3339()),
                ("until", try TimeArgument.timestamp(until, option: "--until", now: now)?.rfc3339()),
            ])
        if chart {
            let rows = Array(try JSONDocument(answer: bytes).root.elements)
            guard !rows.isEmpty else {
                return Terminal.complain(raw: "No usage in that span yet: a counter needs two readings.")
            }
            return Terminal.write(UsageChart(by: by, device: device ?? "home", width: Terminal.width).draw(rows))
        }
        try output.output.print(
            bytes, columns: UsageListing.columns(by), noHeaders: output.noHeaders,
            emptyMessage: "No usage in that span yet: a counter needs two readings, 15 minutes make a slot.",
            view: { UsageListing.view($0, by, allChannels: allChannels) })
    }
}
