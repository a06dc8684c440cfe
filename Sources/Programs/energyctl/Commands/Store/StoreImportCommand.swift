import ArgumentParser
import Disk
import Exchange
import JSONScanner
import Timekeeping
import Upkeep

struct StoreImportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "import",
        abstract: "Takes in readings of the past from csv, jsonl or Influx line protocol.",
        discussion: """
            What is stored already stays as it is, so that the same file can be imported again and changes nothing. \
            Usage and cost of the time in question are worked out again. A device that is not known is made, with \
            the name in the file. What is older than history_days counts in the averages of its minute (kept for a \
            year) and quarter of an hour (for ever), and in usage; its values themselves are not kept: for that raise \
            history_days in energyd.toml first.

            Asks energyd; where it does not run, or with --data-dir, writes into the state directory's log, and \
            energyd takes it in when it starts.

            csv needs a first line that names its columns: time, device, channel, quantity, value, unit. What each \
            format may hold is in Formats.md. Lines that cannot be read are told with their place, left out, and end \
            the program with status 8; so is a last line of line protocol without a line feed, which may be cut.

              energyctl store import old.csv --dry-run
              influx_inspect export … | energyctl store import --format influx --device washer -
            """)

    @Argument(help: "The file; - is stdin.") var file: String
    @Option(help: "csv, jsonl or influx; else by the file's name.") var format: String?
    @Option(help: "The device of lines that name none.") var device: String?
    @Option(help: "Influx: the unit of times: ns, us, ms or s.") var precision = "ns"
    @Flag(help: "Only say what would be taken in.") var dryRun = false
    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var directory: DataDirectoryOptions

    /// Complaints about lines that are printed; the rest is counted.
    private static let maximumComplaints = 20

    func run() throws {
        var parser = try parser()
        var batch = ImportBatch(try target())
        var tally = ImportTally(file: file, maximumComplaints: StoreImportCommand.maximumComplaints)
        var reader = try LineReader(path: file, maximum: ReadingParser.maximumLine)
        var progress = Progress(dryRun ? "checking" : "importing", total: file == "-" ? nil : try InputFile(file).size)
        var number = 0
        while let line = try reader.next() {
            number += 1
            progress.add(Int64(line.count + 1))
            do throws(LineFault) {
                try parser.parse(line, isCut: reader.isCut) { batch.append($0, line: number) }
            } catch {
                tally.refuse(number, "the line \(error)")
            }
            if parser.isWithoutColumns {
                progress.end()
                throw Failure(.failed, "nothing is taken in from \(file): its columns have no names")
            }
            if batch.isFull { try batch.send(&tally) }
        }
        try batch.send(&tally)
        progress.end()
        Terminal.write(tally.summary(isRehearsal: dryRun))
        if tally.refused > 0 {
            throw Failure(
                .partial, "\(tally.refused) \(tally.refused == 1 ? "reading was" : "readings were") left out of \(file)"
            )
        }
    }

    private func target() throws -> any ImportTarget {
        if directory.dataDir == nil {
            do {
                let client = try DaemonClient(connection)
                _ = try client.get("/healthz")
                return ImportingDaemon(client: client, isRehearsal: dryRun)
            } catch let failure as Failure {
                guard failure.status == .unreachable, directory.isThere else { throw failure }
                Terminal.complain("energyd does not run; writing into the log of \(directory.place().path)")
            }
        }
        return try ImportingDirectory(try directory.open(), isRehearsal: dryRun)
    }

    private func parser() throws -> ReadingParser {
        let chosen = format.map { ExchangeFormat(rawValue: $0) } ?? ExchangeFormat(fileName: file)
        guard chosen != .prometheus else {
            throw Failure(
                .usage,
                "\(format == nil ? file : "--format prometheus") is OpenMetrics text, which is only written; csv, "
                    + "jsonl and influx can be imported")
        }
        guard let chosen else {
            let why = format.map { "--format \($0) is no format" } ?? "the name \(file) does not tell its format"
            throw Failure(.usage, "\(why); say --format csv, jsonl or influx")
        }
        var parser = ReadingParser(chosen, device: device)
        guard let precision = TimePrecision(rawValue: precision) else {
            throw Failure(.usage, "--precision \(precision) is none of ns, us, ms, s")
        }
        parser.precision = precision
        return parser
    }
}

/// Readings on their way to energyd, with the lines they come from.
private struct ImportBatch {
    private static let maximumReadings = 10_000
    private static let maximumBytes = 2 << 20

    private let target: any ImportTarget
    private var writer = ReadingWriter(.jsonl)
    private var lines: [Int] = []

