import ArgumentParser
import JSONScanner
import Timekeeping

struct DevicesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "devices", abstract: "Lists plugs, meters and inverters with what they last said.",
        discussion: "REJECTED counts messages that could not be read; ERROR says why the last one could not.")

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        let bytes = try DaemonClient(connection).get("/v1/devices")
        let now = SystemClock().now().wall
        var columns = [
            Column(key: "device", title: "DEVICE"),
            Column(key: "role", title: "ROLE"),
            Column(key: "family", title: "FAMILY"),
            Column(key: "model", title: "MODEL"),
            Column(key: "available", title: "AVAILABLE") { value in
                value?.bool.map { $0 ? "yes" : "no" } ?? "-"
            },
            Column(key: "last_seen", title: "LAST SEEN") { Display.age($0, now: now) },
            Column(key: "power_w", title: "POWER W", alignsRight: true),
            Column(key: "messages", title: "MESSAGES", alignsRight: true),
            Column(key: "rejected", title: "REJECTED", alignsRight: true),
            Column(key: "bindings", title: "HEARD AT"),
            Column(key: "last_error", title: "ERROR") { value in
                value?.string() ?? ""
            },
        ]
        if output.output == .csv { columns.insert(Column(key: "id", title: "ID"), at: 1) }
        try output.output.print(
            bytes, columns: columns, noHeaders: output.noHeaders,
            emptyMessage: "No devices yet: nothing has been heard on MQTT and no Modbus device is configured.")
    }
}
