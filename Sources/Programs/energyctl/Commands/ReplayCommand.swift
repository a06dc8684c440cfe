import APITypes
import ArgumentParser
import Billing
import ConfigurationFile
import JSONScanner
import JSONText
import Metering
import Timekeeping
import Usage

struct ReplayCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "replay",
        abstract: "Works out usage and cost of recorded readings, offline, exactly as energyd would.",
        discussion: """
            A line of the file is one reading, and the order of lines is the order of arrival:
              {"time":"2026-03-29T00:59:50Z","device":"meter",
               "channel":"total","quantity":"energy_import","value":1234.567}
            (on one line). Values are in canonical units (W, Wh, V, A); "received" may differ from "time". \
            FILE - is stdin. What arrives over two hours behind its device's newest is told in the quality list, and \
            its slots are worked out again, as in the daemon: meters recorded one after the other all count.

            A line may also be a correction, as energyctl data and energyctl device replace make them:
              {"command":"correct","series":"meter/total/energy_import","action":"drop",
               "from":"2026-03-29T01:00:00Z","to":"2026-03-29T01:05:00Z","id":"…","actor":"…"}
            action is drop, accept or reset; "value" in its place sets the Wh of whole quarters of an hour. \
            {"command":"replace","device":"meter","at":…,"channel":…,"quantity":…,"last":…,"first":…} is an exchanged \
            meter, and {"command":"undo","undoes":"id of a command"} takes one back.

            With --config a tariff or a device setting can be tried on one's own past. Prices of dynamic tariffs come \
            from the files that its [[prices]] name, and from --prices spot=prices.csv, as written by energyctl tariff \
            prices show spot -o csv. Lines that cannot be read are \
            told, left out, and end the program with status 8.
            """)

    @Argument(help: "File of readings, one JSON object a line.") var file: String
    @Option(help: "The daemon's configuration: zone, devices, tariffs.") var config: String?
    @Option(help: "Sum by slot, hour, day, week, month, bill (billing period) or year.") var by: UsageBy = .day
    @Flag(help: "Show phases and outputs too where a device has a total (CSV and JSON always have all).")
    var allChannels = false
    @Option(help: ArgumentHelp("Prices of a list from a file of CSV or JSON.", valueName: "list=file"))
    var prices: [String] = []
    @Flag(help: "Print the bills line by line.") var bills = false
    @Flag(help: "List each decision about a counter, and why.") var explain = false
    @OptionGroup var output: OutputOptions

    /// Complaints about lines that are printed; the rest is counted.
    private static let maximumComplaints = 20

    func run() throws {
        let configuration = try config.map { try ConfigCommand.Check.load($0) } ?? Configuration()
        let zoneName = configuration.home.zone ?? ZoneDirectory.systemZoneName() ?? "UTC"
        let zone: Zone
        do {
            zone = try ZoneDirectory().zone(named: zoneName)
        } catch {
            throw Failure(.badConfiguration, "\(error)")
        }
        let book = try PriceFiles(configuration, zone: zone).book(prices)
        var replay = Replay(configuration: configuration, zone: zone, prices: book)
        let left = try feed(&replay)
        try replay.finish()
        guard let grouping = Grouping(rawValue: by.rawValue) else { return }
        let (rows, bills) = replay.results(by: grouping)
        try print(replay, rows, bills)
        if left > 0 {
            let lines = left == 1 ? "1 line" : "\(left) lines"
            throw Failure(.partial, "\(lines) of \(file) could not be read; the rest is above")
        }
    }

    /// Returns how many lines were left out.
    private func feed(_ replay: inout Replay) throws -> Int {
        var reader = try LineReader(path: file, maximum: ReadingLine.maximumLength)
        var number = 0
        var left = 0
        while let line = try reader.next() {
            number += 1
            if line.allSatisfy({ $0 == 0x20 || $0 == 0x09 }) { continue }
            do throws(LineError) {
                try replay.take(try ReplayLine(line, number: number))
            } catch {
                left += 1
                if left <= ReplayCommand.maximumComplaints { Terminal.complain("\(file):\(number): the line \(error)") }
            }
        }
        return left
    }

    private func print(_ replay: Replay, _ rows: [UsageRow], _ bills: [Bill]) throws {
        let usage = rows.map(UsageAnswer.init)
        let decisions = replay.decisions.map {
            DecisionAnswer(decision: $0, deviceName: replay.name(of: $0.series.device))
        }
        if output.output == .json {
            var json = JSONWriter()
            json.object {
                $0.field("usage", list: usage)
                $0.field("cost", list: bills.map { BillAnswer(bill: $0) })
                $0.key("alerts")
                $0.array { _ in }
                $0.field("quality", list: decisions)
            }
            return Terminal.write(json.bytes + [0x0A])
        }
        try output.output.print(
            ReplayCommand.encode(usage), columns: UsageListing.columns(by), noHeaders: output.noHeaders,
            emptyMessage: "No usage: a counter needs two readings.",
            view: { UsageListing.view($0, by, allChannels: allChannels) })
        // CSV is one list, so that a program can read it.
        guard output.output == .table else { return }
        if !bills.isEmpty {
            Terminal.write("\n")
            let answer = ReplayCommand.encode(bills.map { BillAnswer(bill: $0) })
            if self.bills {
                let texts = try JSONDocument(answer: answer).root.elements.map(BillListing.text)
                Terminal.write(texts.joined(separator: "\n"))
            } else {
                try output.output.print(
                    answer, columns: BillListing.columns, noHeaders: output.noHeaders, emptyMessage: "",
                    view: BillListing.view)
            }
        }
        guard explain || !decisions.isEmpty else { return }
        Terminal.write("\n")
        guard explain else {
            let noun = decisions.count == 1 ? "decision about a counter" : "decisions about counters"
            return Terminal.write("\(decisions.count) \(noun); --explain lists them.\n")
        }
        try output.output.print(
            ReplayCommand.encode(decisions), columns: DecisionListing.columns, noHeaders: output.noHeaders,
            emptyMessage: "No decisions: every counter only rose, and plausibly.")
    }

    private static func encode(_ list: [some JSONEncodable]) -> [UInt8] {
        var json = JSONWriter()
        json.array { json in
            for item in list { item.encode(to: &json) }
        }
        return json.bytes
    }
}
