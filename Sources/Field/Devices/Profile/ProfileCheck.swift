import Metering
import Timekeeping

/// Runs the cases that a profile brings along: a profile is right when it reads what its author recorded.
public enum ProfileCheck {
    /// A sentence for each case that came out differently; empty when all is well.
    /// `among`: all profiles in use, to see that none takes another's topics; nil: the profile alone.
    public static func failures(of profile: Profile, among others: [Profile]? = nil) -> [String] {
        profile.tests.compactMap { test in
            let place = "\(profile.file ?? profile.name):\(test.line): test `\(test.name)`"
            switch test.input {
            case .words(let function, let address, let words, let context):
                guard let registers = profile.registers else { return nil }
                var samples: [Sample] = []
                let block = RegisterBlock(function: function, address: address, count: words.count)
                let map = registers.located(in: block, words: words, context: context)
                let errors = map.decode(block, words: words, context: context, into: &samples)
                if let error = errors.first { return "\(place): \(error)" }
                return difference(samples, test.expected).map { "\(place): \($0)" }
            case .messages(let messages):
                return messageFailure(others ?? [profile], test, messages).map { "\(place): \($0)" }
            }
        }
    }

    /// `l1 voltage 230.2`, as a case expects it.
    public static func line(_ sample: Sample) -> String {
        "\(sample.channel) \(sample.quantity) \(Thousandths.text(sample.value))"
    }

    private static func messageFailure(
        _ profiles: [Profile], _ test: ProfileTest, _ messages: [ProfileTest.Message]
    ) -> String? {
        let decoder = MessageDecoder(profiles: profiles)
        var message = DecodedMessage()
        var samples: [Sample] = []
        for input in messages {
            Array(input.topic.utf8).withUnsafeBytes { topic in
                Array(input.payload.utf8).withUnsafeBytes { payload in
                    decoder.decode(
                        topic: topic, payload: payload, retained: input.retained, received: received, into: &message)
                }
            }
            if case .malformed(let error) = message.outcome { return "\(error)" }
            if let error = message.errors.first { return "\(error)" }
            if case .notMine = message.outcome { return "no pattern matches `\(input.topic)`" }
            samples += message.samples
            if case .availability(let isUp) = message.outcome {
                samples.append(Sample(channel: .total, quantity: .available, value: isUp ? 1000 : 0))
            }
            guard message.device >= 0, !test.device.isEmpty else { continue }
            let device = decoder.name(of: message.device)
            if device != test.device { return "the device is `\(device)`, not `\(test.device)`" }
        }
        return difference(samples, test.expected)
    }

    /// Cases have no clock: no time that they state is in the future.
    private static let received = Timestamp.validRange.upperBound

    private static func difference(_ samples: [Sample], _ expected: [String]) -> String? {
        let got = samples.map(line).sorted()
        let wanted = expected.sorted()
        guard got != wanted else { return nil }
        let missing = wanted.filter { !got.contains($0) }
        let extra = got.filter { !wanted.contains($0) }
        return "missing [\(missing.joined(separator: ", "))], unexpected [\(extra.joined(separator: ", "))]"
    }
}
