import Glibc
import Metering
import Timekeeping

/// What a device wrote once, with its values taken out: the text between them, and what each value was.
///
/// Firmware prints its messages from a template, so the next one differs in its values alone. Comparing the text
/// between them and reading the numbers costs a fraction of parsing JSON; the first message of a shape was parsed, so
/// whatever equals it in all but plain values is as well-formed. Anything else, down to a null in place of a number,
/// takes the long way. Tests hold both ways against each other.
struct MessageShape {
    enum Action: UInt8 {
        /// A number, with or without quotes around it, and the output it gives.
        case number
        /// A number or a text that nobody asked for.
        case skipNumber, skipText
        /// The payload's time.
        case timeText, timeNumber
        /// What tells an amount, an output before it, from its repetition.
        case keyText, keyNumber
        /// No value: the sum of the last outputs.
        case sum
        /// No value: an output that stands in the text between, such as `true`.
        case constant
    }

    struct Step {
        var literalStart: UInt32
        var literalCount: UInt32
        var action: Action
        /// Of `number`, `sum` and `constant`; of keys the one that they tell apart.
        var output: UInt16 = 0
        /// Of `sum`: how many outputs are added.
        var count: UInt16 = 0
    }

    struct Output {
        var sample: Sample
        var conversion: Conversion
        var origin: DecodedMessage.Origin
        /// A whole factor and nothing else: digits become thousandths by one product. 0: the long way.
        var factor: Int64
        /// Its value stands in the text between.
        var isConstant: Bool
        /// Above 1.2 it needs a closer look.
        var mayBePercent: Bool
        /// Of `MessageShape.codes`: values that mean "no value".
        var firstCode: UInt16
        var codeCount: UInt16
    }

    var literals: [UInt8] = []
    var steps: [Step] = []
    var outputs: [Output] = []
    var codes: [Int64] = []
    /// Where the text after the last value begins.
    var tailStart = 0
    var tree: Int32 = 0
    var start: Int32 = 0
    var zone: Zone?
    var unknownCount = 0
    var noValueCount = 0

    static let maximumBytes = 4096
    static let maximumSteps = 256
}

/// The shapes that were learned, shared by all devices that write alike.
final class MessageShapes {
    /// Shapes beyond are not learned: a device that writes differently each time must not fill the memory.
    static let maximumShapes = 1024

    /// Of a shape what is read with every message, in memory without reference counts.
    private struct Laid {
        let literals: UnsafeBufferPointer<UInt8>
        let steps: UnsafeBufferPointer<MessageShape.Step>
        let outputs: UnsafeBufferPointer<MessageShape.Output>
        let codes: UnsafeBufferPointer<Int64>
        let tailStart: Int
        let unknownCount: Int
        let noValueCount: Int
        let hasZone: Bool
    }

    let isOn: Bool
    private(set) var shapes: [MessageShape] = []
    private var laid: UnsafeMutablePointer<Laid>
    private var hashes: [Int: [Int]] = [:]

    init(isOn: Bool) {
        self.isOn = isOn
        laid = .allocate(capacity: MessageShapes.maximumShapes)
    }

    deinit {
        for i in shapes.indices {
            laid[i].literals.deallocate()
            laid[i].steps.deallocate()
            laid[i].outputs.deallocate()
            laid[i].codes.deallocate()
        }
        laid.deallocate()
    }

    var isFull: Bool { shapes.count == MessageShapes.maximumShapes }

    /// The number of the shape, an old one when it is known already.
    func add(_ shape: MessageShape) -> Int? {
        var hasher = Hasher()
        hasher.combine(shape.literals)
        hasher.combine(shape.tree)
        hasher.combine(shape.start)
        let hash = hasher.finalize()
        for known in hashes[hash, default: []] where MessageShapes.isSame(shapes[known], shape) { return known }
        guard !isFull else { return nil }
        (laid + shapes.count).initialize(
            to: Laid(
                literals: MessageShapes.copy(shape.literals), steps: MessageShapes.copy(shape.steps),
                outputs: MessageShapes.copy(shape.outputs), codes: MessageShapes.copy(shape.codes),
                tailStart: shape.tailStart, unknownCount: shape.unknownCount, noValueCount: shape.noValueCount,
                hasZone: shape.zone != nil))
        hashes[hash, default: []].append(shapes.count)
        shapes.append(shape)
        return shapes.count - 1
    }

    private static func isSame(_ a: MessageShape, _ b: MessageShape) -> Bool {
        guard a.literals == b.literals, a.tree == b.tree, a.start == b.start, a.zone === b.zone,
            a.steps.count == b.steps.count, a.outputs.count == b.outputs.count
        else { return false }
        let steps = zip(a.steps, b.steps).allSatisfy {
            $0.literalStart == $1.literalStart && $0.literalCount == $1.literalCount && $0.action == $1.action
                && $0.output == $1.output && $0.count == $1.count
        }
        return steps
            && zip(a.outputs, b.outputs).allSatisfy { a, b in
                a.conversion == b.conversion && a.origin.field == b.origin.field
                    && a.origin.node == b.origin.node && a.sample == b.sample && a.isConstant == b.isConstant
            }
    }

    private static func copy<T>(_ elements: [T]) -> UnsafeBufferPointer<T> {
        let memory = UnsafeMutableBufferPointer<T>.allocate(capacity: elements.count)
        _ = memory.initialize(from: elements)
        return UnsafeBufferPointer(memory)
    }

    /// Reads `payload` as shape `number`; false, and the message is as it was, when it is not of that shape or says
    /// something that needs a closer look.
    @inline(__always)
    func read(
        _ number: Int32, _ payload: UnsafeRawBufferPointer, received: Timestamp, into message: inout DecodedMessage
    ) -> Bool {
        let shape = laid + Int(number)
        let text = trimmed(payload)
        guard text.count <= MessageShape.maximumBytes, let base = text.baseAddress,
            let literals = shape.pointee.literals.baseAddress
        else { return false }
        var scan = ShapeScan(
            text: base.assumingMemoryBound(to: UInt8.self), end: text.count, received: received,
            zone: shape.pointee.hasZone ? shapes[Int(number)].zone : nil)
        for step in shape.pointee.steps {
            guard scan.take(literals + Int(step.literalStart), Int(step.literalCount)),
                scan.run(step, shape.pointee.outputs, shape.pointee.codes, &message)
            else {
                message.clear()
                return false
            }
        }
        let tail = shape.pointee.literals.count - shape.pointee.tailStart
        guard scan.take(literals + shape.pointee.tailStart, tail), scan.isAtEnd else {
            message.clear()
            return false
        }
        if scan.time != .none {
            for i in message.samples.indices {
                message.samples[i].time = scan.time
                if scan.time == .untrusted { message.samples[i].flags.insert(.timeUntrusted) }
            }
        }
        message.unknownCount = shape.pointee.unknownCount
        message.noValueCount = shape.pointee.noValueCount
        return true
    }
}
