import APITypes
import ArgumentParser
import JSONText
import Modbus

/// The serial ports of this machine.
struct SerialCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "serial", abstract: "Shows serial ports and gives them names that stay.",
        subcommands: [SerialListCommand.self, SerialNameCommand.self])
}

struct SerialListCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "list", abstract: "Lists the serial ports with the names that stay, and who holds them.",
        discussion: """
            ttyUSB0 is whichever adapter came first; write one of the names under NAME into energyd.toml:

              bus = "rtu:/dev/serial/by-id/usb-FTDI_FT232R_USB_UART_A50285BI-if00-port0?baud=9600"

            HELD BY knows only the processes that you may look at; sudo shows all.
            """)

    @OptionGroup var output: OutputOptions

    func run() throws {
        var json = JSONWriter()
        json.array { json in
            for port in SerialPort.all() {
                json.object {
                    $0.field("port", text: port.path)
                    $0.field("name", text: port.names.first)
                    $0.key("names")
                    $0.array { json in for name in port.names { json.text(name) } }
                    $0.field("adapter", text: port.adapter.map { "\($0.vendor):\($0.product) \($0.description)" })
                    $0.field("serial", text: port.adapter?.serial)
                    $0.key("held_by")
                    $0.array { json in for holder in port.holders() { json.text(holder) } }
                }
            }
        }
        try output.output.print(
            json.bytes,
            columns: [
                Column(key: "port", title: "PORT"), Column(key: "name", title: "NAME"),
                Column(key: "adapter", title: "ADAPTER"), Column(key: "serial", title: "SERIAL"),
                Column(key: "held_by", title: "HELD BY") {
                    let text = Column.plain($0)
                    return text.isEmpty ? "-" : text
                },
            ],
            noHeaders: output.noHeaders,
            emptyMessage: "No serial ports: no adapter is plugged in, or its driver is not there (dmesg tells).")
    }
}

struct SerialNameCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "name", abstract: "Prints the udev rule that gives a port a name of its own.",
        discussion: """
              energyctl serial name /dev/ttyUSB0 meter0 | sudo tee -a /etc/udev/rules.d/70-energyd-serial.rules
              sudo udevadm control --reload && sudo udevadm trigger --subsystem-match=tty

            From then on the adapter is /dev/energyd/meter0, whatever it is plugged in beside. An adapter without a \
            serial number gets the name by the socket that it is in.
            """)

    @Argument(help: "The port, by any of its names.") var port: String
    @Argument(help: "Letters, digits, - and _.") var name: String

    func validate() throws {
        let isGood = name.utf8.allSatisfy { byte in
            (48...57).contains(byte) || (65...90).contains(byte) || (97...122).contains(byte) || byte == 45
                || byte == 95
        }
        guard isGood, (1...32).contains(name.utf8.count) else {
            throw ValidationError("\(name): a name has 1 to 32 letters, digits, - and _")
        }
    }

    func run() throws {
        let ports = SerialPort.all()
        let found = ports.first { $0.path == port || $0.names.contains(port) }
        guard let found else {
            let known = ports.map(\.path).joined(separator: ", ")
            throw Failure(
                .notFound, "there is no port \(port)" + (known.isEmpty ? "" : "; there are \(known)"))
        }
        guard let rule = found.rule(for: name) else {
            throw Failure(
                .failed,
                "\(port) has neither a serial number nor a known socket, so nothing tells it from another of its kind")
        }
        Terminal.write(rule + "\n")
    }
}
