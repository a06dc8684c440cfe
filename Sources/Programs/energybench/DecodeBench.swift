import Devices
import Timekeeping

/// What one message of a family costs from bytes to samples.
enum DecodeBench {
    private static let rounds = 400_000

    static func run() {
        let text = """
            {"Time":"2026-05-17T12:00:00","ENERGY":{"Total":1234.567,"Power":400.1,"Voltage":230,\
            "Current":1.750,"Factor":0.98}}
            """
        let payload = Array(text.utf8)
        let topics = (0..<200).map { plug in
            let digits = String(plug)
            return Array("tele/plug\(String(repeating: "0", count: 3 - digits.utf8.count))\(digits)/SENSOR".utf8)
        }
        let decoder = MessageDecoder(profiles: ProfileCatalog.builtIn.profiles)
        var message = DecodedMessage()
        var samples = 0
        func decode(_ rounds: Int) {
            for round in 0..<rounds {
                topics[round % topics.count].withUnsafeBytes { topic in
                    payload.withUnsafeBytes { payload in
                        decoder.decode(
                            topic: topic, payload: payload, retained: false, received: Household.start, into: &message)
                    }
                }
                samples += message.samples.count
            }
        }
        decode(topics.count * 10)
        let watch = Stopwatch()
        decode(rounds)
        precondition(samples >= 5 * rounds, "a message gave fewer than five samples")
        report("mqtt.decode_ns.tasmota", watch.cpu / Double(rounds) * 1e9, "ns")
    }
}
