import ArgumentParser
import Glibc
import JSONScanner
import Metering
import Timekeeping

struct DataCorrectCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "correct", abstract: "Corrects what a counter said in a span, without touching its readings.",
        discussion: """
            --drop    readings from --from up to --to are as if they had not been; the energy is spread over the gap
            --accept  a quarantined step at --from is booked after all
            --reset   the step to the first reading from --from on is no energy
            --wh N    the whole quarters of an hour between --from and --to hold N Wh

            --preview shows slots and cost before and after, and changes nothing. A spike at 10:25:

              energyctl data correct washer --drop --preview \\
                  --from 2026-03-01T10:25:00Z --to 2026-03-01T10:26:00Z
              energyctl data correct washer --wh 420 \\
                  --from 2026-03-01T10:00:00Z --to 2026-03-01T11:00:00Z
              energyctl data undo ID
            """)

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var output: OutputOptions

    @Argument(help: "device, device/channel or device/channel/quantity.") var series: String
    @Option(parsing: .unconditional, help: "From here on: RFC 3339, or a span such as -24h.") var from: String
    @Option(parsing: .unconditional, help: "Up to here; --accept and --reset need only --from.") var to: String?
    @Flag(help: "Leave the readings of the span out.") var drop = false
    @Flag(help: "Book what was quarantined.") var accept = false
    @Flag(help: "Begin a new segment of the counter.") var reset = false
    @Option(help: "The Wh that the span had.") var wh: String?
    @OptionGroup var decision: DecisionOptions

    func run() throws {
        let actions = [drop ? "drop" : nil, accept ? "accept" : nil, reset ? "reset" : nil].compactMap { $0 }
        guard actions.count + (wh == nil ? 0 : 1) == 1 else {
            throw Failure(.usage, "say one of --drop, --accept, --reset and --wh N")
        }
        if to == nil, drop || wh != nil { throw Failure(.usage, "say up to when, with --to") }
        let now = SystemClock().now().wall
        let from = try TimeArgument.timestamp(from, option: "--from", now: now)
        let to = try TimeArgument.timestamp(to, option: "--to", now: now) ?? from
        let bytes = try DaemonClient(connection).post(
            "/v1/data/corrections", [("preview", decision.preview ? "true" : nil)],
            body: [
                ("series", series), ("from", from?.rfc3339()), ("to", to?.rfc3339()), ("action", actions.first),
                ("value", wh), ("reason", decision.reason), ("actor", DecisionOptions.actor),
            ])
        try EffectListing.print(bytes, output)
    }
}

/// What every command that decides something takes.
struct DecisionOptions: ParsableArguments {
    @Option(help: "Why, for whoever reads the audit.") var reason: String?
    @Flag(help: "Only show what would change.") var preview = false

    /// Who decides: the user at this terminal.
    static var actor: String {
        if let entry = getpwuid(getuid()), let name = entry.pointee.pw_name { return String(cString: name) }
        return "uid \(getuid())"
    }
}

/// How the effect of a command is shown.
enum EffectListing {
    static let columns = [
        Column(key: "from", title: "SLOT (UTC)") { Display.time($0, to: 16) },
        Column(key: "device", title: "DEVICE"),
        Column(key: "channel", title: "CHANNEL"),
        Column(key: "flow", title: "FLOW"),
        Column(key: "before_wh", title: "BEFORE Wh", alignsRight: true) { Display.thousandths($0) },
        Column(key: "after_wh", title: "AFTER Wh", alignsRight: true) { Display.thousandths($0) },
        Column(key: "quality", title: "QUALITY"),
    ]
    /// A year of slots is no table.
    private static let maximumRows = 40

    /// The bill of a whole period before and after, with the lines that differ.
    private static func bill(_ bill: JSONValue) -> String {
        func amount(_ value: JSONValue?) -> String { value?.string() ?? "none" }
        let (before, after) = (amount(bill.member("before")), amount(bill.member("after")))
        let currency = Terminal.visible(Column.plain(bill.member("currency")))
        let span = "\(Display.time(bill.member("from"), to: 10)) – \(BillListing.lastDay(bill.member("to")))"
        if before == after { return "bill    \(span)  \(after) \(currency), unchanged\n" }
        let difference = amount(bill.member("difference"))
        let signed = difference.hasPrefix("-") ? difference : "+\(difference)"
        var text = "bill    \(span)  \(before) -> \(after) \(currency)  (\(signed))\n"
        for line in bill.member("lines").map({ Array($0.elements) }) ?? [] {
            let label = Terminal.visible(Column.plain(line.member("label")))
            text += "          \(label)  \(amount(line.member("before"))) -> \(amount(line.member("after")))\n"
        }
        return text
    }

    static func print(_ bytes: [UInt8], _ output: OutputOptions) throws {
        if output.output == .json { return Terminal.write(bytes + [0x0A]) }
        let root = try JSONDocument(answer: bytes).root
        let slots = root["slots"].map { Array($0.elements) } ?? []
        let list = root["slots"].map { Array(Array($0.text)) } ?? Array("[]".utf8)
        try output.output.print(
            list, columns: columns, noHeaders: output.noHeaders,
            emptyMessage: "No slot changes: it is kept for readings to come, or the readings of that time are gone."
        ) { rows in
            let hasParts = rows.contains { Column.machine($0["channel"]) != "total" }
            return TableView(
                columns: columns.filter { $0.key != "channel" || hasParts }, rows: Array(rows.prefix(maximumRows)))
        }
        guard output.output == .table else { return }
        if slots.count > maximumRows { Terminal.write("and \(slots.count - maximumRows) more; -o csv has them all\n") }
        if !slots.isEmpty {
            Terminal.write("\nenergy  \(Column.plain(root["before_wh"])) Wh -> \(Column.plain(root["after_wh"])) Wh\n")
            if root["currency"]?.isNull == false {
                Terminal.write(
                    "cost    \(Display.money(root["cost_before"])) -> \(Display.money(root["cost_after"])) "
                        + "\(Column.plain(root["currency"]))\n")
            }
            let bills = root["bills"].map { Array($0.elements) } ?? []
            for bill in bills { Terminal.write(self.bill(bill)) }
            let isUnchanged = bills.allSatisfy { Column.machine($0["before"]) == Column.machine($0["after"]) }
            let costs = ["cost_before", "cost_after"].compactMap { root[$0]?.string().flatMap { Decimal(price: $0) } }
            let moved = costs.count == 2 ? (costs[1] - costs[0]).text(places: 2) : "0"
            if isUnchanged, !bills.isEmpty, !moved.allSatisfy({ "-0.".contains($0) }) {
                Terminal.write("        A bill is of what the grid meter counted; the device's share of it changes.\n")
            }
        }
        if let id = root["id"]?.string() {
            Terminal.write("\nDone; energyctl data undo \(id) takes it back.\n")
        } else {
            Terminal.write("\nNothing was changed: this is a preview.\n")
        }
    }
}
