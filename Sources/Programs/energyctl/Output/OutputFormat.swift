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
struct Column {
    var key: String
    var title: String
    var alignsRight = false
    /// What a person sees in the table; CSV and JSON keep the machine's form.
    var display: (JSONValue?) -> String = { Column.plain($0) }

    /// `-` where nothing is known.
    static func plain(_ value: JSONValue?) -> String {
        guard let value, !value.isNull else { return "-" }
        return machine(value)
    }

    static func machine(_ value: JSONValue?) -> String {
        guard let value, !value.isNull else { return "" }
        if value.kind == .string { return value.string() ?? "" }
        if value.kind == .array { return value.elements.map { machine($0) }.joined(separator: " ") }
        return String(decoding: value.text, as: UTF8.self)
    }
}

extension OutputFormat {
    /// Prints a JSON array of objects.
    func print(
        _ bytes: [UInt8], columns: [Column], noHeaders: Bool, emptyMessage: String
    ) throws {
        let document: JSONDocument
        do {
            document = try JSONDocument(bytes: bytes)
        } catch {
            throw Failure(.failed, "energyd's answer is not JSON: \(error)")
        }
        let rows = document.root.elements
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
            var table = Table(columns.map { Table.Column(title: $0.title, alignsRight: $0.alignsRight) })
            for row in rows { table.append(columns.map { $0.display(row.member($0.key)) }) }
            Terminal.write(table.render(noHeaders: noHeaders))
        }
    }
}
