import ArgumentParser
import JSONScanner
import Timekeeping

enum UsageBy: String, ExpressibleByArgument, CaseIterable {
    case slot, hour, day, month
}

struct UsageCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "usage", abstract: "Shows energy and cost by slot of 15 minutes, hour, local day or month.",
        discussion: """
            `home` is the whole home, from its grid meter; `unmetered` is what no device of its own explains.
            IMPORT and EXPORT are kWh; - means not known, which is not zero. QUALITY says how much was measured:
            measured, estimated (filled over a gap, the total exact), partial, missing.
            Without --since: today by slot and hour, the last 7 days by day, the last 12 months by month.
            """)

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var output: OutputOptions

    @Option(help: "Sum by slot, hour, day or month.") var by: UsageBy = .day
    @Option(parsing: .unconditional, help: "From here on: RFC 3339, or a span such as -24h.") var since: String?
    @Option(parsing: .unconditional, help: "Up to here, without it.") var until: String?
    @Option(help: "Only this device.") var device: String?

    func run() throws {
        let now = SystemClock().now().wall
        let bytes = try DaemonClient(connection).get(
            "/v1/usage",
            [
                ("by", by.rawValue), ("device", device),
                ("since", try TimeArgument.timestamp(since, option: "--since", now: now)?.rfc3339()),
                ("until", try TimeArgument.timestamp(until, option: "--until", now: now)?.rfc3339()),
            ])
        try output.output.print(
            bytes, columns: UsageCommand.columns(by), noHeaders: output.noHeaders,
            emptyMessage: "No usage in that span yet: a counter needs two readings, 15 minutes make a slot.")
    }

    static func columns(_ by: UsageBy) -> [Column] {
        let width =
            switch by {
            case .slot, .hour: 16
            case .day: 10
            case .month: 7
            }
        return [
            Column(key: "from", title: by.rawValue.uppercased()) { Display.time($0, to: width) },
            Column(key: "device", title: "DEVICE"),
            Column(key: "channel", title: "CHANNEL"),
            Column(key: "import_wh", title: "IMPORT kWh", alignsRight: true) { Display.kilowattHours($0) },
            Column(key: "export_wh", title: "EXPORT kWh", alignsRight: true) { Display.kilowattHours($0) },
            Column(key: "produced_wh", title: "PRODUCED kWh", alignsRight: true) { Display.kilowattHours($0) },
            Column(key: "cost", title: "COST", alignsRight: true) { Display.money($0) },
            Column(key: "currency", title: "CURRENCY"),
            Column(key: "coverage", title: "COVERAGE", alignsRight: true) { Display.percent($0) },
            Column(key: "estimated_wh", title: "ESTIMATED kWh", alignsRight: true) { Display.kilowattHours($0) },
            Column(key: "quality", title: "QUALITY"),
        ]
    }
}
