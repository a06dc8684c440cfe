import APITypes
import Devices
import JSONText
import Metering
import Timekeeping

/// What one message meant, as `energyctl decode mqtt` prints it.
struct MessageAnswer {
    var readings: [DecodedReading] = []
    /// Why the message, or a part of it, could not be read.
    var error: String?
    /// What a person may want to know of a message that is not broken.
    var notes: [String] = []

    init(error: String? = nil) {
        self.error = error
    }

    /// The readings alone.
    func encoded() -> [UInt8] {
        var json = JSONWriter()
        json.array { json in
            for reading in readings { reading.encode(to: &json) }
        }
        return json.bytes
    }

    /// `{"error":…,"readings":[…]}`
    func encodedLine() -> [UInt8] {
        var json = JSONWriter()
        json.object {
            if let error {
                $0.key("error")
                $0.text(error)
            }
            $0.key("readings")
            $0.array { json in
                for reading in readings { reading.encode(to: &json) }
            }
        }
        return json.bytes
    }
}

/// One value of a message, with its device.
struct DecodedReading {
    var device: String
    var sample: Sample
    /// The broker had stored it.
    var isRetained: Bool

    func encode(to json: inout JSONWriter) {
        json.object {
            $0.key("device")
            $0.text(device)
            $0.key("channel")
            $0.text(sample.channel.name)
            $0.key("quantity")
            $0.text(sample.quantity.name)
            $0.key("unit")
            $0.text(sample.quantity.unit)
            $0.key("value")
            $0.raw(Thousandths.text(sample.value))
            if case .utc(let time) = sample.time {
                $0.key("time")
                $0.text(time.rfc3339())
            }
            if isRetained {
                $0.key("retained")
                $0.bool(true)
            }
        }
    }
}
