import APITypes
import ArgumentParser
import Disk
import JSONScanner
import JSONText
import Upkeep

struct StoreStatsCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "stats",
        abstract: "Shows what the store takes, what it writes a day, and how that wears a card.",
        discussion: """
            Asks energyd; where it does not run, or with --data-dir, reads the state directory and changes nothing. \
            BYTES EACH is what one reading, value or slot takes, of the log measured over its newest segments. The \
            wear rests on what makers state for cards made for recording; makers of plain cards state nothing.

              energyctl store stats
              energyctl store stats --data-dir ./state -o json
            """)

    @OptionGroup var connection: ConnectionOptions
    @OptionGroup var directory: DataDirectoryOptions
    @OptionGroup var output: OutputOptions

    private static let columns = [
        Column(key: "part", title: "PART"),
        Column(key: "files", title: "FILES", alignsRight: true),
        Column(key: "bytes", title: "SIZE", alignsRight: true) { Size.text($0) },
        Column(key: "items", title: "HOLDS", alignsRight: true),
        Column(key: "unit", title: "OF"),
        Column(key: "bytes_per_item", title: "BYTES EACH", alignsRight: true),
        Column(key: "written_bytes_per_day", title: "WRITES A DAY", alignsRight: true) { Size.text($0) },
        Column(key: "first", title: "FROM") { Display.time($0, to: 16) },
        Column(key: "last", title: "TO (UTC)") { Display.time($0, to: 16) },
    ]

    func run() throws {
        let bytes = try answer()
        let root = try JSONDocument(answer: bytes).root
        if output.output == .json { return Terminal.write(bytes + [0x0A]) }
        guard let parts = root.member("parts") else { throw Failure(.failed, "energyd's answer has no parts") }
        let rows = Array("[".utf8) + parts.elements.map { Array($0.text) }.joined(separator: [0x2C]) + Array("]".utf8)
        try output.output.print(
            rows, columns: StoreStatsCommand.columns, noHeaders: output.noHeaders,
            emptyMessage: "Nothing is stored yet.")
        if output.output == .table { summary(root) }
    }

    private func answer() throws -> [UInt8] {
        if directory.dataDir == nil {
            do {
                return try DaemonClient(connection).get("/v1/store")
            } catch let failure as Failure {
                guard failure.status == .unreachable, directory.isThere else { throw failure }
                Terminal.complain("energyd does not run; reading \(directory.place().path)")
            }
        }
        let place = try directory.open()
        var json = JSONWriter()
        let figures = try withStore {
            try StoreFigures(
                place, fileSystem: LocalFileSystem(), isLive: DirectoryOwner.holder(of: place.path) != nil)
        }
        StoreAnswer(directory: place.path, figures: figures).encode(to: &json)
        return json.bytes
    }

    private func summary(_ root: JSONValue) {
        let series = Column.plain(root.member("series"))
        var text = "\n\(Column.plain(root.member("directory"))): \(Size.text(root.member("bytes"))) in "
        text += "\(Column.plain(root.member("files"))) files"
        if series != "0" { text += ", \(series) series" }
        text += "\n"
        let perDay = root.member("written_bytes_per_day")
        text += "Written a day: \(Size.text(perDay)) (\(Column.plain(root.member("written_basis"))))\n"
        if let wear = root.member("wear"), !wear.isNull {
            text += "A year of that: \(Size.text(wear.member("written_bytes_per_year"))), "
            text += "\(Column.plain(wear.member("fills_of_32_gb_per_year"))) times a card of 32 GB, "
            text += "\(Column.plain(wear.member("percent_of_rating_per_year"))) % of what it is rated for;\n"
            text += "at worst, where the card rewrites 128 KiB for each page of 4 KiB, "
            text += "\(Column.plain(wear.member("percent_of_rating_per_year_at_worst"))) %. "
            text += "Taken: \(Column.plain(wear.member("assumption"))).\n"
        }
        for line in text.split(separator: "\n", omittingEmptySubsequences: false).dropLast() {
            Terminal.write(Terminal.visible(String(line)) + "\n")
        }
    }
}

/// Bytes as a person reads them.
enum Size {
    static func text(_ value: JSONValue?) -> String {
        guard let value, let bytes = value.integer else { return "-" }
        return text(bytes)
    }

    static func text(_ bytes: Int64) -> String {
        switch bytes.magnitude {
        case ..<10_000: "\(bytes) B"
        case ..<1_000_000: tenths(bytes, 1_000) + " kB"
        case ..<1_000_000_000: tenths(bytes, 1_000_000) + " MB"
        default: tenths(bytes, 1_000_000_000) + " GB"
        }
    }

    private static func tenths(_ bytes: Int64, _ unit: Int64) -> String {
        let tenths = (bytes + unit / 20) / (unit / 10)
        return "\(tenths / 10).\(tenths % 10)"
    }
}
