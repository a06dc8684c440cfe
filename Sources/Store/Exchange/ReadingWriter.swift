import Metering
import Timekeeping

/// Writes readings in one of the formats. Pure: bytes gather until they are taken.
public struct ReadingWriter: Sendable {
    public let format: ExchangeFormat
    private var bytes: [UInt8] = []
    /// The quantity whose head was written last; prometheus only.
    private var family: Quantity?

    /// `withHead`: with the line of column titles (csv).
    public init(_ format: ExchangeFormat, withHead: Bool = true) {
        self.format = format
        if format == .csv, withHead { bytes += "time,device,channel,quantity,value,unit\n".utf8 }
    }

    /// Bytes that wait to be taken.
    public var count: Int { bytes.count }

    /// What was written since the last call.
    public mutating func take() -> [UInt8] {
        defer { bytes.removeAll(keepingCapacity: true) }
        return bytes
    }

    /// Ends the file; nothing follows.
    public mutating func finish() {
        if format == .prometheus { bytes += "# EOF\n".utf8 }
    }

    public mutating func append(_ reading: NamedReading) {
        switch format {
        case .csv: appendCSV(reading)
        case .jsonl: appendJSON(reading)
        case .influx: appendInflux(reading)
        case .prometheus: appendPrometheus(reading)
        }
        bytes.append(0x0A)
    }

    private mutating func appendCSV(_ reading: NamedReading) {
        reading.time.appendRFC3339(to: &bytes)
        bytes.append(UInt8(ascii: ","))
        cell(reading.device)
        bytes += ",\(reading.channel.name),\(reading.quantity.name),".utf8
        bytes += Thousandths.text(reading.value).utf8
        bytes.append(UInt8(ascii: ","))
        bytes += reading.quantity.unit.utf8
    }

    /// RFC 4180.
    private mutating func cell(_ text: String) {
        let needsQuotes = text.utf8.contains { $0 == 0x22 || $0 == 0x2C || $0 == 0x0A || $0 == 0x0D }
        guard needsQuotes else {
            bytes += text.utf8
            return
        }
        bytes.append(0x22)
        for byte in text.utf8 {
            if byte == 0x22 { bytes.append(0x22) }
            bytes.append(byte)
        }
        bytes.append(0x22)
    }

    private mutating func appendJSON(_ reading: NamedReading) {
        bytes += "{\"time\":\"".utf8
        reading.time.appendRFC3339(to: &bytes)
        bytes += "\",\"device\":\"".utf8
        for byte in reading.device.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes += [UInt8(ascii: "\\"), byte]
            case 0..<0x20, 0x7F:
                let digits = Array("0123456789abcdef".utf8)
                bytes += "\\u00".utf8
                bytes += [digits[Int(byte >> 4)], digits[Int(byte & 15)]]
            default: bytes.append(byte)
            }
        }
        bytes += "\",\"channel\":\"\(reading.channel.name)\",\"quantity\":\"\(reading.quantity.name)\",\"value\":".utf8
        bytes += Thousandths.text(reading.value).utf8
        bytes += ",\"unit\":\"\(reading.quantity.unit)\"}".utf8
    }

    private mutating func appendInflux(_ reading: NamedReading) {
        bytes += "\(reading.quantity.name),channel=\(reading.channel.name),device=".utf8
        for byte in reading.device.utf8 {
            switch byte {
            case UInt8(ascii: ","), UInt8(ascii: "="), UInt8(ascii: " "), UInt8(ascii: "\\"):
                bytes += [UInt8(ascii: "\\"), byte]
            default: bytes.append(byte)
            }
        }
        bytes += " value=".utf8
        bytes += Thousandths.text(reading.value).utf8
        bytes.append(UInt8(ascii: " "))
        bytes += String(reading.time.milliseconds).utf8
        if reading.time.milliseconds != 0 { bytes += "000000".utf8 }
    }

    private mutating func appendPrometheus(_ reading: NamedReading) {
        let unit = ReadingWriter.unitName(of: reading.quantity)
        let name = "energyd_\(reading.quantity.name)" + (unit.map { "_\($0)" } ?? "")
        let isCounter = reading.quantity.behaviour == .counter
        if family != reading.quantity {
            family = reading.quantity
            bytes += "# TYPE \(name) \(isCounter ? "counter" : "gauge")\n".utf8
            if let unit { bytes += "# UNIT \(name) \(unit)\n".utf8 }
        }
        bytes += "\(name)\(isCounter ? "_total" : ""){device=\"".utf8
        for byte in reading.device.utf8 {
            switch byte {
            case UInt8(ascii: "\""), UInt8(ascii: "\\"): bytes += [UInt8(ascii: "\\"), byte]
            case 0x0A: bytes += "\\n".utf8
            default: bytes.append(byte)
            }
        }
        bytes += "\",channel=\"\(reading.channel.name)\"} ".utf8
        bytes += Thousandths.text(reading.value).utf8
        bytes.append(UInt8(ascii: " "))
        bytes += Thousandths.text(reading.time.milliseconds).utf8
    }

    /// As metrics are named: units in full, none for a plain number.
    private static func unitName(of quantity: Quantity) -> String? {
        switch quantity.unit {
        case "W": "watts"
        case "VA": "volt_amperes"
        case "var": "vars"
        case "V": "volts"
        case "A": "amperes"
        case "Hz": "hertz"
        case "Wh": "watt_hours"
        case "varh": "var_hours"
        case "%": "percent"
        case "C": "celsius"
        case "m3": "cubic_metres"
        case "L": "litres"
        case "B": "bytes"
        case "s": "seconds"
        default: nil
        }
    }
}
