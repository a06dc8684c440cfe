import ArgumentParser
import JSONScanner
import Timekeeping

struct DevicesCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "devices", abstract: "Lists plugs, meters and inverters with what they last said.",
        discussion: """
            Devices appear by themselves once they are heard on MQTT; Modbus devices are configured. REJECTED counts \
            messages that could not be read, and the reason of the last one stands below the table until the same \
            topic or registers are read well again. HEARD AT is what a binding in the configuration wants: {a,b} means \
            both.
            """)

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        let bytes = try DaemonClient(connection).get("/v1/devices")
        let now = SystemClock().now().wall
        try output.output.print(
            bytes, columns: DevicesCommand.columns(now), noHeaders: output.noHeaders,
            emptyMessage: "No devices yet: nothing has been heard on MQTT and no Modbus device is configured.",
            view: { DevicesCommand.view($0, now) })
        guard output.output == .table else { return }
        for row in try JSONDocument(answer: bytes).root.elements {
            guard let error = row["last_error"]?.string() else { continue }
            let line = Terminal.visible("\(Column.plain(row["device"])): \(error)")
            Terminal.write(Terminal.warning(line) + "\n")
        }
    }

    private static func columns(_ now: Timestamp) -> [Column] {
        [
            Column(key: "device", title: "DEVICE"),
            Column(key: "id", title: "ID"),
            Column(key: "role", title: "ROLE"),
            Column(key: "family", title: "FAMILY"),
            Column(key: "model", title: "MODEL"),
            Column(key: "available", title: "AVAILABLE") { $0?.bool.map { $0 ? "yes" : "no" } ?? "-" },
            Column(key: "last_seen", title: "LAST SEEN") { Display.age($0, now: now) },
            Column(key: "power_w", title: "POWER W", alignsRight: true),
            Column(key: "messages", title: "MESSAGES", alignsRight: true),
            Column(key: "rejected", title: "REJECTED", alignsRight: true),
            Column(key: "bindings", title: "HEARD AT") { Display.bindings($0) },
            Column(key: "last_error", title: "ERROR"),
            Column(key: "parent", title: "BEHIND"),
        ]
    }

    /// Without the identity, which only programs want, and the family, which HEARD AT says.
    private static func view(_ rows: [JSONValue], _ now: Timestamp) -> TableView {
        let columns = columns(now).filter { column in
            switch column.key {
            case "id", "family", "last_error": false
            case "model", "parent", "rejected": rows.say(column.key)
            default: true
            }
        }
        return TableView(columns: columns, rows: rows)
    }
}
