import JSONScanner
import Metering
import Timekeeping

/// Reads files of readings line by line. Pure; errors are of one line, and the next line can be read all the same.
public struct ReadingParser {
    /// A longer line is refused.
    public static let maximumLine = 64 << 10

    public let format: ExchangeFormat
    /// What lines are about that name no device themselves; nil: then they are refused.
    public var device: String?
    public var precision = TimePrecision.ns
    private var columns: CSVColumns?
    /// The first line of csv does not name the columns, so that no other line can be read.
    public private(set) var isWithoutColumns = false
    private let scanner = JSONScanner()

    /// `format` is one that is read: not `.prometheus`, of which each line is refused.
    public init(_ format: ExchangeFormat, device: String? = nil) {
        self.format = format
        self.device = device
    }

    /// Calls `body` with each reading of the line, which comes without its line feed. Blank lines, comments of line
    /// protocol and the first line of csv have none.
    ///
    /// `isCut`: the file ends without the line's line feed. In line protocol that is a fault: cut, the time at a line's
    /// end is another time, and a value without a time after it another value.
    public mutating func parse(
        _ line: UnsafeRawBufferPointer, isCut: Bool = false, _ body: (NamedReading) -> Void
    ) throws(LineFault) {
        let isHead = format == .csv && columns == nil
        do throws(LineFault) {
            try parse(oneLine: line, isCut, body)
        } catch {
            if isHead { isWithoutColumns = true }
            throw error
        }
    }

    private mutating func parse(
        oneLine line: UnsafeRawBufferPointer, _ isCut: Bool, _ body: (NamedReading) -> Void
    ) throws(LineFault) {
        guard !isWithoutColumns else { throw LineFault("is not read, since the first line does not name the columns") }
        var line = line
        if line.last == 0x0D { line = UnsafeRawBufferPointer(rebasing: line.dropLast()) }
        guard line.count <= ReadingParser.maximumLine else {
            throw LineFault("is longer than \(ReadingParser.maximumLine) bytes")
        }
        if line.allSatisfy({ $0 == 0x20 || $0 == 0x09 }) { return }
        switch format {
        case .csv:
            let cells = try CSVLine.cells(line)
            guard let columns else {
                self.columns = try CSVColumns(cells)
                return
            }
            if let reading = try columns.reading(cells, device: device) { body(reading) }
        case .jsonl:
            if let reading = try json(line) { body(reading) }
        case .influx:
            if line.first == UInt8(ascii: "#") { return }
            guard !isCut else {
                throw LineFault(
                    "is the last and has no line feed at its end, so it may be cut; if it is whole, end the file with "
                        + "a line feed")
            }
            try InfluxLine(line).readings(device: device, precision: precision, body)
        case .prometheus:
            throw LineFault("is of a format that is only written; csv, jsonl and influx are read")
        }
    }

    /// As above.
    public mutating func parse(
        _ line: some Sequence<UInt8>, isCut: Bool = false, _ body: (NamedReading) -> Void
    ) throws(LineFault) {
        let bytes = Array(line)
        var fault: LineFault?
        bytes.withUnsafeBytes { bytes in
            do throws(LineFault) { try parse(bytes, isCut: isCut, body) } catch { fault = error }
        }
        if let fault { throw fault }
    }

    private func json(_ line: UnsafeRawBufferPointer) throws(LineFault) -> NamedReading? {
        let device = device
        return try scanner.scan(line, malformed: { LineFault("is not JSON: \($0)") }) {
            (root) throws(LineFault) -> NamedReading? in
            guard root.kind == .object else { throw LineFault("is not a JSON object") }
            var cells = Cells()
            cells.device = root["device"]?.string() ?? device
            cells.channel = root["channel"]?.string()
            cells.quantity = root["quantity"]?.string()
            cells.unit = root["unit"]?.string()
            guard let time = root["time"] else { throw LineFault("has no time") }
            cells.time = time.string() ?? time.numberText.map { String(decoding: $0, as: UTF8.self) }
            guard let value = root["value"] else { throw LineFault("has no value") }
            if !value.isNull {
                guard let text = value.numberText else { throw LineFault("has a value that is not a number") }
                cells.value = String(decoding: text, as: UTF8.self)
            }
            return try cells.reading()
        }
    }
}

