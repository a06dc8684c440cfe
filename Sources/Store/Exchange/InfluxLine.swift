import Metering
import Timekeeping

/// One point of line protocol: `measurement,tag=text field=value,field=value time`.
struct InfluxLine {
    private var measurement = ""
    private var tags: [(name: String, value: String)] = []
    private var fields: [(name: String, value: String)] = []
    private var time = ""

    /// More are no point of a meter.
    private static let maximumParts = 256

    init(_ line: UnsafeRawBufferPointer) throws(LineFault) {
        var i = 0
        measurement = InfluxLine.word(line, &i, until: ", ")
        guard !measurement.isEmpty else { throw LineFault("begins without a measurement") }
        while i < line.count, line[i] == UInt8(ascii: ",") {
            i += 1
            guard tags.count < InfluxLine.maximumParts else { throw LineFault("has too many tags") }
            let name = InfluxLine.word(line, &i, until: "=, ")
            guard i < line.count, line[i] == UInt8(ascii: "="), !name.isEmpty else {
                throw LineFault("has a tag without a value")
            }
            i += 1
            tags.append((name, InfluxLine.word(line, &i, until: ", ")))
        }
        InfluxLine.skipBlanks(line, &i)
        repeat {
            guard fields.count < InfluxLine.maximumParts else { throw LineFault("has too many fields") }
            let name = InfluxLine.word(line, &i, until: "=, ")
            guard i < line.count, line[i] == UInt8(ascii: "="), !name.isEmpty else {
                throw LineFault("has no field such as value=231.5")
            }
            i += 1
            fields.append((name, try InfluxLine.fieldValue(line, &i)))
            guard i < line.count, line[i] == UInt8(ascii: ",") else { break }
            i += 1
        } while true
        InfluxLine.skipBlanks(line, &i)
        time = InfluxLine.word(line, &i, until: " ")
        InfluxLine.skipBlanks(line, &i)
        guard i == line.count else { throw LineFault("has something behind its time") }
    }

    /// Calls `body` with each field that is a quantity.
    func readings(
        device: String?, precision: TimePrecision, _ body: (NamedReading) -> Void
    ) throws(LineFault) {
        let device = try Cells.device(tags.first { $0.name == "device" }?.value ?? device)
        let channel = try Cells.channel(tags.first { $0.name == "channel" }?.value)
        let time = try time(precision)
        var found = 0
        for (name, text) in fields {
            // A text, which no quantity has.
            if text.hasPrefix("\"") { continue }
            guard let quantity = name == "value" ? Quantity(name: measurement) : Quantity(name: name) else { continue }
            found += 1
            body(
                NamedReading(
                    device: device, channel: channel, quantity: quantity, time: time,
                    value: try InfluxLine.thousandths(text)))
        }
        guard found > 0 else {
            throw LineFault(
                "has no quantity: neither the measurement \(quoted(measurement)) with a field value nor a field's "
                    + "name is one")
        }
    }

    private func time(_ precision: TimePrecision) throws(LineFault) -> Timestamp {
        guard !time.isEmpty else { throw LineFault("has no time at its end") }
        // Wider than 64 bits, which end in the year 2262.
        guard time.utf8.count <= 24, let count = Int128(time) else {
            throw LineFault("has a bad time: \(quoted(time))")
        }
        let unit = precision.milliseconds
        guard count >= 0, let milliseconds = Int64(exactly: count * Int128(unit.multiplier) / Int128(unit.divisor))
        else { throw LineFault("has a time out of range: \(quoted(time))") }
        return try Cells.bounded(Timestamp(milliseconds: milliseconds), time)
    }

    private static func thousandths(_ text: String) throws(LineFault) -> Int64 {
        switch text {
        case "t", "T", "true", "True", "TRUE": return 1000
        case "f", "F", "false", "False", "FALSE": return 0
        default: break
        }
        let number = text.hasSuffix("i") || text.hasSuffix("u") ? String(text.dropLast()) : text
        guard let decimal = DecimalText(number), let value = Thousandths.from(decimal) else {
            throw LineFault("has a value that is not a number in range: \(quoted(text))")
        }
        return value
    }

    /// Up to one of the bytes of `ends`; a backslash before one of them, or before another backslash, takes it in.
    private static func word(_ line: UnsafeRawBufferPointer, _ i: inout Int, until ends: StaticString) -> String {
        var bytes: [UInt8] = []
        let ends = UnsafeBufferPointer(start: ends.utf8Start, count: ends.utf8CodeUnitCount)
        while i < line.count {
            let byte = line[i]
            if byte == UInt8(ascii: "\\"), i + 1 < line.count,
                [UInt8(ascii: ","), UInt8(ascii: "="), UInt8(ascii: " "), UInt8(ascii: "\\")].contains(line[i + 1])
            {
                bytes.append(line[i + 1])
                i += 2
                continue
            }
            if ends.contains(byte) { break }
            bytes.append(byte)
            i += 1
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// A text comes with its opening quote, so that it is known as one.
    private static func fieldValue(_ line: UnsafeRawBufferPointer, _ i: inout Int) throws(LineFault) -> String {
        guard i < line.count, line[i] == 0x22 else { return word(line, &i, until: ", ") }
        i += 1
        while i < line.count, line[i] != 0x22 { i += line[i] == UInt8(ascii: "\\") ? 2 : 1 }
        guard i < line.count else { throw LineFault("has a text whose quotes are not closed") }
        i += 1
        return "\""
    }

    private static func skipBlanks(_ line: UnsafeRawBufferPointer, _ i: inout Int) {
        while i < line.count, line[i] == 0x20 { i += 1 }
    }
}
