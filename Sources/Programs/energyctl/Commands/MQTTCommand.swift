import ArgumentParser
import ConfigurationFile
import Devices
import Glibc
import JSONText
import MQTT
import Metering
import Synchronization
import Timekeeping

struct MQTTCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "mqtt", abstract: "Looks at a broker.", subcommands: [Sniff.self])

    struct Sniff: ParsableCommand {
        static let configuration = CommandConfiguration(
            commandName: "sniff",
            abstract: "Listens to a broker: what is there, what each topic is taken for, and what is not understood.",
            discussion: """
                Nothing is stored and nothing is sent. On a terminal the list is drawn anew each second until Ctrl-C; \
                otherwise it is printed once, after --seconds.

                  energyctl mqtt sniff
                  energyctl mqtt sniff --host 192.168.1.5 --topic 'shellies/#' --seconds 60 -o json
                """)

        @Option(help: "The daemon's configuration: broker, mappings, directories of profiles.") var config: String?
        @Option(help: "The broker, in place of the configuration's.") var host: String?
        @Option(help: "Its port.") var port: Int?
        @Option(help: "User name.") var username: String?
        @Option(help: "File with the password.") var passwordFile: String?
        @Option(help: "Topics to listen to.") var topic = "#"
        @Option(help: "How long to listen; default: until Ctrl-C on a terminal, else 10.") var seconds: Int?
        @Flag(help: "Only topics that are not understood.") var unknown = false
        @OptionGroup var output: OutputOptions

        func validate() throws {
            if let port, !(1...65_535).contains(port) { throw ValidationError("--port: must be 1 to 65535") }
            if let seconds, !(1...86_400).contains(seconds) { throw ValidationError("--seconds: must be 1 to 86400") }
        }

        func run() throws {
            var configuration = try config.map { try ConfigCommand.Check.load($0) } ?? Configuration()
            if let host { configuration.mqtt.host = host }
            if let port { configuration.mqtt.port = port }
            if let username { configuration.mqtt.username = username }
            if let passwordFile { configuration.mqtt.passwordFile = passwordFile }
            // Never the daemon's own: the broker would throw the daemon out.
            configuration.mqtt.clientID = nil
            let sniffer = try BrokerSniffer(configuration, topic: topic)
            let isLive = output.output == .table && isatty(STDOUT_FILENO) == 1
            let until = (seconds ?? (isLive ? nil : 10)).map { SystemClock().now().monotonic + Int64($0) * Span.second }
            while until.map({ SystemClock().now().monotonic < $0 }) ?? true {
                let left = until.map { min(Span.second, max(0, $0 - SystemClock().now().monotonic)) } ?? Span.second
                usleep(UInt32(left * 1000))
                if isLive { draw(sniffer) }
            }
            guard sniffer.hasConnected else {
                throw Failure(.unreachable, "no connection to the broker: \(sniffer.connectionText)")
            }
            if !isLive { try printOnce(sniffer) }
        }

        private static let columns = [
            Column(key: "topic", title: "TOPIC"),
            Column(key: "messages", title: "MESSAGES", alignsRight: true),
            Column(key: "family", title: "TAKEN FOR"),
            Column(key: "device", title: "DEVICE"),
            Column(key: "meaning", title: "MEANING"),
        ]

        private func printOnce(_ sniffer: BrokerSniffer) throws {
            var json = JSONWriter()
            json.array { json in
                for heard in sniffer.topics(unknownOnly: unknown) { heard.encode(to: &json) }
            }
            try output.output.print(
                json.take(), columns: Sniff.columns, noHeaders: output.noHeaders,
                emptyMessage: unknown ? "Every topic heard is understood." : "Nothing was heard on \(topic).")
            if sniffer.dropped > 0 {
                Terminal.complain("\(sniffer.dropped) further topics are left out; --topic narrows the list")
            }
        }

        /// As many lines as the terminal has, cut to its width.
        private func draw(_ sniffer: BrokerSniffer) {
            var size = winsize()
            let isKnown = ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0 && size.ws_row > 0
            let (rows, width) = isKnown ? (Int(size.ws_row), Int(size.ws_col)) : (24, 80)
            let all = sniffer.topics(unknownOnly: unknown)
            var table = Table(Sniff.columns.map { Table.Column(title: $0.title, alignsRight: $0.alignsRight) })
            for heard in all.prefix(max(1, rows - 3)) {
                table.append([
                    heard.topic, "\(heard.messages)", heard.family ?? "-", heard.device ?? "-", heard.meaning,
                ])
            }
            let lines = table.render(noHeaders: output.noHeaders).split(separator: "\n").map { line in
                line.count <= width ? String(line) : String(line.prefix(max(1, width - 1))) + "…"
            }
            let known = all.count { $0.family != nil }
            let foot = "\(sniffer.connectionText); \(all.count) topics, \(known) understood; Ctrl-C ends"
            Terminal.write("\u{1B}[H\u{1B}[2J" + (lines + [foot]).joined(separator: "\n") + "\n")
        }
    }
}

