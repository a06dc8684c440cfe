import ArgumentParser
import JSONScanner

/// How an answer is printed.
enum OutputFormat: String, ExpressibleByArgument, CaseIterable {
    case table, json, csv
}

/// Options that every command with an answer has.
struct OutputOptions: ParsableArguments {
    @Option(name: [.customShort("o"), .long], help: "How to print the answer: table, json or csv.")
    var output: OutputFormat = .table

    @Flag(help: "Leave out the line of column titles (table and csv).")
    var noHeaders = false
}

/// One column of an answer that is a list of JSON objects.
struct Column: Sendable {
    var key: String
    var title: String
    var alignsRight = false
    /// What a person sees in the table; CSV and JSON keep the machine's form.
    var display: @Sendable (JSONValue?) -> String = { Column.plain($0) }

    /// What a person sees of one row.
    func cell(of row: JSONValue) -> String { display(row.member(key)) }

    /// `-` where nothing is known.
    static func plain(_ value: JSONValue?) -> String {
        guard let value, !value.isNull else { return "-" }
        return machine(value)
    }

    /// Empty where nothing is known.
    static func machine(_ value: JSONValue?) -> String {
        guard let value, !value.isNull else { return "" }
        if value.kind == .string { return value.string() ?? "" }
        if value.kind == .array { return value.elements.map { machine($0) }.joined(separator: " ") }
        return String(decoding: value.text, as: UTF8.self)
    }
}

/// A table as a person reads it: only the rows and columns that say something.
struct TableView {
    var columns: [Column]
    var rows: [JSONValue]
}

extension JSONDocument {
    /// As much as the client takes of an answer: a million readings.
    private static let limits = JSONLimits(bytes: DaemonClient.maximumAnswer, tokens: 1 << 26)

    /// An answer of energyd.
    init(answer bytes: [UInt8]) throws {
        do {
            try self.init(bytes: bytes, limits: JSONDocument.limits)
        } catch {
            throw Failure(.failed, "energyd's answer cannot be read: \(error)")
        }
    }
}

extension OutputFormat {
    /// Prints a JSON array of objects: CSV has all of `columns`; a table those that `view` leaves, of the rows it
    /// leaves.
    func print(
        _ bytes: [UInt8], columns: [Column], noHeaders: Bool, emptyMessage: String,
        view: ([JSONValue]) -> TableView
    ) throws {
        let rows = Array(try JSONDocument(answer: bytes).root.elements)
        switch self {
        case .json:
            // One object a line: a person can read it and a line tool can cut it.
            let lines = rows.map { String(decoding: $0.text, as: UTF8.self) }
            Terminal.write(lines.isEmpty ? "[]\n" : "[\n" + lines.joined(separator: ",\n") + "\n]\n")
        case .csv:
            if !noHeaders { Terminal.write(CSV.line(columns.map(\.key))) }
            for row in rows { Terminal.write(CSV.line(columns.map { Column.machine(row.member($0.key)) })) }
        case .table:
            guard !rows.isEmpty else {
                Terminal.complain(raw: emptyMessage)
                return
            }
            let view = view(rows)
            var table = Table(view.columns.map { Table.Column(title: $0.title, alignsRight: $0.alignsRight) })
            for row in view.rows { table.append(view.columns.map { $0.cell(of: row) }) }
            Terminal.write(table.render(noHeaders: noHeaders))
        }
    }

    /// As above, all rows and columns in the table too.
    func print(_ bytes: [UInt8], columns: [Column], noHeaders: Bool, emptyMessage: String) throws {
        try print(bytes, columns: columns, noHeaders: noHeaders, emptyMessage: emptyMessage) {
            TableView(columns: columns, rows: $0)
        }
    }
}

extension [JSONValue] {
    /// Whether any row has something other than null, an empty text or zero there.
    func say(_ key: String) -> Bool {
        contains { row in
            let text = Column.machine(row.member(key))
            return !text.isEmpty && text.contains { $0 != "0" && $0 != "." }
        }
    }
}
