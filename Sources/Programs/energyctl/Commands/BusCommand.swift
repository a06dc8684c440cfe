import ArgumentParser
import Glibc
import JSONScanner
import Timekeeping

/// The buses of the running gateway.
struct BusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "bus", abstract: "Shows what happens on the Modbus buses that energyd reads.",
        subcommands: [BusTopCommand.self])
}

struct BusTopCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "top", abstract: "Watches the buses: requests, latency, errors, load, who is silent.",
        discussion: """
            On a terminal it redraws every --interval until Ctrl-C; piped, or with -o json or csv, it prints once. \
            ANSWERS WITHIN is the middle and the slowest hundredth of a unit's last answers, WAITS what energyd has \
            learned to wait for it. A unit that does not answer is asked again after 1, 2, 4, … s.
            """)

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var output: OutputOptions
    @Option(help: ArgumentHelp("Between two looks.", valueName: "duration")) var interval = "2s"

    func run() throws {
        guard let pause = try? DurationText.parse(interval), (100...Span.hour).contains(pause) else {
            throw Failure(.usage, "--interval \(interval) is not a duration such as 2s")
        }
        let client = try DaemonClient(connection)
        if output.output != .table { return try printOnce(client.get("/v1/buses")) }
        let isTerminal = isatty(STDOUT_FILENO) == 1
        var before: Look?
        repeat {
            let look = Look(buses: try JSONDocument(answer: client.get("/v1/buses")), at: SystemClock().now().monotonic)
            let text = BusTable.render(look, since: before, noHeaders: output.noHeaders)
            guard !text.isEmpty else {
                Terminal.complain(raw: "No buses: no [[modbus]] is configured.")
                return
            }
            Terminal.write(isTerminal ? "\u{1B}[H\u{1B}[2J" + text : text)
            before = look
            if isTerminal { usleep(UInt32(pause * 1_000)) }
        } while isTerminal
    }

    private func printOnce(_ bytes: [UInt8]) throws {
        let keys = [
            "device", "unit", "requests", "answers", "exceptions", "timeouts", "damaged", "retries", "busy_us",
            "latency_median_us", "latency_p99_us", "timeout_us", "quarantine_step", "next_attempt_us", "refused",
        ]
        if output.output == .json { return Terminal.write(bytes + [0x0A]) }
        if !output.noHeaders { Terminal.write(CSV.line(["bus"] + keys)) }
        for bus in try JSONDocument(answer: bytes).root.elements {
            for unit in bus["units"].map({ Array($0.elements) }) ?? [] {
                Terminal.write(
                    CSV.line([Column.machine(bus["bus"])] + keys.map { Column.machine(unit.member($0)) }))
            }
        }
    }
}

/// One look at the buses, and when.
struct Look {
    let buses: JSONDocument
    /// ms.
    let at: Int64
}

/// The buses as a person watches them.
enum BusTable {
    static func render(_ look: Look, since before: Look?, noHeaders: Bool) -> String {
        var parts: [String] = []
        for bus in look.buses.root.elements {
            let old = before?.buses.root.elements.first { $0["bus"]?.string() == bus["bus"]?.string() }
            let elapsed = before.map { look.at - $0.at }
            parts.append(heading(bus, old, elapsed) + units(bus, old, elapsed, noHeaders))
        }
        return parts.joined(separator: "\n")
    }

    private static func number(_ value: JSONValue?, _ key: String) -> Int64 {
        value?.member(key).flatMap { Int64(Column.machine($0)) } ?? 0
    }

    /// `3.2`; of what was counted since the look before, a second.
    private static func rate(_ new: Int64, _ old: Int64, _ elapsed: Int64?) -> String {
        guard let elapsed, elapsed > 0 else { return "-" }
        let tenths = (new - old) * 10_000 / elapsed
        return "\(tenths / 10).\(tenths % 10)"
    }

    private static func heading(_ bus: JSONValue, _ old: JSONValue?, _ elapsed: Int64?) -> String {
        let load = number(bus, "utilization_permille")
        var facts = ["\(load / 10).\(load % 10) % busy"]
        if elapsed != nil {
            facts.append("\(rate(number(bus, "requests"), number(old, "requests"), elapsed)) requests/s")
        }
        facts.append("\(number(bus, "requests")) requests, \(number(bus, "errors")) errors")
        facts.append("opened \(number(bus, "connects")) times")
        if number(bus, "strangers") > 0 { facts.append("\(number(bus, "strangers")) answers late or of others") }
        var text =
            Terminal.bold(Terminal.visible(Column.plain(bus["bus"]))) + "\n" + facts.joined(separator: "; ") + "\n"
        if let trouble = bus["trouble"]?.string() { text += Terminal.warning(Terminal.visible(trouble)) + "\n" }
        if let note = bus["note"]?.string() { text += Terminal.visible(note) + "\n" }
        return text
    }

    private static func units(_ bus: JSONValue, _ old: JSONValue?, _ elapsed: Int64?, _ noHeaders: Bool) -> String {
        let right = ["UNIT", "REQUESTS/S", "BUSY", "REQUESTS", "TIME-OUTS", "DAMAGED", "REFUSED", "WAITS"]
        let titles = [
            "UNIT", "DEVICE", "REQUESTS/S", "BUSY", "REQUESTS", "TIME-OUTS", "DAMAGED", "REFUSED", "ANSWERS WITHIN",
            "WAITS", "STATE",
        ]
        var table = Table(titles.map { .init(title: $0, alignsRight: right.contains($0)) })
        let before = old?["units"].map { Array($0.elements) } ?? []
        for unit in bus["units"].map({ Array($0.elements) }) ?? [] {
            let last = before.first { number($0, "unit") == number(unit, "unit") }
            let busy = elapsed.map { (number(unit, "busy_us") - number(last, "busy_us")) / max(1, $0) }
            table.append([
                Column.plain(unit["unit"]), Column.plain(unit["device"]),
                last == nil ? "-" : rate(number(unit, "requests"), number(last, "requests"), elapsed),
                last == nil ? "-" : busy.map { "\($0 / 10).\($0 % 10) %" } ?? "-", Column.plain(unit["requests"]),
                Column.plain(unit["timeouts"]), Column.plain(unit["damaged"]), Column.plain(unit["refused"]),
                latency(unit), milliseconds(number(unit, "timeout_us")), state(unit),
            ])
        }
        return table.render(noHeaders: noHeaders)
    }

    private static func milliseconds(_ microseconds: Int64) -> String {
        microseconds < 10_000
            ? "\(microseconds / 1_000).\(microseconds % 1_000 / 100) ms" : "\(microseconds / 1_000) ms"
    }

    private static func latency(_ unit: JSONValue) -> String {
        guard let median = unit["latency_median_us"], !median.isNull else { return "-" }
        return milliseconds(number(unit, "latency_median_us")) + " … " + milliseconds(number(unit, "latency_p99_us"))
    }

    private static func state(_ unit: JSONValue) -> String {
        let step = number(unit, "quarantine_step")
        guard step > 0 else { return number(unit, "answers") > 0 ? "ok" : "not heard yet" }
        let next = (number(unit, "next_attempt_us") + 999_999) / 1_000_000
        return Terminal.visible("silent, attempt \(step + 1) in \(next) s")
    }
}
