/// Columns of text, aligned; numbers to the right.
struct Table {
    struct Column {
        var title: String
        var alignsRight = false
    }

    let columns: [Column]
    private(set) var rows: [[String]] = []

    init(_ columns: [Column]) {
        self.columns = columns
    }

    /// A cell for each column.
    mutating func append(_ row: [String]) {
        precondition(row.count == columns.count)
        rows.append(row.map(Terminal.visible))
    }

    /// A line of titles, then the rows.
    func render(noHeaders: Bool = false) -> String {
        var widths = columns.map { $0.title.count }
        for row in rows {
            for (i, cell) in row.enumerated() { widths[i] = max(widths[i], cell.count) }
        }
        var text = noHeaders ? "" : line(columns.map(\.title), widths, style: Terminal.bold)
        for row in rows { text += line(row, widths) { $0 } }
        return text
    }

    private func line(_ cells: [String], _ widths: [Int], style: (String) -> String) -> String {
        var line = ""
        for (i, cell) in cells.enumerated() {
            let padding = String(repeating: " ", count: widths[i] - cell.count)
            let isLast = i == cells.count - 1
            line += columns[i].alignsRight ? padding + cell : isLast ? cell : cell + padding
            if !isLast { line += "  " }
        }
        // An empty last cell leaves no blanks behind.
        while line.last == " " { line.removeLast() }
        return style(line) + "\n"
    }
}

/// RFC 4180: quotes where a cell needs them.
enum CSV {
    static func line(_ cells: [String]) -> String {
        cells.map { cell in
            let needsQuotes = cell.utf8.contains { $0 == 0x22 || $0 == 0x2C || $0 == 0x0A || $0 == 0x0D }
            guard needsQuotes else { return cell }
            var quoted = "\""
            for character in cell { quoted += character == "\"" ? "\"\"" : String(character) }
            return quoted + "\""
        }.joined(separator: ",") + "\n"
    }
}
