import Metering
import Timekeeping

extension PriceReader {
    func csv(_ bytes: [UInt8]) throws(PriceError) -> [Point] {
        // A byte order mark is no part of the first title.
        let start = bytes.starts(with: [0xEF, 0xBB, 0xBF]) ? 3 : 0
        let lines = bytes[start...].split(separator: 0x0A, omittingEmptySubsequences: false)
        var separator: UInt8 = UInt8(ascii: ",")
        var columns: (time: Int, price: Int)?
        var points: [Point] = []
        for (number, line) in lines.enumerated() {
            let text = line.last == 0x0D ? line.dropLast() : line
            if text.allSatisfy({ $0 <= 0x20 }) || text.first == UInt8(ascii: "#") { continue }
            guard let columns else {
                separator = PriceReader.separator(of: text)
                let titles = PriceReader.cells(text, separator)
                let time = try choose("time", layout.time, of: titles, usual: PriceReader.timeNames)
                columns = (time, try choose("price", layout.price, of: titles, usual: PriceReader.priceNames))
                continue
            }
            let cells = PriceReader.cells(text, separator)
            let place = "line \(number + 1)"
            guard cells.count > max(columns.time, columns.price) else {
                throw PriceError("\(place) has too few columns")
            }
            guard let time = time(cells[columns.time], after: points.last?.time) else {
                throw PriceError("\(place): \"\(cells[columns.time].prefix(40))\" is no time")
            }
            // Not out yet, or never: a dash and its kin are no price, not zero.
            if ["", "-", "n/e", "null", "nan"].contains(cells[columns.price].lowercased()) {
                points.append(Point(time: time, price: nil, place: place))
                continue
            }
            var number = cells[columns.price]
            if separator != UInt8(ascii: ","), !number.contains(".") { number = number.replacing(",", with: ".") }
            guard let price = price(number) else {
                throw PriceError("\(place): \"\(cells[columns.price].prefix(40))\" is no price")
            }
            points.append(Point(time: time, price: price, place: place))
            guard points.count <= PriceReader.maximumPrices else { break }
        }
        return points
    }

    private static func separator(of titles: ArraySlice<UInt8>) -> UInt8 {
        let candidates = [UInt8(ascii: ";"), UInt8(ascii: "\t"), UInt8(ascii: ",")]
        return candidates.first { titles.contains($0) } ?? UInt8(ascii: ",")
    }

    /// Cells without the quotes around them and the blanks beside them.
    private static func cells(_ line: ArraySlice<UInt8>, _ separator: UInt8) -> [String] {
        var cells: [String] = []
        var cell: [UInt8] = []
        var isQuoted = false
        for byte in line {
            if byte == UInt8(ascii: "\"") {
                isQuoted.toggle()
            } else if byte == separator, !isQuoted {
                cells.append(trimmed(cell))
                cell = []
            } else {
                cell.append(byte)
            }
        }
        cells.append(trimmed(cell))
        return cells
    }

    private static func trimmed(_ bytes: [UInt8]) -> String {
        let end = bytes.lastIndex { $0 > 0x20 }.map { $0 + 1 } ?? 0
        return String(decoding: bytes[..<end].drop { $0 <= 0x20 }, as: UTF8.self)
    }
}
