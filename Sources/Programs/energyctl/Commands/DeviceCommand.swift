import ArgumentParser
import Timekeeping

struct DeviceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "device", abstract: "Tells energyd what happened to a device.",
        subcommands: [DeviceReplaceCommand.self])
}

struct DeviceReplaceCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replace", abstract: "Says that a meter was exchanged: its counters begin anew.",
        discussion: """
            The name, history and place in the home stay; the step between the two registers is no energy. Where the \
            last value of the old register and the first of the new one are known (in Wh, as on the protocol of \
            whoever exchanged it), what flowed in between is booked too.

              energyctl device replace meter
              energyctl device replace meter --at 2026-03-01T09:30:00Z --last 48210500 --first 0 --preview
            """)

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var output: OutputOptions
    @Argument(help: "The device's name.") var device: String
    @Option(parsing: .unconditional, help: "When: RFC 3339, or a span such as -2h; else now.") var at: String?
    @Option(help: "The old register's end, Wh.") var last: String?
    @Option(help: "The new register's start, Wh.") var first: String?
    @Option(help: "Only this channel.") var channel: String?
    @Option(help: "Only this register, such as energy_import.") var quantity: String?
    @OptionGroup var decision: DecisionOptions

    func run() throws {
        let now = SystemClock().now().wall
        let at = try TimeArgument.timestamp(at, option: "--at", now: now) ?? now
        let bytes = try DaemonClient(connection).post(
            "/v1/devices/replace", [("preview", decision.preview ? "true" : nil)],
            body: [
                ("device", device), ("at", at.rfc3339()), ("last", last), ("first", first), ("channel", channel),
                ("quantity", quantity), ("reason", decision.reason), ("actor", DecisionOptions.actor),
            ])
        try EffectListing.print(bytes, output)
    }
}
