import ArgumentParser
import JSONScanner
import Timekeeping

struct BillCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bill", abstract: "Shows what billing periods cost, line by line, as a supplier's bill does.",
        discussion: """
            A bill is worked out anew each time, from the slots and the tariffs of the configuration: a price that is \
            corrected there corrects the past. home.billing_day says on which day of the month a period begins.
            """,
        subcommands: [List.self, Show.self], defaultSubcommand: List.self)

    struct List: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "list", abstract: "Lists bills, by default of the last twelve periods.",
            discussion: "  energyctl bill list --since 2026-01-01T00:00:00+01:00 -o csv")

        @OptionGroup var connection: ConnectionOptions
        @OptionGroup var output: OutputOptions
        @Option(parsing: .unconditional, help: "Periods from here on: RFC 3339, or a span such as -90d.")
        var since: String?
        @Option(parsing: .unconditional, help: "Periods up to here.") var until: String?

        func run() throws {
            let now = SystemClock().now().wall
            let bytes = try DaemonClient(connection).get(
                "/v1/bills",
                [
                    ("since", try TimeArgument.timestamp(since, option: "--since", now: now)?.rfc3339()),
                    ("until", try TimeArgument.timestamp(until, option: "--until", now: now)?.rfc3339()),
                ])
            try output.output.print(
                bytes, columns: BillListing.columns, noHeaders: output.noHeaders,
                emptyMessage: "No bills: nothing was measured in that span, or no tariff is configured ([[tariff]]).",
                view: BillListing.view)
        }
    }

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show", abstract: "Shows one bill with its lines, by default the running one.",
            discussion: """
                  energyctl bill show 2026-03       the period that begins in March 2026
                  energyctl bill show 2026-03-20    the period that this day is in
                """)

        @OptionGroup var connection: ConnectionOptions
        @OptionGroup var output: OutputOptions
        @Argument(help: "A month, or a day of the period.") var period: String?
        @Option(help: "As it would be under this tariff of the configuration.") var tariff: String?

        func run() throws {
            let bytes = try DaemonClient(connection).get("/v1/bills", try span() + [("tariff", tariff)])
            let all = Array(try JSONDocument(answer: bytes).root.elements)
            let bills = period == nil ? all.suffix(1) : all.filter(isMeant)
            guard !bills.isEmpty else {
                throw Failure(
                    .notFound, "there is no bill of \(period ?? "the running period"): nothing was measured in it")
            }
            switch output.output {
            case .json:
                Terminal.write(
                    "[\n" + bills.map { String(decoding: $0.text, as: UTF8.self) }.joined(separator: ",\n") + "\n]\n")
            case .csv:
                let keys = ["kind", "label", "quantity", "unit", "price", "amount"]
                if !output.noHeaders { Terminal.write(CSV.line(["from", "to"] + keys)) }
                for bill in bills {
                    let span = ["from", "to"].map { Column.machine(bill.member($0)) }
                    for line in bill["lines"].map({ Array($0.elements) }) ?? [] {
                        Terminal.write(CSV.line(span + keys.map { Column.machine(line.member($0)) }))
                    }
                }
            case .table: Terminal.write(bills.map(BillListing.text).joined(separator: "\n"))
            }
        }

        /// Wide enough for any zone; `isMeant` picks.
        private func span() throws -> [(String, String?)] {
            guard let period else { return [] }
            guard let day = CivilDate(period) ?? LocalMonth(period)?.firstDay else {
                throw Failure(.usage, "\(period) is neither a month such as 2026-03 nor a day such as 2026-03-20")
            }
            func instant(_ day: CivilDate) -> String { Timestamp(seconds: day.daysSinceEpoch * 86_400).rfc3339() }
            return [("since", instant(day.adding(days: -2))), ("until", instant(day.adding(days: 33)))]
        }

        private func isMeant(_ bill: JSONValue) -> Bool {
            let from = Display.time(bill["from"], to: 10)
            guard let period, CivilDate(period) != nil else { return from.hasPrefix(period ?? "") }
            return from <= period && period < Display.time(bill["to"], to: 10)
        }
    }
}
