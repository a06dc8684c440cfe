import Devices
import Glibc
import Metering

/// Hands bytes that libFuzzer makes from the corpus to the register decoder: `make fuzz`. Built only with ENERGYD_FUZZ.
///
/// `R:eastron_sdm630\n` and then function, address, number of context words, context and words is what a meter
/// answered. Anything else is the text of a profile.
@main
struct FuzzRegisters {
    static func main() {
        var count = CommandLine.argc
        var arguments = CommandLine.unsafeArgv
        let status = withUnsafeMutablePointer(to: &arguments) { arguments in
            runFuzzer(&count, arguments) { start, count in
                FuzzRegisters.take(Array(UnsafeBufferPointer(start: start, count: count)))
                return 0
            }
        }
        exit(status)
    }

    private static func take(_ bytes: [UInt8]) {
        if bytes.starts(with: "R:".utf8), let end = bytes.firstIndex(of: 0x0A) {
            fuzzAnswer(meter: String(decoding: bytes[2..<end], as: UTF8.self), bytes[(end + 1)...])
        } else {
            fuzzProfile(bytes)
        }
    }
}

/// libFuzzer's own entry.
@_silgen_name("LLVMFuzzerRunDriver")
private func runFuzzer(
    _ count: UnsafeMutablePointer<CInt>,
    _ arguments: UnsafeMutablePointer<UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>>,
    _ body: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

private let meters = ProfileCatalog.builtIn.profiles.filter { $0.registers != nil }

/// Whatever a meter answers is samples within limits or errors, and the same ones each time.
private func fuzzAnswer(meter: String, _ bytes: ArraySlice<UInt8>) {
    let profile =
        ProfileCatalog.builtIn[meter] ?? meters[meter.utf8.reduce(0) { ($0 &* 31 &+ Int($1)) & 0xFFFF } % meters.count]
    guard let map = profile.registers, bytes.count >= 4 else { return }
    let head = Array(bytes.prefix(4))
    let words = stride(from: bytes.startIndex + 4, to: bytes.endIndex - 1, by: 2).map {
        UInt16(bytes[$0]) << 8 | UInt16(bytes[$0 + 1])
    }
    let address = UInt16(head[1]) << 8 | UInt16(head[2])
    let contextCount = min(Int(head[3]), max(0, words.count - 1))
    var context = RegisterContext(isInverted: head[0] & 0x10 != 0)
    if head[0] & 0x20 != 0 { context.currentRatio = Scale(40) }
    if contextCount > 0 {
        let answer = RegisterContext.Answer(
            function: head[0] & 0x40 != 0 ? 4 : 3, address: words[0], words: Array(words[1...].prefix(contextCount)))
        context.note(answer)
    }
    let answered = Array(words.dropFirst(contextCount > 0 ? contextCount + 1 : 0))
    let block = RegisterBlock(function: head[0] & 1 != 0 ? 4 : 3, address: address, count: answered.count)
    let located = map.located(in: block, words: answered, context: context)
    var first: [Sample] = []
    var second: [Sample] = []
    let errors = located.decode(block, words: answered, context: context, into: &first)
    let again = located.decode(block, words: answered, context: context, into: &second)
    precondition(first == second && errors == again)
    var series: Set<String> = []
    for sample in first {
        precondition(series.insert("\(sample.channel) \(sample.quantity)").inserted)
        _ = Plausibility.check(sample.quantity, sample.value)
        _ = ProfileCheck.line(sample)
    }
    for error in errors { _ = error.description }
    for block in located.blocks() + located.contextBlocks {
        precondition(block.count > 0 && block.count <= RegisterBlock.maximumCount)
        precondition(Int(block.address) + block.count <= 0x10000)
    }
    walk(words)
}

/// The same words as a SunSpec device's answers: the walk ends.
private func walk(_ words: [UInt16]) {
    var walk = SunSpecWalk()
    var position = 0
    walk.take([0x5375, 0x6E53])
    while let request = walk.request {
        precondition(Int(request.address) + request.count <= 0x10000)
        walk.take(position + 2 <= words.count ? Array(words[position..<position + 2]) : nil)
        position += 2
    }
    precondition(walk.models.count <= SunSpecWalk.maximumModels)
}

/// A profile is refused with a place in its text, or its requests keep its limits and its cases run.
private func fuzzProfile(_ text: [UInt8]) {
    do throws(ProfileError) {
        let profile = try Profile(source: .init(file: "fuzz.toml", text: text))
        for failure in ProfileCheck.failures(of: profile) { precondition(!failure.isEmpty) }
        guard let map = profile.registers else { return }
        for block in map.blocks() + map.contextBlocks {
            precondition(block.count > 0 && block.count <= map.limits.registers)
            precondition(Int(block.address) + block.count <= 0x10000)
            var samples: [Sample] = []
            let words = (0..<block.count).map { UInt16(truncatingIfNeeded: $0 &* 40_503) }
            _ = map.decode(block, words: words, into: &samples)
            _ = map.decode(block, words: Array(words.dropLast()), into: &samples)
        }
    } catch {
        precondition(!error.problems.isEmpty)
        for problem in error.problems { precondition(problem.line >= 0 && !problem.description.isEmpty) }
    }
}