/// What a line says, before it is known whether that is a reading.
struct Cells {
    var time: String?
    var device: String?
    var channel: String?
    var quantity: String?
    /// Nil where the line validly says that there is no value.
    var value: String?
    var unit: String?

    func reading() throws(LineFault) -> NamedReading? {
        let device = try Cells.device(device)
        let quantity = try Cells.quantity(quantity)
        let channel = try Cells.channel(channel)
        let time = try Cells.time(time)
        guard let value else { return nil }
        let scale = try Cells.scale(unit, of: quantity)
        guard let decimal = DecimalText(value) else {
            throw LineFault("has a value that is not a number: \(quoted(value))")
        }
        guard let thousandths = Thousandths.from(decimal, scale: scale) else {
            throw LineFault("has a value out of range: \(quoted(value))")
        }
        return NamedReading(device: device, channel: channel, quantity: quantity, time: time, value: thousandths)
    }

    static func device(_ text: String?) throws(LineFault) -> String {
        guard let text, !text.isEmpty else { throw LineFault("names no device") }
        guard text.utf8.count <= Device.maximumNameLength else {
            throw LineFault("has a device's name of more than \(Device.maximumNameLength) bytes")
        }
        guard !text.utf8.contains(where: { $0 < 0x20 || $0 == 0x7F }) else {
            throw LineFault("has a control character in the device's name")
        }
        return text
    }

    static func quantity(_ text: String?) throws(LineFault) -> Quantity {
        guard let text, !text.isEmpty else { throw LineFault("names no quantity") }
        guard let quantity = Quantity(name: text) else {
            throw LineFault(
                "has a quantity that is not known: \(quoted(text)); power and energy_import are two that are")
        }
        return quantity
    }

    static func channel(_ text: String?) throws(LineFault) -> Channel {
        guard let text, !text.isEmpty else { return .total }
        guard let channel = Channel(text) else {
            throw LineFault("has a bad channel: \(quoted(text)); a channel is 1 to 15 of a–z, 0–9 and _")
        }
        return channel
    }

    static func time(_ text: String?) throws(LineFault) -> Timestamp {
        guard let text, !text.isEmpty else { throw LineFault("has no time") }
        if text.utf8.first.map({ ($0 >= 0x30 && $0 <= 0x39) }) == true, let decimal = DecimalText(text) {
            guard let thousandths = Thousandths.from(decimal) else {
                throw LineFault("has a time out of range: \(quoted(text))")
            }
            // Seconds below 10¹², else milliseconds.
            let milliseconds = thousandths / 1000 < 1_000_000_000_000 ? thousandths : thousandths / 1000
            return try bounded(Timestamp(milliseconds: milliseconds), text)
        }
        do {
            return try bounded(try Timestamp(rfc3339: text), text)
        } catch let error as RFC3339Error {
            throw LineFault("has a bad time, \(quoted(text)): \(error)")
        } catch let fault as LineFault {
            throw fault
        } catch {
            throw LineFault("has a bad time, \(quoted(text))")
        }
    }

    static func bounded(_ time: Timestamp, _ text: String) throws(LineFault) -> Timestamp {
        guard Timestamp.validRange.contains(time) else { throw LineFault("has a time out of range: \(quoted(text))") }
        return time
    }

    /// The canonical unit, or that with a prefix.
    private static func scale(_ unit: String?, of quantity: Quantity) throws(LineFault) -> Scale {
        guard let unit, !unit.isEmpty, unit != quantity.unit else { return .one }
        switch unit {
        case "k" + quantity.unit: return Scale(1000)
        case "M" + quantity.unit: return Scale(1_000_000)
        case "m" + quantity.unit: return Scale(1, per: 1000)
        default:
            throw LineFault("has \(quantity) in \(quoted(unit)), and its unit is \(quantity.unit)")
        }
    }
}

/// A text from outside in a message: short, and nothing in it that a terminal would obey.
func quoted(_ text: String) -> String {
    var shown = ""
    for scalar in text.unicodeScalars.prefix(40) {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator: shown += "?"
        default: shown.unicodeScalars.append(scalar)
        }
    }
    return "\"\(shown)\(text.unicodeScalars.count > 40 ? "…" : "")\""
}
