import ArgumentParser
import JSONScanner
import Timekeeping

struct StatusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "status", abstract: "Shows whether everything runs, and what does not.")

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
        let bytes = try DaemonClient(connection).get("/v1/status")
        guard let status = try? JSONDocument(bytes: bytes).root else {
            throw Failure(.failed, "energyd's answer is not JSON")
        }
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
        var lines = Table([.init(title: ""), .init(title: "")])
        lines.append(["home", "\(text("home")), zone \(text("zone"))"])
        lines.append([
            "gateway", "\(text("gateway")), energyd \(text("version")), since \(Display.time(status["started"]))Z",
        ])
        lines.append(["devices", "\(text("devices")) with \(text("series")) series"])
        lines.append(["readings", "\(text("readings")) since start, \(text("rejected")) messages refused"])
        var result = lines.render(noHeaders: true) + "\n"
        var stages = Table([.init(title: "STAGE"), .init(title: "STATE"), .init(title: "DETAIL")])
        for stage in status["stages"]?.elements ?? [] {
            stages.append([Column.plain(stage["name"]), Column.plain(stage["state"]), Column.plain(stage["detail"])])
        }
        result += stages.render()
        return result
    }
}
