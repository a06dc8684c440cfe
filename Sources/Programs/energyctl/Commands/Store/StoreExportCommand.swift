import ArgumentParser
import Disk
import Exchange
import HTTPClient
import Metering
import ReadingLog
import Records
import Timekeeping
import Upkeep

struct StoreExportCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "export",
        abstract: "Writes readings as csv, jsonl, Influx line protocol or Prometheus text.",
        discussion: """
            Values are exact, in canonical units (W, Wh, V, A); times are UTC. csv, jsonl and influx come in the \
            order of time and can be imported again; `energyctl replay` reads jsonl too. prometheus is OpenMetrics \
            text for `promtool tsdb create-blocks-from openmetrics`. Parquet is not offered: no library for it \
            is both well kept and small enough for a Raspberry Pi (ARCHITECTURE.md says which were looked at). DuckDB \
            makes it of csv: duckdb -c "COPY (FROM 'house.csv') TO 'house.parquet'"

            Asks energyd; where it does not run, or with --data-dir, reads the state directory. What is damaged and \
            cannot be read is left out, told on stderr, and ends the program with status 8.

              energyctl store export house.csv --since -7d --device washer
              energyctl store export --format influx | gzip > house.lp.gz
            """)

    @Argument(help: "The file; - or nothing is stdout.") var file = "-"
    @Option(help: "csv, jsonl, influx or prometheus; else by the file's name, else csv.") var format: String?
    @Option(parsing: .unconditional, help: "From here on: RFC 3339, or a span such as -24h.") var since: String?
    @Option(parsing: .unconditional, help: "Up to here, not including it.") var until: String?
    @Option(help: "Only this device.") var device: String?
    @Option(help: "Only this channel, such as total or l1.") var channel: String?
    @Option(help: "Only this quantity, such as power or energy_import.") var quantity: String?
    @Flag(help: "Replace the file if it is there.") var force = false
    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var directory: DataDirectoryOptions

    func run() throws {
        let format = try chosenFormat()
        let now = SystemClock().now().wall
        let since = try TimeArgument.timestamp(since, option: "--since", now: now)
        let until = try TimeArgument.timestamp(until, option: "--until", now: now)
        if let since, let until, since >= until { throw Failure(.usage, "--since is not before --until") }
        if directory.dataDir == nil {
            do {
                return try download(format, since, until)
            } catch let failure as Failure {
                guard failure.status == .unreachable, directory.isThere else { throw failure }
                Terminal.complain("energyd does not run; reading \(directory.place().path)")
            }
        }
        try read(format, since, until)
    }

    private func chosenFormat() throws -> ExchangeFormat {
        guard let name = format else {
            if file == "-" { return .csv }
            guard let ending = ExchangeFormat.ending(of: file) else { return .csv }
            guard let format = ExchangeFormat(fileName: file) else {
                throw Failure(
                    .usage,
                    "\(file): .\(ending) is no format that is written; .csv, .jsonl, .lp (influx) and .prom "
                        + "(prometheus) are, or say --format")
            }
            return format
        }
        guard let format = ExchangeFormat(rawValue: name) else {
            throw Failure(.usage, "--format \(name) is none of csv, jsonl, influx, prometheus")
        }
        return format
    }

    private func download(_ format: ExchangeFormat, _ since: Timestamp?, _ until: Timestamp?) throws {
        let client = try DaemonClient(connection)
        // Before a file is made: whether anybody answers.
        _ = try client.get("/healthz")
        let result = try ResultFile(file, isReplacing: force)
        var progress = Progress("exporting", total: nil)
        let answer = try client.download(
            "/v1/store/export",
            [
                ("format", format.rawValue), ("since", since?.rfc3339()), ("until", until?.rfc3339()),
                ("device", device), ("channel", channel), ("quantity", quantity),
            ]
        ) { bytes in
            try result.write(bytes)
            progress.add(Int64(bytes.count))
        }
        progress.end()
        try result.finish()
        let places = answer.headers.filter { $0.name.lowercased() == "energyd-damaged-block" }.map(\.value)
        let blocks = answer.header("energyd-damaged-blocks").flatMap { Int($0) } ?? 0
        try ExportLack(damage: ExportDamage(blocks: blocks, places: places)).tell()
    }

    private func read(_ format: ExchangeFormat, _ since: Timestamp?, _ until: Timestamp?) throws {
        let place = try directory.open()
        let home = try withStore { try StoredHome(place) }
        let selection = try selection()
        let series = try withStore {
            try selection.series(home.history, log: home.log.dictionary.entries.map(\.key)) { home.names[$0] }
        }
        var export = HistoryExport(
            home.history, series: series, since: since ?? Timestamp.validRange.lowerBound,
            until: until ?? Timestamp.validRange.upperBound, format: format)
        let result = try ResultFile(file, isReplacing: force)
        var progress = Progress("exporting", total: nil)
        while let piece = try withStore({ try export.next() }) {
            try result.write(piece)
            progress.add(Int64(piece.count))
        }
        progress.end()
        try result.finish()
        try ExportLack(damage: export.damage, unreadable: home.unreadable, missingLog: home.missingLog).tell()
    }

    private func selection() throws -> ExportSelection {
        var selection = ExportSelection(device: device)
        if let channel {
            selection.channel = Channel(channel)
            if selection.channel == nil { throw Failure(.usage, "--channel \(channel) is not a channel's name") }
        }
        if let quantity {
            selection.quantity = Quantity(name: quantity)
            if selection.quantity == nil { throw Failure(.usage, "--quantity \(quantity) is not known") }
        }
        return selection
    }
}

/// What an export lacks because it could not be read.
private struct ExportLack {
    var damage: ExportDamage
    /// Files of history.
    var unreadable: [String] = []
    /// The directory of a log that is not there.
    var missingLog: String?

    /// Says it on stderr, and ends the program as one that did its work in part.
    func tell() throws {
        if let missingLog {
            Terminal.complain(
                "\(missingLog) is missing or has no segment that can be read; this is what history has, and the newest "
                    + "readings, up to two hours of them, may not be in it")
        }
        for file in unreadable.prefix(ExportDamage.maximumPlaces) {
            Terminal.complain("\(file) cannot be read; what the log no longer has of it is left out")
        }
        for place in damage.places { Terminal.complain(Terminal.visible(place)) }
        var lacks: [String] = []
        if damage.blocks > 0 {
            let atLeast = damage.blocks >= ExportDamage.maximumCounted ? "at least " : ""
            lacks.append(
                "\(atLeast)\(damage.blocks) damaged \(damage.blocks == 1 ? "block" : "blocks") of history")
        }
        if !unreadable.isEmpty {
            lacks.append("what \(unreadable.count == 1 ? "1 file" : "\(unreadable.count) files") may have had alone")
        }
        if missingLog != nil { lacks.append("what only the log had") }
        if lacks.isEmpty { return }
        throw Failure(
            .partial,
            "the export is whole but for \(lacks.joined(separator: " and ")); `energyctl store verify` tells each place"
        )
    }
}
