import APITypes
import ArgumentParser
import ConfigurationFile
import Devices
import Timekeeping

struct DecodeMQTTCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mqtt",
        abstract: "Says what an MQTT message means, offline, exactly as energyd would read it.",
        discussion: """
            One message:
              energyctl decode mqtt --topic tele/plug/SENSOR --payload-file message.json -o json
              mosquitto_sub -C 1 -t zigbee2mqtt/desk | energyctl decode mqtt --topic zigbee2mqtt/desk

            A recorded sequence, with what the decoder keeps between messages, one line a message:
              {"topic":"tele/plug/SENSOR","payload":"{\\"ENERGY\\":{\\"Power\\":52}}"}
            with "payload_b64" in place of "payload" for bytes that are no text, "retain":true for what the broker had \
            stored, and "received" (RFC 3339) for when it came. Each line is answered by one: {"readings":[…]}, with \
            "error" where something could not be read.

            Values are in canonical units, of time only what the source states and energyd believes. A reading that \
            the broker had stored says so: it is old. Status 0 also when the message validly says nothing; 1 when it \
            is broken, and with --lines when a line of the file is.
            """)

    @Option(help: "The topic of the one message.") var topic: String?
    @Option(help: "Read it with this family's profile alone: tasmota, shelly_gen1, … (`energyctl profile list`).")
    var family: String?
    @Option(help: "File with the payload; - is stdin, which is the default.") var payloadFile = "-"
    @Option(help: "File of messages, one JSON object a line; - is stdin.") var lines: String?
    @Flag(help: "The one message had been stored by the broker.") var retain = false
    @Option(help: "The daemon's configuration: mappings, zones, full topics, directories of profiles.")
    var config: String?
    @OptionGroup var output: OutputOptions

    func validate() throws {
        if (topic == nil) == (lines == nil) {
            throw ValidationError("Say either --topic, for one message, or --lines, for a file of them.")
        }
    }

    func run() throws {
        let session = try MessageSession(family: family, configuration: config)
        if let lines { return try decode(lines: lines, session) }
        guard let topic else { return }
        let payload = try WholeFile.read(payloadFile, maximum: MessageDecoder.maximumPayload + 1)
        let answer = session.decode(
            topic: Array(topic.utf8), payload: payload, retained: retain, received: SystemClock().now().wall)
        for note in answer.notes { Terminal.complain("\(topic): \(note)") }
        if let error = answer.error, answer.readings.isEmpty { throw Failure(.failed, "\(topic): \(error)") }
        if let error = answer.error { Terminal.complain("\(topic): \(error)") }
        try output.output.print(
            answer.encoded(), columns: DecodeMQTTCommand.columns, noHeaders: output.noHeaders,
            emptyMessage: "The message says nothing that is measured.")
    }

    /// Answers line by line, so that a pipe sees each as it comes.
    private func decode(lines path: String, _ session: MessageSession) throws {
        var reader = try LineReader(path: path, maximum: MessageLine.maximumLength)
        var number = 0
        var broken = 0
        while let line = try reader.next() {
            number += 1
            if line.allSatisfy({ $0 == 0x20 || $0 == 0x09 }) { continue }
            var answer: MessageAnswer
            do throws(LineError) {
                let message = try MessageLine(line)
                answer = session.decode(
                    topic: message.topic, payload: message.payload, retained: message.retained,
                    received: message.received ?? SystemClock().now().wall)
            } catch {
                broken += 1
                answer = MessageAnswer(error: "the line \(error)")
                Terminal.complain("\(path):\(number): the line \(error)")
            }
            Terminal.write(answer.encodedLine() + [0x0A])
        }
        if broken > 0 {
            throw Failure(.failed, "\(broken == 1 ? "1 line" : "\(broken) lines") of \(path) could not be read")
        }
    }

    private static let columns = [
        Column(key: "device", title: "DEVICE"),
        Column(key: "channel", title: "CHANNEL"),
        Column(key: "quantity", title: "QUANTITY"),
        Column(key: "value", title: "VALUE", alignsRight: true),
        Column(key: "unit", title: "UNIT"),
        Column(key: "time", title: "TIME (UTC)") { Display.milliseconds($0) },
        Column(key: "retained", title: "RETAINED"),
    ]
}
