import Devices
import Glibc
import Metering
import Timekeeping

/// Feeds the decoder of messages with what libFuzzer makes of the corpus: `make fuzz`. Built only with ENERGYD_FUZZ.
///
/// An input is a sequence of messages with byte 0x1E between: a line with the topic, then the payload; a topic that
/// begins with `!` is of a message that the broker had stored. Two decoders read each, one of them without shapes: both
/// have to say the same.
@main
struct FuzzMessages {
    /// One thread: libFuzzer calls back from the thread that runs its driver.
    nonisolated(unsafe) private static var session = FuzzSession()

    static func main() {
        var count = CommandLine.argc
        var arguments = CommandLine.unsafeArgv
        let status = withUnsafeMutablePointer(to: &arguments) { arguments in
            runFuzzer(&count, arguments) { start, count in
                if FuzzMessages.session.isWorn { FuzzMessages.session = FuzzSession() }
                FuzzMessages.session.take(UnsafeRawBufferPointer(start: start, count: count))
                return 0
            }
        }
        exit(status)
    }
}

/// libFuzzer's own entry.
@_silgen_name("LLVMFuzzerRunDriver")
private func runFuzzer(
    _ count: UnsafeMutablePointer<CInt>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
    _ body: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

private final class FuzzSession {
    private static let profiles = ProfileCatalog.builtIn.profiles.filter { $0.messages != nil }
    private let short = MessageDecoder(profiles: profiles)
    private let long = MessageDecoder(profiles: profiles, learnsShapes: false)
    private var first = DecodedMessage()
    private var second = DecodedMessage()
    private var inputs = 0
    private static let received = Timestamp(milliseconds: 1_774_742_400_000)

    /// Made anew after so many inputs: what one leaves behind may matter to the next, but not for ever.
    var isWorn: Bool { inputs >= 16_384 }

    func take(_ input: UnsafeRawBufferPointer) {
        inputs += 1
        for message in input.split(separator: 0x1E, maxSplits: 7, omittingEmptySubsequences: true) {
            let end = message.firstIndex(of: 0x0A) ?? message.endIndex
            let isStored = message.first == UInt8(ascii: "!")
            let topic = UnsafeRawBufferPointer(rebasing: message[(message.startIndex + (isStored ? 1 : 0))..<end])
            let payload = UnsafeRawBufferPointer(rebasing: message[min(end + 1, message.endIndex)...])
            decode(topic, payload, isStored)
        }
    }

    private func decode(_ topic: UnsafeRawBufferPointer, _ payload: UnsafeRawBufferPointer, _ isStored: Bool) {
        short.decode(
            topic: topic, payload: payload, retained: isStored, received: FuzzSession.received, into: &first)
        long.decode(
            topic: topic, payload: payload, retained: isStored, received: FuzzSession.received, into: &second)
        precondition(first.samples == second.samples, "a shape reads other samples than the parser")
        precondition(first.outcome == second.outcome, "a shape gives another outcome than the parser")
        precondition(
            first.noValueCount == second.noValueCount && first.unknownCount == second.unknownCount
                && first.errorCount == second.errorCount && first.device == second.device,
            "a shape counts other than the parser")
        precondition(first.outcome != .readings || !first.samples.isEmpty, "readings without a reading")
        for sample in first.samples { _ = Plausibility.check(sample.quantity, sample.value) }
        if first.device >= 0 { _ = short.name(of: first.device) }
        _ = short.address(of: first, topic: topic)
    }
}
