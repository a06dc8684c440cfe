import Metering

/// One line of RFC 4180 text.
enum CSVLine {
    /// More are no table of readings.
    static let maximumCells = 256

    static func cells(_ line: UnsafeRawBufferPointer) throws(LineFault) -> [String] {
        var cells: [String] = []
        var i = 0
        while true {
            guard cells.count < maximumCells else { throw LineFault("has more than \(maximumCells) cells") }
            if i < line.count, line[i] == 0x22 {
                cells.append(try quotedCell(line, &i))
            } else {
                let start = i
                while i < line.count, line[i] != UInt8(ascii: ",") {
                    if line[i] == 0x22 { throw LineFault("has a quote inside a cell that does not begin with one") }
                    i += 1
                }
                cells.append(String(decoding: line[start..<i], as: UTF8.self))
            }
            if i >= line.count { return cells }
            // What ends a cell is a comma.
            i += 1
        }
    }

    private static func quotedCell(_ line: UnsafeRawBufferPointer, _ i: inout Int) throws(LineFault) -> String {
        var bytes: [UInt8] = []
        i += 1
        while true {
            guard i < line.count else { throw LineFault("has a cell whose quotes are not closed on it") }
            if line[i] != 0x22 {
                bytes.append(line[i])
            } else if i + 1 < line.count, line[i + 1] == 0x22 {
                bytes.append(0x22)
                i += 1
            } else {
                break
            }
            i += 1
        }
        i += 1
        guard i == line.count || line[i] == UInt8(ascii: ",") else {
            throw LineFault("has text behind the closing quote of a cell")
        }
        return String(decoding: bytes, as: UTF8.self)
    }
}

/// Where the cells of a reading stand, from the first line of the file.
struct CSVColumns: Hashable, Sendable {
    private var places: [String: Int] = [:]
    private let count: Int

    private static let wanted = ["time", "device", "channel", "quantity", "value", "unit"]

    init(_ titles: [String]) throws(LineFault) {
        count = titles.count
        for (i, title) in titles.enumerated() {
            var name = title.lowercased()
            // A byte order mark, as spreadsheets write it, is not a part of the name.
            if i == 0, name.hasPrefix("\u{FEFF}") { name.removeFirst() }
            guard CSVColumns.wanted.contains(name) else { continue }
            guard places[name] == nil else { throw LineFault("has two columns \(name)") }
            places[name] = i
        }
        for name in ["time", "quantity", "value"] where places[name] == nil {
            let hint = titles.count == 1 && titles[0].contains(";") ? "; cells are separated by commas" : ""
            throw LineFault(
                "is the first and has no column \(name); it names the columns, as in "
                    + "time,device,channel,quantity,value,unit\(hint)")
        }
    }

    func reading(_ cells: [String], device: String?) throws(LineFault) -> NamedReading? {
        guard cells.count == count else {
            throw LineFault("has \(cells.count) cells and not \(count) as the first line")
        }
        func cell(_ name: String) -> String? { places[name].map { cells[$0] } }
        var found = Cells()
        found.time = cell("time")
        found.device = cell("device") ?? device
        found.channel = cell("channel")
        found.quantity = cell("quantity")
        found.value = cell("value").flatMap { $0.isEmpty ? nil : $0 }
        found.unit = cell("unit")
        return try found.reading()
    }
}