/// Reads a broker's messages on the connection's own thread and keeps what each topic meant last.
final class BrokerSniffer: Sendable {
    /// One topic, as it was understood the last time.
    struct Heard: Sendable {
        var topic: String
        var messages = 0
        var family: String?
        var device: String?
        var meaning = ""

        func encode(to json: inout JSONWriter) {
            json.object {
                $0.field("topic", text: topic)
                $0.field("messages", number: messages)
                $0.field("family", text: family)
                $0.field("device", text: device)
                $0.field("meaning", text: meaning)
            }
        }
    }

    /// What only the connection's thread touches.
    private final class Decoding: @unchecked Sendable {
        let session: MessageSession

        init(_ session: MessageSession) {
            self.session = session
        }
    }

    private struct State {
        var topics: [String: Heard] = [:]
        var dropped = 0
        var text = "connecting"
        var hasConnected = false
    }

    /// Topics that are kept; a broker can have any number.
    private static let maximumTopics = 10_000
    private static let maximumMeaning = 200

    private let decoding: Decoding
    private let state = Mutex(State())
    private let connection = Mutex<MQTTConnection?>(nil)

    init(_ configuration: Configuration, topic: String) throws {
        decoding = Decoding(try MessageSession(family: nil, configuration))
        let identity = UInt64.random(in: 0 ... .max)
        do {
            var options = try configuration.mqtt.options(
                clientID: "energyctl-\(String(identity, radix: 16))", seed: identity)
            options.cleanSession = true
            let place = "\(options.host):\(options.port)"
            let started = try MQTTConnection(
                options: options, onState: { [self] in note($0, place) }, handler: { [self] in take($0) })
            try started.subscribe([(topic, .atMostOnce)])
            connection.withLock { $0 = started }
        } catch let error as MQTTError {
            throw Failure(.usage, "\(error)")
        } catch let error as ConfigurationError {
            throw Failure(.badConfiguration, "\(error)")
        }
    }

    var connectionText: String { state.withLock { $0.text } }
    var hasConnected: Bool { state.withLock { $0.hasConnected } }
    /// Topics that there was no room for.
    var dropped: Int { state.withLock { $0.dropped } }

    /// In the order of their names.
    func topics(unknownOnly: Bool) -> [Heard] {
        state.withLock { Array($0.topics.values) }
            .filter { !unknownOnly || $0.family == nil }
            .sorted { $0.topic < $1.topic }
    }

    private func note(_ connectionState: MQTTState, _ place: String) {
        state.withLock { state in
            state.text = "\(place): \(connectionState)"
            if case .connected = connectionState { state.hasConnected = true }
        }
    }

    private func take(_ message: borrowing MQTTMessage) {
        let answer = decoding.session.decode(
            topic: Array(message.topic), payload: Array(message.payload), retained: message.retained,
            received: SystemClock().now().wall)
        let topic = String(decoding: message.topic, as: UTF8.self)
        let meaning = BrokerSniffer.meaning(answer, message.payload.count, isRetained: message.retained)
        state.withLock { state in
            guard state.topics[topic] != nil || state.topics.count < BrokerSniffer.maximumTopics else {
                state.dropped += 1
                return
            }
            var heard = state.topics[topic] ?? Heard(topic: topic)
            heard.messages += 1
            heard.family = answer.family
            heard.device = answer.readings.first?.device ?? heard.device
            heard.meaning = meaning
            state.topics[topic] = heard
        }
    }

    private static func meaning(_ answer: MessageAnswer, _ bytes: Int, isRetained: Bool) -> String {
        var parts = answer.readings.map { reading in
            let sample = reading.sample
            let channel = sample.channel == .total ? "" : "\(sample.channel) "
            let unit = sample.quantity.unit == "1" ? "" : " \(sample.quantity.unit)"
            return "\(channel)\(sample.quantity) \(Thousandths.text(sample.value))\(unit)"
        }
        if let error = answer.error { parts.append("not understood: \(error)") }
        parts += answer.notes
        if parts.isEmpty { parts = [bytes == 0 ? "empty" : "nothing that is measured"] }
        let text = parts.joined(separator: ", ")
        return (isRetained ? "(stored by the broker) " : "") + String(text.prefix(maximumMeaning))
    }
}
