import ArgumentParser
import Disk
import Exchange
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

            Asks energyd; where it does not run, or with --data-dir, reads the state directory.

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
        guard let name = format else { return ExchangeFormat(fileName: file) ?? .csv }
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
        try client.download(
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
    }

    private func read(_ format: ExchangeFormat, _ since: Timestamp?, _ until: Timestamp?) throws {
        let place = try directory.open()
        let home = try withStore { try StoredHome(place) }
        if let channel, Channel(channel) == nil {
            throw Failure(.usage, "--channel \(channel) is not a channel's name")
        }
        if let quantity, Quantity(name: quantity) == nil {
            throw Failure(.usage, "--quantity \(quantity) is not known")
        }
        if let device, !home.names.values.contains(device) {
            throw Failure(.notFound, "no device is called \(device)")
        }
        let series = home.log.dictionary.entries
            .map { (key: $0.key, device: home.names[$0.key.device] ?? $0.key.device.description) }
            .filter {
                (device == nil || $0.device == device) && (channel == nil || $0.key.channel.name == channel)
                    && (quantity == nil || $0.key.quantity.name == quantity)
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
    }
}
