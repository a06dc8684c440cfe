import ArgumentParser
import JSONScanner
import Timekeeping

struct TariffPricesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "prices", abstract: "Shows price lists for dynamic tariffs, and imports prices.",
        discussion: """
            Lists that [[prices]] tables name are read by the daemon itself, others are imported. Prices become \
            records of the log, so that a replay finds those that there were.
            """,
        subcommands: [Show.self, Import.self], defaultSubcommand: Show.self)

    struct Show: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "show", abstract: "Lists the price lists, or the prices of one from today on.",
            discussion: """
                  energyctl tariff prices
                  energyctl tariff prices show spot --since -24h
                """)

        @OptionGroup var connection: ConnectionOptions
        @OptionGroup var output: OutputOptions
        @Argument(help: "Name of a list.") var list: String?
        @Option(parsing: .unconditional, help: "From here on: RFC 3339, or a span such as -24h.") var since: String?
        @Option(parsing: .unconditional, help: "Up to here.") var until: String?

        func run() throws {
            let now = SystemClock().now().wall
            let bytes = try DaemonClient(connection).get(
                "/v1/prices",
                [
                    ("list", list),
                    ("since", try TimeArgument.timestamp(since, option: "--since", now: now)?.rfc3339()),
                    ("until", try TimeArgument.timestamp(until, option: "--until", now: now)?.rfc3339()),
                ])
            try output.output.print(
                bytes, columns: list == nil ? Show.lists : Show.prices, noHeaders: output.noHeaders,
                emptyMessage: list.map { "No price of \($0) is known in that span." }
                    ?? "No price list is known; energyctl tariff prices import adds one.")
        }

        private static let lists = [
            Column(key: "name", title: "LIST"),
            Column(key: "currency", title: "CURRENCY"),
            Column(key: "from", title: "FROM (UTC)") { Display.time($0, to: 16) },
            Column(key: "to", title: "TO (UTC)") { Display.time($0, to: 16) },
            Column(key: "state", title: "STATE"),
            Column(key: "place", title: "PLACE"),
        ]

        private static let prices = [
            Column(key: "from", title: "FROM") { Display.time($0, to: 16) },
            Column(key: "to", title: "TO") { Display.time($0, to: 16) },
            Column(key: "price", title: "PRICE PER kWh", alignsRight: true),
            Column(key: "currency", title: "CURRENCY"),
        ]
    }

    struct Import: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "import", abstract: "Takes prices in from a file of CSV or JSON.",
            discussion: """
                CSV has a line of titles; JSON is a list of objects, two lists of one length, or an object whose keys \
                are times, as exchanges and suppliers write them. Times are RFC 3339, seconds or milliseconds since \
                1970, or local. FILE - is stdin. What says nothing new is not written again.

                  energyctl tariff prices import prices.csv --list spot
                  curl -s https://example.org/prices | energyctl tariff prices import - --list spot --per MWh
                """)

        @OptionGroup var connection: ConnectionOptions
        @OptionGroup var output: OutputOptions
        @Argument(help: "The file.") var file: String
        @Option(help: "The list that the prices belong to.") var list: String
        @Option(help: "A code such as EUR; default: the list's, or the tariff's.") var currency: String?
        @Option(help: "The column or member with the start of each price.") var time: String?
        @Option(help: "The column or member with the price.") var price: String?
        @Option(help: "What a price is for: kWh, MWh or ct/kWh.") var per: String?

        private static let maximum = 8 << 20

        func run() throws {
            let text = try WholeFile.read(file, maximum: Import.maximum + 1)
            let bytes = try DaemonClient(connection).post(
                "/v1/prices",
                [("list", list), ("currency", currency), ("time", time), ("price", price), ("per", per)], body: text)
            let answer = try JSONDocument(answer: bytes).root
            switch output.output {
            case .json: Terminal.write(bytes + [0x0A])
            case .csv:
                let keys = ["list", "prices", "new", "from", "to"]
                if !output.noHeaders { Terminal.write(CSV.line(keys)) }
                Terminal.write(CSV.line(keys.map { Column.machine(answer.member($0)) }))
            case .table:
                Terminal.write(
                    "\(Column.plain(answer["prices"])) prices of \(list), \(Column.plain(answer["new"])) of them new, "
                        + "from \(Column.plain(answer["from"])) to \(Column.plain(answer["to"]))\n")
            }
        }
    }
}
