import Devices
import JSONScanner
import Metering
import Timekeeping

/// One line of a file of readings: `{"time":…,"device":…,"channel":…,"quantity":…,"value":…,"received":…}`.
struct ReadingLine {
    var device: String
    var time: Timestamp
    var received: Timestamp
    /// Nil where `value` is null: the line validly says nothing.
    var sample: Sample?

    /// Longer lines are refused.
    static let maximumLength = 64 << 10

    init(_ root: JSONValue) throws(LineError) {
        guard let device = root["device"]?.string(), !device.isEmpty, device.utf8.count <= Device.maximumNameLength
        else {
            throw LineError("has no device, a name of 1 to \(Device.maximumNameLength) bytes")
        }
        let channelName = root["channel"]?.string() ?? "total"
        guard let channel = Channel(channelName) else { throw LineError("has a bad channel: \(channelName)") }
        guard let quantityName = root["quantity"]?.string(), let quantity = Quantity(name: quantityName) else {
            throw LineError("has no quantity that is known: \(root["quantity"]?.string() ?? "none")")
        }
        time = try ReadingLine.time(root, "time")
        received = root["received"] == nil ? time : try ReadingLine.time(root, "received")
        self.device = device
        guard let value = root["value"] else { throw LineError("has no value") }
        if value.isNull { return }
        guard let text = value.numberText, let decimal = DecimalText(text), let thousandths = Thousandths.from(decimal)
        else { throw LineError("has a value that is not a number in range") }
        sample = Sample(channel: channel, quantity: quantity, value: thousandths, time: .utc(time))
    }

    private static func time(_ root: JSONValue, _ key: String) throws(LineError) -> Timestamp {
        guard let text = root.member(key)?.string() else { throw LineError("has no \(key)") }
        do {
            return try Timestamp(rfc3339: text)
        } catch {
            throw LineError("has a bad \(key), \(text): \(error)")
        }
    }
}

/// What one line of a replay is.
enum ReplayLine {
    case reading(ReadingLine)
    case command(CommandLine)

    init(_ bytes: [UInt8], number: Int) throws(LineError) {
        guard bytes.count <= ReadingLine.maximumLength else {
            throw LineError("is longer than \(ReadingLine.maximumLength) bytes")
        }
        let document: JSONDocument
        do {
            document = try JSONDocument(bytes: bytes)
        } catch {
            throw LineError("is not JSON: \(error)")
        }
        guard document.root.kind == .object else { throw LineError("is not a JSON object") }
        if let command = try CommandLine(document.root, number: number) {
            self = .command(command)
        } else {
            self = .reading(try ReadingLine(document.root))
        }
    }
}

/// Why a line is left out.
struct LineError: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) {
        self.description = description
    }
}
