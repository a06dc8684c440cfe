import ArgumentParser
import JSONScanner
import Timekeeping

struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Shows whether everything runs, and what does not.",
        discussion: """
            A stage is ok, waiting (for a broker, a meter, the clock) or failed; DETAIL says why. The gateway goes on \
            trying by itself.
            """)

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        let bytes = try DaemonClient(connection).get("/v1/status")
        let status = try JSONDocument(answer: bytes).root
        switch output.output {
        case .json: Terminal.write(bytes + [0x0A])
        case .csv:
            let keys = [
                "gateway", "version", "home", "zone", "started", "now", "devices", "series", "readings", "rejected",
            ]
            if !output.noHeaders { Terminal.write(CSV.line(keys)) }
            Terminal.write(CSV.line(keys.map { Column.machine(status.member($0)) }))
        case .table: Terminal.write(render(status))
        }
    }

    private func render(_ status: JSONValue) -> String {
        func text(_ key: String) -> String { Column.plain(status.member(key)) }
        let now = (status["now"]?.string()).flatMap { try? Timestamp(rfc3339: $0) }
        let started = (status["started"]?.string()).flatMap { try? Timestamp(rfc3339: $0) }
        var lines = Table([.init(title: ""), .init(title: "")])
        lines.append(["home", "\(text("home")), zone \(text("zone"))"])
        lines.append(["gateway", "\(text("gateway")), energyd \(text("version"))"])
        if let now, let started {
            lines.append(["up", "\(Display.span(now - started)), since \(Display.time(status["started"])) UTC"])
        }
        lines.append(["devices", "\(text("devices")), with \(text("series")) series"])
        lines.append(["readings", "\(text("readings")) since the start; \(text("rejected")) could not be read"])
        var stages = Table([.init(title: "STAGE"), .init(title: "STATE"), .init(title: "DETAIL")])
        for stage in status["stages"].map({ Array($0.elements) }) ?? [] {
            stages.append([Column.plain(stage["name"]), Column.plain(stage["state"]), Column.plain(stage["detail"])])
        }
        return lines.render(noHeaders: true) + "\n" + stages.render(noHeaders: output.noHeaders)
    }
}
