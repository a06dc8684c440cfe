import APITypes
import ArgumentParser
import Devices
import JSONScanner
import JSONText
import Metering

/// What a meter's registers mean, without a meter.
struct DecodeModbusCommand: ParsableCommand {
    static let configuration = CommandConfiguration(
        commandName: "modbus",
        abstract: "Says what the words of a Modbus answer mean, offline.",
        discussion: """
            Words are decimal, or hexadecimal with 0x. Values are in the unit beside them; energy counters are in Wh.

              energyctl decode modbus --meter eastron_sdm630 --function 4 --address 0x34 --words 0xC3CE,0x4000
              energyctl decode modbus --meter chint_dtsu666 --function 3 --address 0x2012 --words 0x4640,0xE400 --ct 20

            With --lines each line is a JSON object {"meter","function","address","words":[…]}, and may have "ct", \
            "pt" and "context": [{"function","address","words"}], other registers that the meaning depends on, such as \
            a scale factor. For each there is a line {"readings":[…]} or {"error":"…","readings":[…]}.

            Status 0 also when no register has a value; 1 when nothing could be read, and with --lines when a line of \
            the file is broken.
            """)

    @Option(help: "The meter's profile, such as eastron_sdm630.") var meter: String?
    @Option(help: "3: holding registers; 4: input registers.") var function: UInt8?
    @Option(help: "The first register, counted from 0 as on the wire; decimal, or hexadecimal with 0x.")
    var address: String?
    @Option(help: "The words of the answer, separated by commas or blanks.") var words: String?
    @Option(help: "The current transformers' ratio, such as 40 for 200 A : 5 A.") var ct: String?
    @Option(help: "The voltage transformers' ratio.") var pt: String?
    @Flag(help: "The current transformers are mounted the wrong way round.") var invert = false
    @Option(help: "A file of JSON lines instead; - is stdin.") var lines: String?
    @Option(help: "A directory of profiles that override the program's own (default: the system's).")
    var profiles: [String] = []
    @OptionGroup var output: OutputOptions

    private static let columns = [
        Column(key: "channel", title: "CHANNEL"),
        Column(key: "quantity", title: "QUANTITY"),
        Column(key: "value", title: "VALUE", alignsRight: true),
        Column(key: "unit", title: "UNIT"),
    ]
    /// 125 words and some context, with room to spare.
    private static let maximumLine = 64 << 10

    func validate() throws {
        let given: [Any?] = [meter, function, address, words, ct, pt]
        if lines == nil {
            guard meter != nil, function != nil, address != nil, words != nil else {
                throw ValidationError("Needs --meter, --function, --address and --words, or --lines.")
            }
        } else if given.contains(where: { $0 != nil }) || invert {
            throw ValidationError("With --lines, everything stands in the lines.")
        }
    }

    func run() throws {
        let (catalog, problems) = ProfileCatalog.load(
            directories: profiles.isEmpty ? ProfileCatalog.standardDirectories : profiles)
        for problem in problems { Terminal.complain("a profile is left out: \(problem)") }
        if let lines { return try run(lines, catalog) }
        let recorded: RecordedAnswer
        do throws(RecordedAnswerError) {
            recorded = try RecordedAnswer(
                meter: meter ?? "", function: Int64(function ?? 0),
                address: RecordedAnswer.number(address ?? "", what: "--address"),
                words: try RecordedAnswer.words(words ?? ""),
                context: try RecordedAnswer.context(ct: ct, pt: pt, isInverted: invert), in: catalog)
        } catch {
            throw Failure(error.isUnknownMeter ? .notFound : .usage, error.reason)
        }
        let result = recorded.decode()
        if let error = result.error {
            if result.samples.isEmpty { throw Failure(.failed, error) }
            Terminal.complain(error)
        }
        var json = JSONWriter()
        json.field(result.samples)
        if output.output == .json {
            Terminal.write(json.bytes + [0x0A])
        } else {
            try output.output.print(
                json.bytes, columns: DecodeModbusCommand.columns, noHeaders: output.noHeaders,
                emptyMessage: "No register with a value in these words.")
        }
    }

    private func run(_ path: String, _ catalog: ProfileCatalog) throws {
        var reader = try LineReader(path: path, maximum: DecodeModbusCommand.maximumLine)
        var number = 0
        var broken = 0
        while let line = try reader.next() {
            number += 1
            if line.allSatisfy({ $0 == 0x20 || $0 == 0x09 }) { continue }
            var samples: [Sample] = []
            var reason: String?
            do throws(RecordedAnswerError) {
                guard line.count <= DecodeModbusCommand.maximumLine else {
                    throw RecordedAnswerError("the line is longer than \(DecodeModbusCommand.maximumLine) bytes")
                }
                let result = try RecordedAnswer(line: line, in: catalog).decode()
                (samples, reason) = (result.samples, result.error)
            } catch {
                broken += 1
                reason = error.reason
                Terminal.complain("\(path):\(number): \(error.reason)")
            }
            var json = JSONWriter()
            json.object { json in
                if let reason { json.field("error", text: reason) }
                json.key("readings")
                json.field(samples)
            }
            Terminal.write(json.bytes + [0x0A])
        }
        if broken > 0 {
            throw Failure(.failed, "\(broken == 1 ? "1 line" : "\(broken) lines") of \(path) could not be read")
        }
    }
}

extension JSONWriter {
    /// A value: what was decoded, in the order of the registers.
    fileprivate mutating func field(_ samples: [Sample]) {
        array { json in
            for sample in samples {
                json.object {
                    $0.field("channel", text: sample.channel.name)
                    $0.field("quantity", text: sample.quantity.name)
                    $0.field("unit", text: sample.quantity.unit)
                    $0.field("value", raw: Thousandths.text(sample.value))
                }
            }
        }
    }
}
