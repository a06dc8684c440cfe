import JSONScanner
import Metering

/// Bars of what a device took in each period, and gave where it gave anything, as wide as there is room.
struct UsageChart {
    private static let eighths = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"]
    /// A bar that says nothing is not drawn shorter than this.
    private static let leastWidth = 10

    private let by: UsageBy
    private let device: String
    private let width: Int
    private let isUTF8: Bool

    init(by: UsageBy, device: String, width: Int, isUTF8: Bool = Terminal.isUTF8) {
        self.by = by
        self.device = device
        self.width = width
        self.isUTF8 = isUTF8
    }

    private struct Line {
        var title: String
        /// mWh; nil: not known, which is no bar and not an empty one.
        var value: Int64?
        var note: String
    }

    func draw(_ all: [JSONValue]) -> String {
        let view = UsageListing.view(
            all.filter { Column.machine($0.member("device")) == device }, by, allChannels: false)
        guard let time = view.columns.first(where: { $0.key == "from" }) else { return "" }
        let exports = view.rows.contains { (UsageChart.energy($0.member("export_wh")) ?? 0) != 0 }
        var lines: [Line] = []
        for row in view.rows {
            let cost = Display.money(row.member("cost"))
            let currency = Column.machine(row.member("currency"))
            lines.append(
                Line(
                    title: time.cell(of: row), value: UsageChart.energy(row.member("import_wh")),
                    note: Display.kilowattHours(row.member("import_wh")) + (cost == "-" ? "" : "  \(cost) \(currency)"))
            )
            if exports {
                lines.append(
                    Line(
                        title: "", value: UsageChart.energy(row.member("export_wh")),
                        note: Display.kilowattHours(row.member("export_wh")) + "  out"))
            }
        }
        let titleWidth = max(lines.map(\.title.count).max() ?? 0, time.title.count)
        let noteWidth = lines.map(\.note.count).max() ?? 0
        let room = max(UsageChart.leastWidth, width - titleWidth - noteWidth - 4)
        let most = lines.compactMap(\.value).max() ?? 0
        let heading = time.title + String(repeating: " ", count: titleWidth - time.title.count)
        var text =
            Terminal.bold("\(heading)  kWh taken by \(Terminal.visible(device))\(exports ? ", and given" : "")") + "\n"
        for line in lines {
            let bar = bar(line.value ?? 0, of: most, room)
            let padding = String(repeating: " ", count: room - bar.count)
            let title = line.title + String(repeating: " ", count: titleWidth - line.title.count)
            let note = String(repeating: " ", count: noteWidth - line.note.count) + line.note
            text += "\(title)  \(Terminal.bar(bar))\(padding)  \(note)\n"
        }
        return text
    }

    /// As long as its share of the longest: to an eighth of a character, or to a whole one without UTF-8.
    private func bar(_ value: Int64, of most: Int64, _ room: Int) -> String {
        guard most > 0, value > 0 else { return "" }
        let length = Int(Int128(value) * Int128(room * 8) / Int128(most))
        // Something is never drawn as nothing.
        if !isUTF8 { return String(repeating: "#", count: max(1, (length + 4) / 8)) }
        let text = String(repeating: "█", count: length / 8) + UsageChart.eighths[length % 8]
        return text.isEmpty ? "▏" : text
    }

    private static func energy(_ value: JSONValue?) -> Int64? {
        value?.numberText.flatMap { DecimalText($0) }.flatMap { Thousandths.from($0) }
    }
}