    init(_ target: any ImportTarget) {
        self.target = target
    }

    var isFull: Bool { lines.count >= ImportBatch.maximumReadings || writer.count >= ImportBatch.maximumBytes }

    mutating func append(_ reading: NamedReading, line: Int) {
        writer.append(reading)
        lines.append(line)
    }

    mutating func send(_ tally: inout ImportTally) throws {
        guard !lines.isEmpty else { return }
        let outcome = try target.take(writer.take())
        tally.taken += outcome.taken
        tally.known += outcome.known
        tally.differing += outcome.differing
        tally.older += outcome.older
        for refusal in outcome.refusals where lines.indices.contains(refusal.line - 1) {
            tally.refuse(lines[refusal.line - 1], "the reading \(refusal.reason)")
        }
        tally.refused += max(0, outcome.refused - outcome.refusals.count)
        tally.newDevices.formUnion(outcome.newDevices)
        lines.removeAll(keepingCapacity: true)
    }
}

/// Who takes lines of jsonl in.
private protocol ImportTarget {
    func take(_ lines: [UInt8]) throws -> ImportOutcome
}

private struct ImportingDaemon: ImportTarget {
    let client: DaemonClient
    let isRehearsal: Bool

    func take(_ lines: [UInt8]) throws -> ImportOutcome {
        let answer = try client.post("/v1/store/import", [("dry_run", isRehearsal ? "1" : nil)], lines)
        let root = try JSONDocument(answer: answer).root
        func count(_ key: String) -> Int { Int(root.member(key)?.integer ?? 0) }
        var outcome = ImportOutcome()
        outcome.taken = count("taken")
        outcome.known = count("known")
        outcome.differing = count("differing")
        outcome.older = count("older")
        outcome.refused = count("refused")
        for refusal in root.member("refusals").map({ Array($0.elements) }) ?? [] {
            outcome.refusals.append(
                ImportOutcome.Refusal(
                    line: Int(refusal.member("line")?.integer ?? 0),
                    reason: refusal.member("reason")?.string() ?? "is refused"))
        }
        outcome.newDevices = root.member("new_devices").map { $0.elements.compactMap { $0.string() } } ?? []
        return outcome
    }
}

/// Holds the directory's lock as long as it is there.
private final class ImportingDirectory: ImportTarget {
    private let lock: DirectoryLock
    private let isRehearsal: Bool
    private var importing: ReadingImport<RestingHome>

    init(_ directory: StateDirectory, isRehearsal: Bool) throws {
        lock = try withStore { try DirectoryLock(directory: directory.path) }
        self.isRehearsal = isRehearsal
        importing = ReadingImport(
            home: try RestingHome(directory, isRehearsal: isRehearsal), isRehearsal: isRehearsal, retention: nil,
            now: SystemClock().now().wall)
    }

    deinit { lock.release() }

    func take(_ lines: [UInt8]) throws -> ImportOutcome {
        let outcome = try importing.take(lines)
        if outcome.taken > 0, !isRehearsal { try importing.home.settle() }
        return outcome
    }
}

/// What became of a file.
private struct ImportTally {
    let file: String
    let maximumComplaints: Int
    var taken = 0
    var known = 0
    var differing = 0
    var older = 0
    var refused = 0
    var newDevices: Set<String> = []

    init(file: String, maximumComplaints: Int) {
        self.file = file
        self.maximumComplaints = maximumComplaints
    }

    mutating func refuse(_ line: Int, _ reason: String) {
        refused += 1
        if refused <= maximumComplaints { Terminal.complain("\(file):\(line): \(Terminal.visible(reason))") }
        if refused == maximumComplaints + 1 { Terminal.complain("further lines are counted only") }
    }

    func summary(isRehearsal: Bool) -> String {
        var text = "\(taken) \(taken == 1 ? "reading" : "readings") \(isRehearsal ? "would be taken in" : "taken in")"
        if known > 0 { text += ", \(known) there already" }
        if differing > 0 { text += ", \(differing) there with another value, which stays" }
        if refused > 0 { text += ", \(refused) left out" }
        text += "\n"
        if older > 0 {
            text +=
                "\(older) \(older == 1 ? "is" : "are") older than history_days: kept in averages of a minute (a year) "
                + "and of a quarter of an hour (for ever)\n"
        }
        if !newDevices.isEmpty {
            let names = newDevices.sorted().map(Terminal.visible).joined(separator: ", ")
            text += "\(isRehearsal ? "Devices that would be made" : "Made"): \(names)\n"
        }
        return text
    }
}
