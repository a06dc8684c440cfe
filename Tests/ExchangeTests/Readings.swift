import Exchange
import Foundation
import Metering
import Testing
import Timekeeping

/// A file's lines, parsed: readings and faults by line number.
struct Parsed: Equatable {
    var readings: [NamedReading] = []
    var faults: [Int: String] = [:]

    init(_ bytes: [UInt8], as format: ExchangeFormat, device: String? = nil, precision: TimePrecision = .ns) {
        var parser = ReadingParser(format, device: device)
        parser.precision = precision
        for (i, line) in bytes.split(separator: 0x0A, omittingEmptySubsequences: false).enumerated() {
            do {
                try Array(line).withUnsafeBytes { line in try parser.parse(line) { readings.append($0) } }
            } catch {
                faults[i + 1] = "\(error)"
            }
        }
    }

    init(_ text: String, as format: ExchangeFormat, device: String? = nil, precision: TimePrecision = .ns) {
        self.init(Array(text.utf8), as: format, device: device, precision: precision)
    }
}

func written(_ readings: [NamedReading], as format: ExchangeFormat) -> [UInt8] {
    var writer = ReadingWriter(format)
    for reading in readings { writer.append(reading) }
    writer.finish()
    return writer.take()
}

func reading(
    _ device: String, _ quantity: Quantity, _ value: Int64, at milliseconds: Int64, channel: Channel = .total
) -> NamedReading {
    NamedReading(
        device: device, channel: channel, quantity: quantity, time: Timestamp(milliseconds: milliseconds), value: value)
}
